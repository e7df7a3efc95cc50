package dev.distillery.jobs.curate;

import dev.distillery.core.filter.RowFilters;
import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.spark.warehouse.PathNames;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** The small files that filters name: phrases, a line each, on any file system of Hadoop. */
record FilterFiles(Configuration hadoop) implements RowFilters.Files {
  /** A list of phrases that is larger is no list of phrases. */
  private static final int MOST_BYTES = 16 << 20;

  @Override
  public List<String> apply(String file) {
    Path path = PathNames.path(file);
    try (var in = PathNames.fileSystem(path, hadoop).open(path)) {
      byte[] bytes = in.readNBytes(MOST_BYTES + 1);
      if (bytes.length > MOST_BYTES) {
        throw JobException.invalid(
            "Option --filter: the file '" + file + "' has more than " + MOST_BYTES + " bytes");
      }
      return new String(bytes, StandardCharsets.UTF_8).lines().toList();
    } catch (FileNotFoundException e) {
      throw new JobException(ExitCode.INVALID, "Option --filter: no file at '" + file + "'", e);
    } catch (IOException e) {
      throw new JobException(
          ExitCode.TEMPORARY, "Cannot read " + file + ": " + e.getMessage() + "; try again", e);
    }
  }
}
