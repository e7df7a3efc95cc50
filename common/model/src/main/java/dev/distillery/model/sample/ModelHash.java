package dev.distillery.model.sample;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/** A model's identity for a run's record. */
public final class ModelHash {
  private ModelHash() {}

  /**
   * SHA-256 of a file; of a directory, over the name and the content of each file in it, by name.
   */
  public static String of(Path model) throws IOException {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is part of every Java platform", e);
    }
    if (Files.isRegularFile(model)) {
      add(digest, model);
      return HexFormat.of().formatHex(digest.digest());
    }
    List<Path> files;
    try (Stream<Path> all = Files.list(model)) {
      files = all.filter(Files::isRegularFile).sorted().toList();
    }
    for (Path file : files) {
      digest.update(String.valueOf(file.getFileName()).getBytes(StandardCharsets.UTF_8));
      add(digest, file);
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static void add(MessageDigest digest, Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      new DigestInputStream(in, digest).transferTo(OutputStream.nullOutputStream());
    }
  }
}
