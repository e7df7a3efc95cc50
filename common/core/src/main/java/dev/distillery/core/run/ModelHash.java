package dev.distillery.core.run;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/** A model's identity for a run's record: what its files hold, wherever they lie. */
public final class ModelHash {
  private ModelHash() {}

  /**
   * SHA-256 of a file; of a directory, over the name and the content of each file in it, by name.
   * Links are followed.
   */
  public static String of(Path model) throws IOException {
    return of(model, 1);
  }

  /** The same, but that the files below a directory's directories count too, by their paths. */
  public static String ofTree(Path model) throws IOException {
    return of(model, Integer.MAX_VALUE);
  }

  private static String of(Path model, int depth) throws IOException {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is part of every Java platform", e);
    }
    Path real = model.toRealPath();
    List<Path> files;
    try (Stream<Path> all = Files.walk(real, depth, FileVisitOption.FOLLOW_LINKS)) {
      files = all.filter(Files::isRegularFile).sorted().toList();
    }
    for (Path file : files) {
      digest.update(real.relativize(file).toString().getBytes(StandardCharsets.UTF_8));
      try (InputStream in = Files.newInputStream(file)) {
        new DigestInputStream(in, digest).transferTo(OutputStream.nullOutputStream());
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }
}
