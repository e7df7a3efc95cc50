package dev.distillery.spark.job;

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
  private boolean goesOn;

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

  /** The run is finished and goes on: only a new end takes the place of its record. */
  RunCommit goingOn() {
    goesOn = true;
    run.finishedBefore();
    return this;
  }

  /**
   * Ends the run as its job says.
   *
   * @throws JobException with {@link ExitCode#TEMPORARY} where another driver has taken the id, or
   *     the warehouse does not take the tables
   */
  <S extends Summary> S end(Outcome<S> outcome) {
    S summary = SummaryJson.with(outcome.summary(), summary(outcome));
    if (lease.isPresent()) {
      try {
        lease.get().check();
        if (run.publishes(outcome)) {
          publish();
        }
        write(summary);
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
        throw failed(
            new JobException(
                ExitCode.TEMPORARY,
                "The run could not be committed: " + e.getMessage() + "; give the run id again",
                e));
      }
    }
    return summary;
  }

  /** Records that the run has failed, unless it is dry; gives the failure back. */
  JobException failed(JobException failure) {
    if (lease.isPresent()) {
      try {
        // Another driver's run is none of ours to end, nor its staged rows to delete.
        lease.get().check();
        write(RunSummary.failed(run.job(), run.id(), failure, seconds()));
      } catch (RuntimeException e) {
        failure.addSuppressed(e);
      }
    }
    return failure;
  }

  /** Moves the tables to where readers look; what the run showed before and has no more goes. */
  private void publish() {
    new RunRecords(run.warehouse())
        .find(run.id()).stream()
            .flatMap(earlier -> earlier.tables().keySet().stream())
            .filter(name -> !run.written().containsKey(name))
            .forEach(name -> run.warehouse().delete(run.warehouse().table(name, run.id())));
    run.written().keySet().forEach(name -> run.warehouse().publish(name, run.id()));
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
  private void write(Summary summary) {
    run.warehouse().delete(run.warehouse().staging(run.id()));
    var records = new RunRecords(run.warehouse());
    Optional<RunRecord> earlier = records.find(run.id());
    boolean finished = earlier.filter(RunRecord::done).isPresent();
    if (finished && goesOn && summary.run().exitCode() != ExitCode.DONE) {
      return;
    }
    if (finished && !goesOn) {
      throw new JobException(
          ExitCode.TEMPORARY,
          "Another driver has finished the run "
              + run.id()
              + "; run the same command again to see it");
    }
    RunRecord record = record(summary);
    // What an earlier attempt has shown stays until one has more to show.
    boolean shows = summary.run().exitCode() == ExitCode.DONE || !record.tables().isEmpty();
    records.write(shows ? record : earlier.map(record::withTablesOf).orElse(record));
  }

  private RunRecord record(Summary summary) {
    Map<String, RunRecord.WrittenTable> tables = new TreeMap<>();
    Map<String, Map<String, Long>> licenses = new TreeMap<>();
    List<RunRecord.Origin> origins = new ArrayList<>();
    for (String name : new TreeSet<>(summary.tables().keySet())) {
      StagedTable written = Objects.requireNonNull(run.written().get(name));
      tables.put(name, table(name, written));
      if (!written.origins().isEmpty()) {
        licenses.put(name, written.licenses());
        written.origins().forEach((origin, rows) -> origins.add(origin(name, origin, rows)));
      }
    }
    RunSummary ending = summary.run();
    return new RunRecord(
        RunRecord.VERSION,
        ending.job(),
        ending.runId(),
        ending.status(),
        ending.exitCode().code(),
        ending.message(),
        start.toString(),
        clock.instant().toString(),
        summary.toJson(),
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
        run.hasSpark() ? run.spark().sparkContext().applicationId() : "");
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
        run.warehouse().parquetFiles(folder).stream()
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
