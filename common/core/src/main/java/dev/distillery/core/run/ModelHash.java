package dev.distillery.core.run;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/** A model's identity for a run's record: what its files hold, wherever they lie. */
public final class ModelHash {
  /** Of a model's folder: its files, and its further chat templates. */
  private static final int MODEL = 2;

  /** What was hashed in this JVM: a large model is hashed for a run's identity, record and name. */
  private static final Map<Asked, Known> KNOWN = new ConcurrentHashMap<>();

  private record Asked(Path real, int depth) {}

  private record Known(String stamp, String hash) {}

  private ModelHash() {}

  /**
   * What is another where a file of the model has changed: path, length, time and place on disk of
   * each. Cheap, as no content is read.
   */
  public static String stamp(Path model) throws IOException {
    Path real = model.toRealPath();
    return stamp(real, files(real, MODEL));
  }

  private static String stamp(Path real, List<Path> files) throws IOException {
    var stamp = new StringBuilder();
    for (Path file : files) {
      var found = Files.readAttributes(file, BasicFileAttributes.class);
      stamp
          .append(real.relativize(file))
          .append(' ')
          .append(found.size())
          .append(' ')
          .append(found.lastModifiedTime())
          .append(' ')
          .append(found.fileKey())
          .append('\n');
    }
    return stamp.toString();
  }

  private static List<Path> files(Path real, int depth) throws IOException {
    try (Stream<Path> all = Files.walk(real, depth, FileVisitOption.FOLLOW_LINKS)) {
      return all.filter(Files::isRegularFile).sorted().toList();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  /**
   * SHA-256 of a file; of a directory, over the name and the content of each file in it, by name.
   * Links are followed. What was hashed before is read again where its {@link #stamp} has changed.
   */
  public static String of(Path model) throws IOException {
    return of(model, 1);
  }

  /** The same, but that the files below a directory's directories count too, by their paths. */
  public static String ofTree(Path model) throws IOException {
    return of(model, Integer.MAX_VALUE);
  }

  private static String of(Path model, int depth) throws IOException {
    Path real = model.toRealPath();
    List<Path> files = files(real, depth);
    String stamp = stamp(real, files);
    var asked = new Asked(real, depth);
    Known known = KNOWN.get(asked);
    if (known == null || !known.stamp().equals(stamp)) {
      known = new Known(stamp, hash(real, files));
      KNOWN.put(asked, known);
    }
    return known.hash();
  }

  private static String hash(Path real, List<Path> files) throws IOException {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is part of every Java platform", e);
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
