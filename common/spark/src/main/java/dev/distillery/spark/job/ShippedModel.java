package dev.distillery.spark.job;

import dev.distillery.core.run.JobException;
import dev.distillery.core.run.ModelHash;
import dev.distillery.spark.warehouse.StableIds;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.apache.spark.SparkContext;
import org.apache.spark.SparkFiles;

/**
 * A model that lies on the driver's disk, sent to executors: a file as it is, a directory as an
 * archive that Spark unpacks. An executor that has the path itself, as on shared storage, uses
 * that.
 */
public final class ShippedModel {
  private static final int HASH = 8;

  /** Stamps by application and path. */
  private static final Map<String, String> SENT = new ConcurrentHashMap<>();

  private ShippedModel() {}

  /**
   * Sends the model to all executors, present and to come; does nothing in a local session. Tasks
   * of a query see it where the session was made with {@code
   * spark.sql.artifact.isolation.enabled=false}, as the command line makes it.
   *
   * <p>What has been sent is not sent again until one of its files changes.
   *
   * @param model path on the driver
   * @throws JobException where a single file has changed since
   */
  public static void ship(SparkContext context, String model) {
    if (context.isLocal()) {
      return;
    }
    Path path = Path.of(model);
    String name = context.applicationId() + " " + path.toAbsolutePath();
    String stamp = stamp(path);
    String before = SENT.get(name);
    if (stamp.equals(before)) {
      return;
    }
    if (!Files.isDirectory(path)) {
      if (before != null) {
        throw JobException.invalid(
            "%s has changed since this session sent it to executors, and Spark sends a file once: begin another session, or give it another name"
                .formatted(model));
      }
      context.addFile(model);
      SENT.put(name, stamp);
      return;
    }
    try {
      Path archive = Files.createTempFile("distillery-model-", ".zip");
      archive.toFile().deleteOnExit();
      pack(path, archive);
      context.addArchive(named(archive, folder(model)));
      SENT.put(name, stamp);
    } catch (IOException e) {
      throw JobException.invalid("Cannot send " + model + " to executors: " + e.getMessage());
    }
  }

  private static String stamp(Path model) {
    try {
      return ModelHash.stamp(model);
    } catch (IOException e) {
      throw JobException.invalid("Cannot read " + model + ": " + e.getMessage());
    }
  }

  /** Where the model lies on this machine: the same path, or what the driver sent. */
  public static Path here(String model) {
    Path path = Path.of(model);
    if (Files.exists(path)) {
      return path;
    }
    for (String name : List.of(folder(model), String.valueOf(path.getFileName()))) {
      Path shipped = Path.of(SparkFiles.get(name));
      if (Files.exists(shipped)) {
        return shipped;
      }
    }
    return path;
  }

  /** The archive as Spark takes it, and what it is unpacked as: any name, so both are encoded. */
  static String named(Path archive, String name) {
    try {
      return new URI("file", null, archive.toUri().getPath(), name).toString();
    } catch (URISyntaxException e) {
      throw new IllegalArgumentException(e);
    }
  }

  /** What a folder is unpacked as: two of one name, from two places, are two. */
  static String folder(String model) {
    Path path = Path.of(model).normalize();
    return path.getFileName() + "-" + StableIds.of(path.toString()).substring(0, HASH);
  }

  /** Weights do not compress, so nothing is. */
  private static void pack(Path directory, Path archive) throws IOException {
    List<Path> files;
    try (Stream<Path> all = Files.list(directory)) {
      files = all.filter(Files::isRegularFile).sorted().toList();
    }
    try (OutputStream out = Files.newOutputStream(archive);
        var zip = new ZipOutputStream(out)) {
      zip.setLevel(Deflater.NO_COMPRESSION);
      for (Path file : files) {
        zip.putNextEntry(new ZipEntry(String.valueOf(file.getFileName())));
        Files.copy(file, zip);
        zip.closeEntry();
      }
    }
  }
}
