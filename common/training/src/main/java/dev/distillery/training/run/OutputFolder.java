package dev.distillery.training.run;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;

/**
 * The folder of {@code --output-dir}, on whatever Hadoop reads and writes.
 *
 * @param files without Hadoop's own sums beside local files, which TensorBoard takes for events
 */
public record OutputFolder(FileSystem files, Path root) {

  static OutputFolder at(String uri, Configuration hadoop) {
    return at(new Path(uri), hadoop);
  }

  /** A folder on this machine's disk, whatever is in its name. */
  static OutputFolder at(java.nio.file.Path directory) {
    return at(new Path(directory.toUri()), new Configuration());
  }

  private static OutputFolder at(Path path, Configuration hadoop) {
    try {
      FileSystem files = path.getFileSystem(hadoop);
      Path root = files.makeQualified(path);
      return new OutputFolder(
          files instanceof LocalFileSystem local ? local.getRawFileSystem() : files, root);
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot open " + path + ": " + e.getMessage(), e);
    }
  }

  /** A path in the folder. */
  public Path path(String name) {
    return new Path(root, name);
  }

  /** What lies in a folder of this one, by name; nothing where it is not there. */
  public List<FileStatus> list(Path folder) throws IOException {
    if (!files.exists(folder)) {
      return List.of();
    }
    return Arrays.stream(files.listStatus(folder))
        .sorted(Comparator.comparing(FileStatus::getPath))
        .toList();
  }

  /** Writes a small file so that it is there whole or not at all. */
  public void writeWhole(Path path, byte[] bytes) throws IOException {
    Path unfinished = path.suffix(".unfinished");
    try (FSDataOutputStream out = files.create(unfinished, true)) {
      out.write(bytes);
    }
    files.delete(path, false);
    if (!files.rename(unfinished, path)) {
      throw new IOException("Cannot rename " + unfinished + " to " + path);
    }
  }
}
