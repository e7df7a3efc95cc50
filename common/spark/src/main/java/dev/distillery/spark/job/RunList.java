package dev.distillery.spark.job;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.spark.job.DriverIdentity.State;
import dev.distillery.spark.warehouse.RunRecord;
import dev.distillery.spark.warehouse.RunRecords;
import dev.distillery.spark.warehouse.Warehouse;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;

/**
 * The runs of a warehouse, for a person. Two folders are listed, and of each run that is asked for
 * one record is read: how many files its tables or inputs have does not matter.
 */
public final class RunList {
  private final Warehouse warehouse;
  private final RunRecords records;
  private final DriverIdentity identity = DriverIdentity.ofThisProcess();

  public RunList(Warehouse warehouse) {
    this.warehouse = warehouse;
    this.records = new RunRecords(warehouse);
  }

  /** What can be said of a run; in the order of the constants. */
  public enum RunState {
    /** A driver works on it. */
    RUNNING,
    /** Its driver ended without a word; the same command goes on. */
    DIED,
    /** It stopped and may go on; see its message. */
    PARTIAL,
    FAILED,
    DONE
  }

  /**
   * One run.
   *
   * @param record how it ended, or how an earlier attempt at it did; empty where none has
   * @param driver process and host of the driver that works on it, or died
   */
  public record Entry(
      String runId, RunState state, Optional<RunRecord> record, Optional<String> driver) {}

  /**
   * All runs: those without a record first, then by the time of the record, the newest first. They
   * are read one by one as the stream is.
   */
  public Stream<Entry> newestFirst() {
    List<FileStatus> written = list(warehouse.runs());
    var recorded = new HashSet<String>();
    written.forEach(file -> runId(file).ifPresent(recorded::add));
    Set<String> held = new HashSet<>();
    list(warehouse.leases()).forEach(folder -> held.add(folder.getPath().getName()));
    Stream<Entry> begun =
        held.stream()
            .filter(id -> !recorded.contains(id))
            .sorted(Comparator.reverseOrder())
            .flatMap(id -> held(id, Optional.empty()).stream());
    Stream<Entry> ended =
        written.stream()
            .sorted(
                Comparator.comparing(FileStatus::getModificationTime)
                    .thenComparing(FileStatus::getPath)
                    .reversed())
            .flatMap(file -> runId(file).stream())
            .flatMap(id -> records.readable(id).stream())
            .map(record -> entry(record, held.contains(record.runId())));
    return Stream.concat(begun, ended);
  }

  private Entry entry(RunRecord record, boolean held) {
    Optional<Entry> now = held ? held(record.runId(), Optional.of(record)) : Optional.empty();
    RunState ended =
        switch (record.status()) {
          case "done" -> RunState.DONE;
          case "partial" -> RunState.PARTIAL;
          // Nobody holds it.
          case RunRecord.RUNNING -> RunState.DIED;
          default -> RunState.FAILED;
        };
    return now.orElseGet(
        () -> new Entry(record.runId(), ended, Optional.of(record), Optional.empty()));
  }

  /** The run as the mark of its driver tells it; empty where there is none. */
  private Optional<Entry> held(String runId, Optional<RunRecord> record) {
    return RunLease.find(warehouse, runId)
        .map(
            mark ->
                new Entry(
                    runId,
                    lives(runId, mark) ? RunState.RUNNING : RunState.DIED,
                    record,
                    Optional.of(RunLease.driver(mark))));
  }

  /** A driver elsewhere is taken for one that lives as long as its mark is new. */
  private boolean lives(String runId, JsonNode mark) {
    State state = identity.state(mark);
    return state == State.UNKNOWN
        ? list(warehouse.leases(runId)).stream()
            .map(file -> Duration.ofMillis(System.currentTimeMillis() - file.getModificationTime()))
            .anyMatch(age -> age.compareTo(RunLease.EXPIRY) < 0)
        : state == State.ALIVE;
  }

  private List<FileStatus> list(Path folder) {
    try {
      return Arrays.asList(warehouse.files().listStatus(folder));
    } catch (FileNotFoundException e) {
      return List.of();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Optional<String> runId(FileStatus file) {
    String name = Objects.requireNonNull(file.getPath().getName());
    return name.endsWith(".json") && !name.startsWith(".")
        ? Optional.of(name.substring(0, name.length() - ".json".length()))
        : Optional.empty();
  }
}
