package dev.distillery.datasets.read;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;

/** A file of any bytes: refused in words, or read to its end, the same on any splits. */
public final class FilesFuzz {
  private static final Configuration HADOOP = new Configuration();

  private FilesFuzz() {}

  /** One input. */
  public static void fuzzerTestOneInput(byte[] data) throws IOException {
    Path file = Files.createTempFile("fuzz", ".json");
    try {
      Files.write(file, data);
      InputFiles found =
          InputFiles.find(List.of(file.toString()), InputFiles.Expected.XML_OR_JSON, HADOOP);
      for (String refusal : found.refusals()) {
        if (!refusal.contains(file.toString())) {
          throw new IllegalStateException("A refusal without its file: " + refusal);
        }
      }
      for (InputFile input : found.files()) {
        if (input.compression() == Compression.PARQUET) {
          continue;
        }
        List<String> whole = rows(input, 1 << 20);
        // What is wrong with an array is seen from another side on other splits; lines are lines.
        boolean lines =
            input.compression() == Compression.NONE && input.layout() == Layout.JSON_LINES;
        if (lines && !whole.equals(rows(input, 7))) {
          throw new IllegalStateException("Other rows on other splits");
        }
      }
    } finally {
      Files.delete(file);
    }
  }

  private static List<String> rows(InputFile file, int splitBytes) throws IOException {
    List<String> rows = new ArrayList<>();
    for (RawRow row : SplitFiles.rows(file, splitBytes, new ReadLimits(1 << 16, 1000))) {
      RawRow.Problem problem = row.problem();
      rows.add(
          problem == null ? new String(row.bytes(), StandardCharsets.ISO_8859_1) : problem.rule());
    }
    return rows;
  }
}
