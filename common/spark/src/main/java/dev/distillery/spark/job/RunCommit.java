package dev.distillery.spark.job;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.RunSummary;
import dev.distillery.core.run.Summary;
import dev.distillery.core.run.SummaryJson;
import dev.distillery.spark.license.Licenses;
import dev.distillery.spark.license.SourceLicense;
import dev.distillery.spark.warehouse.RunRecord;
import dev.distillery.spark.warehouse.RunRecords;
import java.io.UncheckedIOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import org.apache.hadoop.fs.Path;

/**
 * The last step of a run: tables are moved to where readers look, then the record is written. A run
 * that has failed leaves its record alone.
 */
final class RunCommit {
  private final JobRun run;
  private final Optional<RunLease> lease;
  private final Map<String, String> effective;
  private final Map<String, String> decisive;
  private final Clock clock;
  private final Instant start;
  private Optional<RunRecord> finished = Optional.empty();
  private final AtomicBoolean ended = new AtomicBoolean();

  /**
   * @param lease the right to the run id; empty in a dry run, which writes nothing
   * @param effective all options
   * @param decisive those that decide what is written
   */
  RunCommit(
      JobRun run,
      Optional<RunLease> lease,
      Map<String, String> effective,
      Map<String, String> decisive,
      Clock clock) {
    this.run = run;
    this.lease = lease;
    this.effective = effective;
    this.decisive = decisive;
    this.clock = clock;
    this.start = clock.instant();
  }

  /**
   * The run is finished and goes on, or is made again: only a new end takes the place of its record
   * and rows.
   */
  RunCommit replacing(RunRecord earlier) {
    finished = Optional.of(earlier);
    run.finishedBefore();
    return this;
  }

  private int generation() {
    return finished.map(earlier -> Math.max(1, earlier.generation()) + 1).orElse(1);
  }

  /**
   * Records what the run reads, before anything is made of it.
   *
   * @param earlier try, whose rows stay to be seen
   */
  void open(Optional<RunRecord> earlier) {
    RunRecord open =
        record(RunRecord.RUNNING, -1, "", "", JsonNodeFactory.instance.objectNode(), Map.of());
    new RunRecords(run.warehouse()).write(earlier.map(open::withTablesOf).orElse(open));
  }

  /**
   * Ends the run as its job says.
   *
   * @throws JobException with {@link ExitCode#TEMPORARY} where another driver has taken the id, or
   *     the warehouse does not take the tables
   */
  <S extends Summary> S end(Outcome<S> outcome) {
    if (!ended.compareAndSet(false, true)) {
      throw new IllegalStateException("The run " + run.id() + " has ended already");
    }
    S summary = SummaryJson.with(outcome.summary(), summary(outcome));
    if (lease.isPresent()) {
      try {
        lease.get().check();
        if (run.publishes(outcome)) {
          publish();
        }
        write(summary).filter(record -> record.generation() > 1).ifPresent(this::settle);
        if (outcome.exitCode() != ExitCode.DONE && !summary.tables().isEmpty()) {
          run.progress()
              .say(
                  "Published what there is, marked partial: "
                      + summary.tables().entrySet().stream()
                          .map(
                              t ->
                                  t.getKey()
                                      + "@"
                                      + run.id()
                                      + ", "
                                      + t.getValue().rows()
                                      + " rows")
                          .sorted()
                          .collect(Collectors.joining("; ")));
        }
      } catch (UncheckedIOException e) {
        throw recorded(
            new JobException(
                ExitCode.TEMPORARY,
                "The run could not be committed: " + e.getMessage() + "; give the run id again",
                e));
      }
    }
    return summary;
  }

  /**
   * Records that the run has failed, unless it is dry or has ended already; gives the failure back.
   */
  JobException failed(JobException failure) {
    return ended.compareAndSet(false, true) ? recorded(failure) : failure;
  }

  private JobException recorded(JobException failure) {
    if (lease.isPresent()) {
      try {
        // Another driver's run is none of ours to end, nor its staged rows to delete.
        lease.get().check();
        if (finished.isPresent()) {
          run.written()
              .keySet()
              .forEach(name -> run.warehouse().unpublish(name, run.id(), generation()));
        }
        write(RunSummary.failed(run.job(), run.id(), failure, seconds()));
      } catch (RuntimeException e) {
        failure.addSuppressed(e);
      }
    }
    return failure;
  }

  /** Moves the tables to where readers look; what a partial run showed and has no more goes. */
  private void publish() {
    if (finished.isEmpty()) {
      new RunRecords(run.warehouse())
          .find(run.id()).stream()
              .flatMap(earlier -> earlier.tables().keySet().stream())
              .filter(name -> !run.written().containsKey(name))
              .forEach(name -> run.warehouse().delete(run.warehouse().table(name, run.id())));
    }
    run.written().keySet().forEach(name -> run.warehouse().publish(name, run.id(), generation()));
  }

  /** The run is committed: what is left to do is left to a next time where it cannot be done. */
  private void settle(RunRecord record) {
    try {
      run.warehouse().settle(record);
    } catch (UncheckedIOException e) {
      run.progress()
          .say("The rows are committed and could not be moved to their place: " + e.getMessage());
    }
  }

  private RunSummary summary(Outcome<?> outcome) {
    Map<String, RunSummary.TableSummary> tables = new TreeMap<>();
    if (run.publishes(outcome)) {
      run.written()
          .forEach(
              (name, table) ->
                  tables.put(
                      name,
                      new RunSummary.TableSummary(
                          run.warehouse().table(name, run.id()).toString(), table.rows())));
    }
    return new RunSummary(
        run.job(),
        run.id(),
        run.dryRun() ? "dry-run" : outcome.exitCode().status(),
        outcome.exitCode(),
        outcome.message(),
        tables,
        outcome.rows().map(RowAccount::rejects).orElse(Map.of()),
        outcome.rows().map(RowAccount::unit).orElse(""),
        seconds());
  }

  private double seconds() {
    return Duration.between(start, clock.instant()).toMillis() / 1000.0;
  }

  /** Writes the run's record; a finished run stays finished. */
  private Optional<RunRecord> write(Summary summary) {
    run.warehouse().delete(run.warehouse().staging(run.id()));
    var records = new RunRecords(run.warehouse());
    Optional<RunRecord> earlier = records.find(run.id());
    boolean done = earlier.filter(RunRecord::done).isPresent();
    if (done && finished.isPresent() && summary.run().exitCode() != ExitCode.DONE) {
      return Optional.empty();
    }
    if (done && finished.isEmpty()) {
      throw new JobException(
          ExitCode.TEMPORARY,
          "Another driver has finished the run "
              + run.id()
              + "; run the same command again to see it");
    }
    RunRecord record = record(summary);
    // What an earlier attempt has shown stays until one has more to show.
    boolean shows = summary.run().exitCode() == ExitCode.DONE || !record.tables().isEmpty();
    RunRecord written = shows ? record : earlier.map(record::withTablesOf).orElse(record);
    records.write(written);
    if (written.done()) {
      run.warehouse().delete(run.warehouse().work(run.id()));
    }
    return Optional.of(written);
  }

  private RunRecord record(Summary summary) {
    RunSummary ending = summary.run();
    return record(
        ending.status(),
        ending.exitCode().code(),
        ending.message(),
        clock.instant().toString(),
        summary.toJson(),
        summary.tables());
  }

  private RunRecord record(
      String status,
      int exitCode,
      String message,
      String finishedAt,
      JsonNode summary,
      Map<String, ?> published) {
    Map<String, RunRecord.WrittenTable> tables = new TreeMap<>();
    Map<String, Map<String, Long>> licenses = new TreeMap<>();
    List<RunRecord.Origin> origins = new ArrayList<>();
    for (String name : new TreeSet<>(published.keySet())) {
      StagedTable written = Objects.requireNonNull(run.written().get(name));
      tables.put(name, table(name, written));
      if (!written.origins().isEmpty()) {
        licenses.put(name, written.licenses());
        written.origins().forEach((origin, rows) -> origins.add(origin(name, origin, rows)));
      }
    }
    return new RunRecord(
        RunRecord.VERSION,
        run.job(),
        run.id(),
        status,
        exitCode,
        message,
        start.toString(),
        finishedAt,
        summary,
        tables,
        licenses,
        origins,
        run.inputs(),
        new TreeMap<>(run.provenance()),
        effective,
        decisive,
        new TreeMap<>(
            Map.of(
                "distillery", version(),
                "spark", org.apache.spark.package$.MODULE$.SPARK_VERSION(),
                "java", Runtime.version().toString())),
        run.hasSpark() ? run.spark().sparkContext().applicationId() : "",
        generation());
  }

  /** What is known of the terms that rows stand under, for whoever passes them on. */
  private static RunRecord.Origin origin(String table, StagedTable.Origin origin, long rows) {
    Optional<SourceLicense> known = Licenses.of(origin.source());
    return new RunRecord.Origin(
        table,
        origin.source(),
        origin.license(),
        rows,
        known.map(SourceLicense::terms).orElse(null),
        known.map(SourceLicense::url).orElse(null),
        known.map(license -> lower(license.attribution())).orElse(null),
        known.map(license -> lower(license.commercialUse())).orElse(null),
        known.map(SourceLicense::providerTerms).orElse(null));
  }

  private static String lower(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }

  private RunRecord.WrittenTable table(String name, StagedTable written) {
    Path folder = run.warehouse().table(name, run.id());
    List<RunRecord.WrittenFile> files =
        run.warehouse().parquetFiles(run.warehouse().table(name, run.id(), generation())).stream()
            .map(file -> new RunRecord.WrittenFile(file.getPath().getName(), file.getLen()))
            .toList();
    return new RunRecord.WrittenTable(
        folder.toString(),
        written.rows(),
        files,
        files.stream().mapToLong(RunRecord.WrittenFile::bytes).sum(),
        written.schema().toDDL());
  }

  /**
   * The version of the jar that holds this class; {@code development} where it is run from class
   * files.
   */
  static String version() {
    String version = RunCommit.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }
}
