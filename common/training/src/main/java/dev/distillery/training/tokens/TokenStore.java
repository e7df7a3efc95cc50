package dev.distillery.training.tokens;

import dev.distillery.spark.warehouse.Warehouse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.spark.util.SerializableConfiguration;

/**
 * Where token tables lie: {@code <warehouse>/_tokens/<key>/manifest.json} and a folder of parts
 * beside it. The manifest is written last. Its test is {@code TokenTablesTest}.
 */
final class TokenStore {
  private static final String FOLDER = "_tokens";

  private final Warehouse warehouse;
  private final Consumer<String> notes;

  /**
   * @param notes is told, for a person to read, what is damaged
   */
  TokenStore(Warehouse warehouse, Consumer<String> notes) {
    this.warehouse = warehouse;
    this.notes = notes;
  }

  /** The key of what these texts decide, in their order. */
  static String key(List<String> decisive) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (String text : decisive) {
        digest.update(text.getBytes(StandardCharsets.UTF_8));
        digest.update((byte) 0);
      }
      return HexFormat.of().formatHex(digest.digest()).substring(0, 32);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is part of every Java platform", e);
    }
  }

  /** The folder of a table. */
  Path home(String key) {
    return new Path(new Path(warehouse.root(), FOLDER), key);
  }

  /** The folder of the parts that one attempt writes. */
  Path parts(String key, String attempt) {
    return new Path(home(key), attempt);
  }

  /** The manifest of a table that is there and whole; a damaged one is removed. */
  Optional<TokenManifest> find(String key) {
    Optional<String> text = warehouse.readText(manifest(key));
    if (text.isEmpty()) {
      return Optional.empty();
    }
    try {
      TokenManifest manifest = TokenManifest.parse(text.get());
      if (!manifest.key().equals(key)) {
        throw new IOException("its key is " + manifest.key());
      }
      open(manifest).check();
      return Optional.of(manifest);
    } catch (IOException e) {
      notes.accept(
          "The token table %s is damaged and built again: %s".formatted(home(key), e.getMessage()));
      warehouse.delete(home(key));
      return Optional.empty();
    }
  }

  /** The rows of a table. */
  TokenTable open(TokenManifest manifest) {
    return new TokenTable(
        new SerializableConfiguration(warehouse.hadoop()),
        parts(manifest.key(), manifest.folder()),
        manifest.parts());
  }

  /** Makes a table visible whose parts are written. */
  void commit(TokenManifest manifest) throws IOException {
    removeLeftovers(manifest);
    warehouse.writeText(manifest(manifest.key()), manifest.toJson());
  }

  private Path manifest(String key) {
    return new Path(home(key), TokenManifest.FILE);
  }

  /** Files of tasks that Spark tried more than once. */
  private void removeLeftovers(TokenManifest manifest) throws IOException {
    List<String> wanted = manifest.parts().stream().map(TokenPart::file).toList();
    Path folder = parts(manifest.key(), manifest.folder());
    for (FileStatus file : warehouse.files().listStatus(folder)) {
      if (file.isFile() && !wanted.contains(file.getPath().getName())) {
        warehouse.files().delete(file.getPath(), false);
      }
    }
  }
}
