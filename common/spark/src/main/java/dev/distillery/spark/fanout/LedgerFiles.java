package dev.distillery.spark.fanout;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.StreamCapabilities;

/** Writes and reads the ledger's objects: one creation each, no append, no rename. */
final class LedgerFiles {
  private LedgerFiles() {}

  /**
   * The file system of a path. Local files are written without checksum files, since those of an
   * object that a dying process has cut off would keep its whole lines from being read.
   */
  static FileSystem fileSystem(Path path, Configuration configuration) throws IOException {
    FileSystem fileSystem = path.getFileSystem(configuration);
    return fileSystem instanceof LocalFileSystem local ? local.getRawFileSystem() : fileSystem;
  }

  /** Writes an object; when this returns it is as durable as the file system can make it. */
  static void put(FileSystem fileSystem, Path path, List<String> lines) throws IOException {
    byte[] content = (String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8);
    if (fileSystem instanceof RawLocalFileSystem local) {
      putLocally(local.pathToFile(path).toPath(), content);
      return;
    }
    try (FSDataOutputStream out = fileSystem.create(path, true)) {
      out.write(content);
      if (out.hasCapability(StreamCapabilities.HSYNC)) {
        out.hsync();
      }
    }
  }

  /**
   * Without Hadoop, which starts a process (chmod) for each file where its native library is not
   * there: that took more CPU than the requests.
   */
  private static void putLocally(java.nio.file.Path file, byte[] content) throws IOException {
    Files.createDirectories(file.getParent());
    try (var out =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      ByteBuffer rest = ByteBuffer.wrap(content);
      while (rest.hasRemaining()) {
        out.write(rest);
      }
      out.force(false);
    }
  }

  /** The lines of an object. */
  static List<String> lines(FileSystem fileSystem, Path path) throws IOException {
    try (var in = fileSystem.open(path)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
    }
  }
}
