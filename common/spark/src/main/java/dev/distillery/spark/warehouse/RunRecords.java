package dev.distillery.spark.warehouse;

import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.fs.FileStatus;
import org.slf4j.LoggerFactory;

/** The records of a warehouse's runs. */
public final class RunRecords {
  private final Warehouse warehouse;

  public RunRecords(Warehouse warehouse) {
    this.warehouse = warehouse;
  }

  /**
   * The record of one run, whatever its status.
   *
   * @throws JobException where it cannot be read
   */
  public Optional<RunRecord> find(String runId) {
    try {
      return read(runId);
    } catch (IllegalStateException e) {
      throw new JobException(
          ExitCode.INVALID, e.getMessage() + "; take it away, or put back what was written", e);
    }
  }

  private Optional<RunRecord> read(String runId) {
    return warehouse
        .readText(warehouse.record(runId))
        .map(text -> RunRecord.parse(warehouse.record(runId).toString(), text));
  }

  /** Writes a record, in place of an earlier one of the run. */
  public void write(RunRecord record) {
    warehouse.writeText(warehouse.record(record.runId()), record.toJson());
  }

  /** Every record, the newest first; runs that ended at the same time in the order of their ids. */
  public List<RunRecord> newestFirst() {
    var records = new ArrayList<RunRecord>();
    try {
      for (FileStatus status : warehouse.files().listStatus(warehouse.runs())) {
        String name = status.getPath().getName();
        if (name.endsWith(".json") && !name.startsWith(".")) {
          readable(name.substring(0, name.length() - ".json".length())).ifPresent(records::add);
        }
      }
    } catch (FileNotFoundException e) {
      return List.of();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    records.sort(
        Comparator.comparing(RunRecord::finishedAt).thenComparing(RunRecord::runId).reversed());
    return records;
  }

  /**
   * As {@link #find}, but a record that cannot be read is passed over with a warning: one broken
   * record must not hide all others.
   */
  public Optional<RunRecord> readable(String runId) {
    try {
      return read(runId);
    } catch (IllegalStateException e) {
      LoggerFactory.getLogger(RunRecords.class).warn("Passed over: {}", e.getMessage());
      return Optional.empty();
    }
  }

  /**
   * The run behind a reference: the one that it names, finished or published as it was, else the
   * newest finished one.
   *
   * @throws JobException where there is none with the table
   */
  public RunRecord of(TableRef.Named ref) {
    Optional<RunRecord> record =
        ref.runId().isPresent()
            ? find(ref.runId().get()).filter(run -> run.has(ref.table()))
            : newestWith(ref.table());
    return record.orElseThrow(() -> TableRef.missing(ref, this, warehouse));
  }

  /** The newest run that is done and has the table. */
  public Optional<RunRecord> newestWith(String table) {
    return newestFirst().stream().filter(record -> record.done() && record.has(table)).findFirst();
  }
}
