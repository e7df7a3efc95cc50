package dev.distillery.spark.warehouse;

import java.io.File;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** Paths as people write them: a URI of Hadoop, a local name, or a pattern. */
public final class PathNames {
  private PathNames() {}

  /** The path of a text. A local name may hold a colon, which Hadoop takes for a scheme's end. */
  public static Path path(String text) {
    try {
      return new Path(text);
    } catch (IllegalArgumentException e) {
      return new Path(new File(text).toURI());
    }
  }

  /**
   * What a text names: the file or folder that is called so, whatever signs of a pattern its name
   * has, else what the pattern finds; nothing where there is none.
   */
  public static List<FileStatus> matches(String text, Configuration hadoop) throws IOException {
    Path path = path(text);
    FileSystem files = path.getFileSystem(hadoop);
    try {
      return List.of(files.getFileStatus(path));
    } catch (FileNotFoundException e) {
      FileStatus[] matches = files.globStatus(path);
      return matches == null ? List.of() : List.of(matches);
    }
  }
}
