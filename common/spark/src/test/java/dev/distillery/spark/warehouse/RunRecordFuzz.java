package dev.distillery.spark.warehouse;

import dev.distillery.core.run.JobException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

/** A run's record: the same after it was written and read again, or an error that names it. */
public final class RunRecordFuzz {
  private static final String ORIGIN = "w/_runs/r.json";

  private RunRecordFuzz() {}

  /** One input. */
  public static void fuzzerTestOneInput(byte[] data) {
    RunRecord record;
    try {
      record = RunRecord.parse(ORIGIN, new String(data, StandardCharsets.UTF_8));
    } catch (JobException | IllegalStateException e) {
      if (!String.valueOf(e.getMessage()).startsWith("The run record " + ORIGIN + " ")) {
        throw e;
      }
      return;
    }
    if (record.version() > RunRecord.VERSION || record.done() == record.warning().isPresent()) {
      throw new IllegalStateException("No record of this version: " + record);
    }
    for (RunRecord.WrittenTable table : record.tables().values()) {
      Objects.requireNonNull(table.schema());
      table.files().forEach(file -> Objects.requireNonNull(file.name()));
    }
    record.origins().forEach(origin -> Objects.requireNonNull(origin.source()));
    record.options().values().forEach(Objects::requireNonNull);
    RunRecord again = RunRecord.parse(ORIGIN, record.toJson());
    if (!again.equals(record)) {
      throw new IllegalStateException(record + " became " + again);
    }
  }
}
