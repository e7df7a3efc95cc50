package dev.distillery.datasets.read;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;

/** Reads files as the tasks of a job would, one split after another, without Spark. */
final class SplitFiles {
  private static final Configuration HADOOP = new Configuration();

  private SplitFiles() {}

  static InputFile file(Path path) throws IOException {
    InputFiles found = InputFiles.find(List.of(path.toString()), InputFiles.Expected.JSON, HADOOP);
    assertThat(found.refusals()).isEmpty();
    return found.files().get(0);
  }

  static List<FileSplit> splits(Path path, int splitBytes) throws IOException {
    return SplitPlanner.plan(file(path), splitBytes, HADOOP);
  }

  /** All rows, none of which may be bad. */
  static List<String> read(Path path, int splitBytes) throws IOException {
    return read(file(path), splitBytes);
  }

  static List<String> read(InputFile file, int splitBytes) throws IOException {
    List<String> rows = new ArrayList<>();
    for (RawRow row : rows(file, splitBytes, ReadLimits.DEFAULT)) {
      assertThat(row.problem()).isNull();
      rows.add(new String(row.bytes(), StandardCharsets.UTF_8));
    }
    return rows;
  }

  /** All rows, good and bad. */
  static List<RawRow> rows(InputFile file, int splitBytes, ReadLimits limits) throws IOException {
    List<FileSplit> splits = SplitPlanner.plan(file, splitBytes, HADOOP);
    if (SplitPlanner.needsScan(splits)) {
      List<JsonScan> scans = new ArrayList<>();
      for (FileSplit split : splits) {
        scans.add(SplitPlanner.scan(split, HADOOP, limits));
      }
      splits = SplitPlanner.resolve(splits, scans);
    }
    List<RawRow> rows = new ArrayList<>();
    for (FileSplit split : splits) {
      try (RowReader reader = RowReader.open(split, HADOOP, limits)) {
        reader.forEachRemaining(rows::add);
      }
    }
    return rows;
  }
}
