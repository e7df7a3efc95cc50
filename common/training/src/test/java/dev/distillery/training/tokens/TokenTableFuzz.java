package dev.distillery.training.tokens;

import dev.distillery.core.run.JobException;
import dev.distillery.core.testing.FuzzedFolder;
import dev.distillery.spark.warehouse.Warehouse;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.apache.hadoop.conf.Configuration;

/**
 * A token table, its manifest and one part: rows, or an error that names the part; damaged as a
 * whole it goes, and what is noted names it.
 */
public final class TokenTableFuzz {
  private static final Configuration HADOOP = new Configuration();
  private static final String KEY = "k";
  private static final String HOME = "_tokens/" + KEY + "/";
  private static final int MOST_ROWS = 8;

  private TokenTableFuzz() {}

  /** A warehouse of one table. */
  public static FuzzedFolder folder(byte[] data) throws IOException {
    return new FuzzedFolder(data, HOME + TokenManifest.FILE, HOME + "a/part-0.tokens");
  }

  /** The tokens of a warehouse's table; nothing where it is damaged. */
  public static OptionalLong tokens(FuzzedFolder folder) throws IOException {
    List<String> notes = new ArrayList<>();
    var store = new TokenStore(Warehouse.at(folder.path().toString(), HADOOP), notes::add);
    Optional<TokenManifest> manifest = store.find(KEY);
    if (manifest.isEmpty()) {
      if (!notes.toString().contains(folder.path() + "/" + HOME.substring(0, HOME.length() - 1))) {
        throw new IllegalStateException("Gone without its name: " + notes);
      }
      return OptionalLong.empty();
    }
    if (!TokenManifest.parse(manifest.get().toJson()).equals(manifest.get())) {
      throw new IllegalStateException("Not read back: " + manifest.get());
    }
    long tokens = 0;
    try (TokenTable table = store.open(manifest.get())) {
      if (table.size() < 0 || table.tokens() < 0 || table.learned() < 0 || table.longest() < 0) {
        throw new IllegalStateException("Less than none: " + manifest.get());
      }
      for (long row = 0; row < Math.min(MOST_ROWS, table.size()); row++) {
        TokenSequence read = table.row(row);
        tokens += read.ids().length;
        SequenceFuzz.check(read);
      }
    } catch (JobException e) {
      if (!folder.isNamedIn(e)) {
        throw e;
      }
      return OptionalLong.empty();
    }
    return OptionalLong.of(tokens);
  }

  /** One input. */
  public static void fuzzerTestOneInput(byte[] data) throws IOException {
    try (FuzzedFolder folder = folder(data)) {
      OptionalLong unused = tokens(folder);
    }
  }
}
