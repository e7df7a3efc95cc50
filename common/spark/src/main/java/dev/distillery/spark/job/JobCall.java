package dev.distillery.spark.job;

import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.Progress;
import dev.distillery.core.run.ProgressListener;
import dev.distillery.core.run.RunId;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.Summary;
import dev.distillery.core.run.SummaryJson;
import dev.distillery.spark.warehouse.PinnedInput;
import dev.distillery.spark.warehouse.RunRecord;
import dev.distillery.spark.warehouse.RunRecords;
import dev.distillery.spark.warehouse.TableRef;
import dev.distillery.spark.warehouse.Warehouse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Clock;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.apache.spark.SparkContext;
import org.apache.spark.deploy.SparkHadoopUtil;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;

/**
 * A job with options that have passed every check that needs no Spark. What every run must pass
 * stands here and in {@link RunCommit}, so that no job can forget it: the checks, the run id, the
 * caller's job group, the sum of rows, the record.
 *
 * @param <O> the job's options
 * @param <S> its summary
 */
public final class JobCall<O extends Record, S extends Summary> {
  private final Job<O, S> job;
  private final O options;

  private JobCall(Job<O, S> job, O options) {
    this.job = job;
    this.options = options;
  }

  /**
   * Checks options, and the files that they name.
   *
   * @throws JobException with all that is wrong
   */
  public static <O extends Record, S extends Summary> JobCall<O, S> of(Job<O, S> job, O options) {
    OptionsBinder.of(job.optionsType()).check(options);
    job.check(options);
    return new JobCall<>(job, job.settled(options));
  }

  /**
   * Looks, without Spark, that what the options name to be read is there.
   *
   * @throws JobException with all that is not
   */
  public void lookForInputs() {
    lookForInputs(job, options, ref -> true);
  }

  /**
   * As {@link #lookForInputs()}, for some of what options name that are not checked yet.
   *
   * @param wanted which: others may have yet to be made
   */
  public static <O extends Record> void lookForInputs(
      Job<O, ?> job, O options, Predicate<TableRef> wanted) {
    var unused =
        RunInputs.find(
            job.inputs(options).stream().filter(wanted).toList(),
            Map.of(),
            warehouse(job, options));
  }

  private static <O extends Record> Warehouse warehouse(Job<O, ?> job, O options) {
    return Warehouse.at(job.runOptions(options).warehouse(), SparkHadoopUtil.get().conf());
  }

  /**
   * The summary that the run of these options' id ended with, where it is done and nothing asks it
   * to go on. Needs no Spark.
   *
   * @throws JobException where it is done with other options or inputs, and {@code --overwrite}
   *     does not say that it is to be made again
   */
  public Optional<S> ended() {
    RunOptions common = job.runOptions(options);
    Warehouse warehouse = warehouse(job, options);
    Optional<RunRecord> done =
        common.runId().flatMap(new RunRecords(warehouse)::find).filter(RunRecord::done);
    if (done.isEmpty()) {
      return Optional.empty();
    }
    RunIdentity.checkJob(done.get(), job.name());
    var binder = OptionsBinder.of(job.optionsType());
    try {
      identity(binder, decisive(binder, warehouse)).check(done.get(), warehouse);
    } catch (JobException e) {
      if (common.overwrite()) {
        return Optional.empty();
      }
      throw e;
    }
    return binder.larger(options, done.get().options()).isEmpty()
        ? Optional.of(SummaryJson.read(job.summaryType(), done.get().summary()))
        : Optional.empty();
  }

  private Map<String, String> decisive(OptionsBinder<O> binder, Warehouse warehouse) {
    var decisive = new TreeMap<>(binder.decisive(options));
    decisive.putAll(job.contents(options, warehouse.hadoop()));
    return decisive;
  }

  private RunIdentity identity(OptionsBinder<O> binder, Map<String, String> decisive) {
    return new RunIdentity(recorded -> job.settled(binder.decisiveOf(recorded)), decisive);
  }

  /** Runs the job; see {@link Job#run}. */
  public S run(SparkSession spark, ProgressListener listener) {
    return perform(spark, listener, ProcessStop.PROCESS);
  }

  /** As above, in a process that is told to end in its own way. */
  S run(SparkSession spark, ProgressListener listener, ProcessStop process) {
    return perform(spark, listener, process);
  }

  /** Runs a job that needs no Spark, without it. */
  public S run(ProgressListener listener) {
    if (job.needsSpark()) {
      throw new IllegalArgumentException("The job " + job.name() + " needs a Spark session");
    }
    return perform(null, listener, ProcessStop.PROCESS);
  }

  private S perform(@Nullable SparkSession spark, ProgressListener listener, ProcessStop process) {
    RunOptions common = job.runOptions(options);
    Clock clock = Clock.systemUTC();
    String id = common.runId().orElseGet(() -> RunId.create(clock));
    try (RunStop stop =
        RunStop.of(
            process,
            id,
            common.grace().map(Duration::ofSeconds).orElse(job.grace()),
            common.exitOnSignal().map(ExitCode::of),
            spark == null ? () -> {} : () -> breakOff(spark.sparkContext()))) {
      try {
        return perform(spark, listener, id, stop);
      } catch (RuntimeException e) {
        throw failure(stop, e);
      }
    }
  }

  private S perform(
      @Nullable SparkSession spark, ProgressListener listener, String id, RunStop stop) {
    RunOptions common = job.runOptions(options);
    Clock clock = Clock.systemUTC();
    Warehouse warehouse =
        Warehouse.at(
            common.warehouse(),
            spark == null
                ? SparkHadoopUtil.get().conf()
                : spark.sparkContext().hadoopConfiguration());
    var binder = OptionsBinder.of(job.optionsType());
    Map<String, String> effective = binder.effective(options);
    Map<String, String> decisive = decisive(binder, warehouse);
    RunIdentity identity = identity(binder, decisive);
    var run =
        new JobRun(
            spark, warehouse, job.name(), id, common, stop, new Progress(job.name(), listener));
    run.decidedBy(decisive);
    if (common.dryRun()) {
      Optional<RunRecord> before = new RunRecords(warehouse).find(id);
      RunTrial.check(run, before, identity);
      endedAlready(before, run);
      run.began(day(before, common, clock));
      run.pin(RunInputs.find(job.inputs(options), pins(before, common), warehouse));
      return perform(run, new RunCommit(run, Optional.empty(), effective, decisive, clock));
    }

    Optional<RunRecord> earlier = lookUp(run, identity);
    if (endedAlready(earlier, run)) {
      return SummaryJson.read(job.summaryType(), earlier.get().summary());
    }
    if (earlier.isEmpty() && !common.overwrite()) {
      identity.checkAbandoned(warehouse, id);
    }
    // Before the lease: whoever is refused here leaves no mark.
    Map<TableRef, String> pins = pins(earlier, common);
    Map<TableRef, PinnedInput> inputs = RunInputs.find(job.inputs(options), pins, warehouse);
    try (RunLease lease = take(run, decisive)) {
      // Another driver may have worked on the run between the look at its record and the lease.
      earlier = lookUp(run, identity);
      if (endedAlready(earlier, run)) {
        return SummaryJson.read(job.summaryType(), earlier.get().summary());
      }
      if (spark != null) {
        SharedStorage.check(spark, warehouse);
      }
      warehouse.files().delete(warehouse.staging(id), true);
      run.note("driver", lease.driver());
      run.began(day(earlier, common, clock));
      run.holds(lease);
      // Looked for again only where another driver has pinned others: lists may be long.
      Map<TableRef, String> now = pins(earlier, common);
      run.pin(now.equals(pins) ? inputs : RunInputs.find(job.inputs(options), now, warehouse));
      var commit = new RunCommit(run, Optional.of(lease), effective, decisive, clock);
      if (earlier.filter(RunRecord::done).isPresent()) {
        commit.replacing(earlier.get());
      } else if (earlier.isEmpty() || common.overwrite() || !RunIdentity.hasLedger(warehouse, id)) {
        // Else the record has what it read, and more.
        commit.open(earlier);
      }
      return perform(run, commit);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The record of an earlier try, where this call may follow it. */
  private Optional<RunRecord> lookUp(JobRun run, RunIdentity identity) {
    Optional<RunRecord> earlier = new RunRecords(run.warehouse()).find(run.id());
    if (earlier.isPresent()) {
      RunIdentity.checkJob(earlier.get(), job.name());
      if (!run.overwrites()) {
        identity.check(earlier.get(), run.warehouse());
      }
    }
    return earlier;
  }

  /** What the earlier try has read, where this one is to read the same. */
  private static Map<TableRef, String> pins(Optional<RunRecord> earlier, RunOptions common) {
    return common.overwrite() ? Map.of() : earlier.map(RunInputs::pins).orElse(Map.of());
  }

  /** The day of the run's first try. */
  private static LocalDate day(Optional<RunRecord> earlier, RunOptions common, Clock clock) {
    return earlier
        .filter(record -> !common.overwrite())
        .map(record -> record.provenance().get(JobRun.DAY))
        .map(LocalDate::parse)
        .orElseGet(() -> LocalDate.ofInstant(clock.instant(), ZoneOffset.UTC));
  }

  /** Whether the run is done and nothing asks it to go on; says so. */
  private boolean endedAlready(Optional<RunRecord> earlier, JobRun run) {
    if (earlier.filter(RunRecord::done).isEmpty()) {
      return false;
    }
    if (run.overwrites()) {
      run.progress().say("The run " + run.id() + " is done and is made again: --overwrite");
      return false;
    }
    List<String> larger =
        OptionsBinder.of(job.optionsType()).larger(options, earlier.get().options());
    run.progress()
        .say(
            "The run "
                + run.id()
                + (larger.isEmpty() ? " is done already" : " is done and goes on: " + larger));
    RunInputs.newer(earlier.get(), run.warehouse()).forEach(run.progress()::say);
    return larger.isEmpty();
  }

  private S perform(JobRun run, RunCommit commit) {
    if (!run.hasSpark()) {
      return outcome(run, commit);
    }
    String description = job.name() + " " + run.id();
    try (var label = SparkLabel.of(run.spark().sparkContext(), run.id(), description)) {
      return outcome(run, commit);
    }
  }

  private static void breakOff(SparkContext context) {
    // Every task that is killed would say so, with a stack.
    context.setLogLevel("FATAL");
    context.cancelAllJobs();
  }

  private static RunLease take(JobRun run, Map<String, String> decisive) {
    try (var wait = run.stop().breakable()) {
      return RunLease.take(run.warehouse(), run.id(), decisive, run.progress()::say);
    }
  }

  private S outcome(JobRun run, RunCommit commit) {
    Outcome<S> outcome;
    run.stop().lastWords(() -> commit.failed(stopped(run.stop())));
    try {
      outcome = run.withUnreadable(perform(run));
      run.check(outcome);
    } catch (Exception e) {
      throw commit.failed(failure(run.stop(), e));
    } catch (OutOfMemoryError e) {
      throw commit.failed(
          new JobException(
              ExitCode.UNEXPECTED,
              "The driver is out of memory ("
                  + e.getMessage()
                  + "); give it more: -- --driver-memory 8g"));
    }
    return commit.end(outcome);
  }

  private Outcome<S> perform(JobRun run) throws Exception {
    RunStop stop = run.stop();
    Outcome<S> outcome;
    try (var part = stop.breakable()) {
      outcome = job.perform(run, options);
    }
    return stop.requested() && outcome.exitCode() == ExitCode.TEMPORARY
        ? outcome.endingWith(stop.exitCode())
        : outcome;
  }

  /** What a run says that ended so. */
  private static JobException failure(RunStop stop, Exception cause) {
    // What a task says to the user comes wrapped in Spark's own words.
    JobException failure =
        JobException.within(cause)
            .or(() -> Troubles.in(cause))
            .orElseGet(
                () ->
                    new JobException(
                        ExitCode.UNEXPECTED,
                        cause.getClass().getSimpleName() + ": " + cause.getMessage(),
                        cause));
    // What failed once the run was broken off failed for that, whatever it says.
    boolean forThat =
        stop.brokenOff()
            || (stop.requested()
                && (failure.exitCode() == ExitCode.UNEXPECTED
                    || failure.exitCode() == ExitCode.TEMPORARY));
    return forThat ? stopped(stop) : failure;
  }

  private static JobException stopped(RunStop stop) {
    return new JobException(
        stop.exitCode(),
        stop.words()
            + " before it was done: nothing of it is published, and what its ledger or its"
            + " checkpoints keep stays; give the run id "
            + stop.runId()
            + " again to go on");
  }
}
