package dev.distillery.spark.warehouse;

import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** Files of a few lines or pages that options name, on any file system of Hadoop. */
public final class SmallFiles {
  private static final int MOST_BYTES = 16 << 20;

  private SmallFiles() {}

  /**
   * Writes a text so that a reader sees the old file or the new one, never a part and never none.
   */
  public static void write(Path path, String text, Configuration hadoop) {
    Path file = qualified(path, hadoop);
    Warehouse.at(file.getParent().toString(), hadoop).writeText(file, text);
  }

  /** The path from the root of its file system: a bare name has an empty folder, which is none. */
  private static Path qualified(Path path, Configuration hadoop) {
    try {
      return path.getFileSystem(hadoop).makeQualified(path);
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot open " + path + ": " + e.getMessage(), e);
    }
  }

  /**
   * The text of a file.
   *
   * @param option that names it, with its dashes
   * @throws JobException where there is none, or it is no small file
   */
  public static String read(String option, String file, Configuration hadoop) {
    Path path = PathNames.path(file);
    try (var in = PathNames.fileSystem(path, hadoop).open(path)) {
      byte[] bytes = in.readNBytes(MOST_BYTES + 1);
      if (bytes.length > MOST_BYTES) {
        throw JobException.invalid(
            "Option "
                + option
                + ": the file '"
                + file
                + "' has more than "
                + MOST_BYTES
                + " bytes");
      }
      return new String(bytes, StandardCharsets.UTF_8);
    } catch (FileNotFoundException e) {
      throw new JobException(
          ExitCode.INVALID, "Option " + option + ": no file at '" + file + "'", e);
    } catch (IOException e) {
      throw new JobException(
          ExitCode.TEMPORARY, "Cannot read " + file + ": " + e.getMessage() + "; try again", e);
    }
  }
}
