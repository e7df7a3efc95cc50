package dev.distillery.spark.job;

import static org.apache.spark.sql.functions.col;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.JobSummary;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.Progress;
import dev.distillery.core.run.RunId;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.RunOptions.Use;
import dev.distillery.spark.license.UsePolicy;
import dev.distillery.spark.warehouse.RunRecord;
import dev.distillery.spark.warehouse.RunRecords;
import dev.distillery.spark.warehouse.Table;
import dev.distillery.spark.warehouse.TableReader;
import dev.distillery.spark.warehouse.TableRef;
import dev.distillery.spark.warehouse.Warehouse;
import java.io.UncheckedIOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.plans.logical.Repartition;
import org.apache.spark.sql.execution.SparkPlan;
import org.apache.spark.sql.execution.adaptive.AdaptiveSparkPlanExec;
import org.jspecify.annotations.Nullable;

/**
 * One run of one job, from the check of its id to the commit of its tables.
 *
 * <p>{@link #execute} is what every job's {@code run} calls. Inside, the job reads through {@link
 * #input}, writes through {@link #write}, and returns an {@link Outcome}. Rows become visible when
 * the outcome is done, all tables together, and the record is written last.
 */
public final class JobRun {

  /** A job's own part of a run. */
  @FunctionalInterface
  public interface Body {
    Outcome run(JobRun run) throws Exception;
  }

  private static final Pattern TABLE_NAME = Pattern.compile("[A-Za-z][A-Za-z0-9_]{0,63}");

  /** So many files of a table, of any size, are no burden to a reader. */
  private static final int FEW_PARTITIONS = 8;

  private final SparkSession spark;
  private final Warehouse warehouse;
  private final String job;
  private final String id;
  private final boolean dryRun;
  private final boolean resumed;
  private final Optional<Use> use;
  private final Progress progress;
  private final Map<String, StagedTable> written = new LinkedHashMap<>();
  private @Nullable RunLease lease;
  private final List<ObjectNode> inputs = new ArrayList<>();
  private final Map<String, String> provenance = new LinkedHashMap<>();

  private JobRun(
      SparkSession spark,
      Warehouse warehouse,
      String job,
      String id,
      boolean dryRun,
      boolean resumed,
      Optional<Use> use,
      Progress progress) {
    this.spark = spark;
    this.warehouse = warehouse;
    this.job = job;
    this.id = id;
    this.dryRun = dryRun;
    this.resumed = resumed;
    this.use = use;
    this.progress = progress;
  }

  /**
   * Runs a job's body under a run id.
   *
   * @return the summary; where the id's run is done already with the same options, the one it ended
   *     with
   * @throws JobException with {@link ExitCode#INVALID} where the id belongs to another job or to
   *     other options, with {@link ExitCode#TEMPORARY} where another driver works on it, and what
   *     the body throws
   */
  public static <O extends Record> JobSummary execute(
      SparkSession spark, Job<O> job, O options, Body body) {
    return execute(spark, job, options, Clock.systemUTC(), body);
  }

  /** As {@link #execute(SparkSession, Job, Record, Body)}, by a given clock. */
  static <O extends Record> JobSummary execute(
      SparkSession spark, Job<O> job, O options, Clock clock, Body body) {
    RunOptions common = job.runOptions(options);
    Warehouse warehouse =
        Warehouse.at(common.warehouse(), spark.sparkContext().hadoopConfiguration());
    String id = common.runId().orElseGet(() -> RunId.create(clock));
    var binder = OptionsBinder.of(job.optionsType());
    var decisive = new TreeMap<>(binder.decisive(options));
    decisive.putAll(job.contents(options, warehouse.hadoop()));
    Progress progress = Progress.onStandardError(job.name());
    if (common.dryRun()) {
      var run = new JobRun(spark, warehouse, job.name(), id, true, false, common.use(), progress);
      return run.perform(body, clock, binder.effective(options), decisive);
    }

    Optional<RunRecord> earlier = new RunRecords(warehouse).find(id);
    earlier.ifPresent(record -> RunIdentity.check(record, job.name(), decisive, warehouse));
    if (earlier.filter(RunRecord::done).isPresent()) {
      progress.say("The run " + id + " is done already");
      return RunIdentity.storedSummary(earlier.get());
    }
    if (earlier.isEmpty()) {
      RunIdentity.checkAbandoned(warehouse, id, decisive);
    }
    try (RunLease lease = RunLease.take(warehouse, id, decisive, progress::say)) {
      // Another driver may have worked on the run between the look at its record and the lease.
      earlier = new RunRecords(warehouse).find(id);
      earlier.ifPresent(record -> RunIdentity.check(record, job.name(), decisive, warehouse));
      if (earlier.filter(RunRecord::done).isPresent()) {
        progress.say("The run " + id + " is done already");
        return RunIdentity.storedSummary(earlier.get());
      }
      SharedStorage.check(spark, warehouse);
      boolean resumed = earlier.isPresent() || RunIdentity.hasLedger(warehouse, id);
      warehouse.files().delete(warehouse.staging(id), true);
      var run =
          new JobRun(spark, warehouse, job.name(), id, false, resumed, common.use(), progress);
      run.note("driver", lease.driver());
      run.lease = lease;
      return run.perform(body, clock, binder.effective(options), decisive);
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  public SparkSession spark() {
    return spark;
  }

  public Warehouse warehouse() {
    return warehouse;
  }

  public String id() {
    return id;
  }

  public Progress progress() {
    return progress;
  }

  /** Whether nothing may be written: the body returns figures of the plan. */
  public boolean dryRun() {
    return dryRun;
  }

  /**
   * Whether the run is surely this driver's: where not, nothing may be bought for it. Asks nobody.
   */
  public boolean isSurelyOurs() {
    return lease == null || lease.sure();
  }

  /** Whether an earlier driver left something under this id. */
  public boolean resumed() {
    return resumed;
  }

  /**
   * Reads a table, and notes in the run's record what was read.
   *
   * @throws JobException where {@code --use} forbids some of the rows
   */
  public Dataset<Row> input(String ref, Table table) {
    Dataset<Row> rows = inputOfAnyLicense(ref, table);
    if (use.isPresent() && UsePolicy.canJudge(table)) {
      Map<String, Long> reasons = new UsePolicy(use.get()).judge(rows).reasons();
      if (!reasons.isEmpty()) {
        throw JobException.invalid(
            "Rows of "
                + ref
                + " may not be used with --use "
                + use.get().name().toLowerCase(Locale.ROOT)
                + ": "
                + reasons.entrySet().stream()
                    .map(reason -> reason.getValue() + " rows: " + reason.getKey())
                    .collect(Collectors.joining("; "))
                + "; take them out by the job curate with the same --use");
      }
    }
    return rows;
  }

  /** As {@link #input}, for a job that parts the rows by {@link #use} itself. */
  public Dataset<Row> inputOfAnyLicense(String ref, Table table) {
    TableReader.Input input =
        new TableReader(spark, warehouse, progress::say).read(TableRef.parse(ref), table);
    inputs.add(input.provenance());
    return input.rows();
  }

  /** Notes a fact for the run's record: a model's identity, a file's hash. */
  public void note(String name, String value) {
    provenance.put(name, value);
  }

  /**
   * Stages rows of a table; they become visible when the run is done.
   *
   * @param rows in the table's columns; may have further ones behind them
   * @return how many rows were written
   */
  public long write(Table table, Dataset<Row> rows) {
    return write(table, table.name(), rows);
  }

  /** As {@link #write(Table, Dataset)}, under another name than the table's own. */
  public long write(Table table, String name, Dataset<Row> rows) {
    if (dryRun) {
      throw new IllegalStateException("A dry run of " + job + " wrote the table " + name);
    }
    if (!TABLE_NAME.matcher(name).matches()) {
      throw JobException.invalid(
          "'" + name + "' is no table's name: a letter, then letters, digits and underscores");
    }
    if (written.containsKey(name)) {
      throw JobException.invalid(
          "This run writes the table '"
              + name
              + "' for another purpose too, and one would replace the other: give another"
              + " --output-table");
    }
    Path folder = warehouse.staging(name, id);
    Dataset<Row> sized = withComments(table, sizedForReaders(rows));
    phase(
        "Write " + name,
        () -> {
          sized
              .write()
              .mode(SaveMode.Overwrite)
              .option("compression", "zstd")
              .option("mapreduce.fileoutputcommitter.marksuccessfuljobs", "false")
              .parquet(folder.toString());
          return folder;
        });
    StagedTable staged = StagedTable.read(spark, warehouse, folder, table, sized.schema());
    written.put(name, staged);
    return staged.rows();
  }

  /** What {@link #write} staged, for reading back. */
  public Dataset<Row> staged(String name) {
    return spark.read().parquet(warehouse.staging(name, id).toString());
  }

  /** Names a phase in Spark's own pages while it runs. */
  public <T> T phase(String description, Supplier<T> work) {
    spark.sparkContext().setJobGroup(id, job + " " + id + ": " + description, false);
    try {
      return work.get();
    } finally {
      spark.sparkContext().clearJobGroup();
    }
  }

  /**
   * Lets Spark gather rows into files of the size that readers like. A few partitions stay as they
   * are, and in their order, and so do those that a job has coalesced: that saves a shuffle.
   */
  private static Dataset<Row> sizedForReaders(Dataset<Row> rows) {
    if (rows.queryExecution().optimizedPlan() instanceof Repartition sized && !sized.shuffle()) {
      return rows;
    }
    SparkPlan plan = rows.queryExecution().executedPlan();
    // The number of an adaptive plan's partitions is known once it has run; only one is sure.
    boolean few =
        plan instanceof AdaptiveSparkPlanExec
            ? plan.outputPartitioning().numPartitions() == 1
            : rows.rdd().getNumPartitions() <= FEW_PARTITIONS;
    return few ? rows : rows.hint("rebalance");
  }

  private static Dataset<Row> withComments(Table table, Dataset<Row> rows) {
    var columns = new ArrayList<Column>();
    List<String> known = List.of(table.schema().fieldNames());
    for (var field : table.schema().fields()) {
      columns.add(col(field.name()).cast(field.dataType()).as(field.name(), field.metadata()));
    }
    for (String name : rows.columns()) {
      if (!known.contains(name)) {
        columns.add(col("`" + name + "`"));
      }
    }
    return rows.select(columns.toArray(Column[]::new));
  }

  private JobSummary perform(
      Body body, Clock clock, Map<String, String> effective, Map<String, String> decisive) {
    Instant start = clock.instant();
    Outcome outcome;
    try {
      outcome = body.run(this);
    } catch (JobException e) {
      recordFailure(e, start, clock, effective, decisive);
      throw e;
    } catch (Exception e) {
      var unexpected =
          new JobException(
              ExitCode.UNEXPECTED, e.getClass().getSimpleName() + ": " + e.getMessage(), e);
      recordFailure(unexpected, start, clock, effective, decisive);
      throw unexpected;
    } catch (OutOfMemoryError e) {
      var exhausted =
          new JobException(
              ExitCode.UNEXPECTED,
              "The driver is out of memory ("
                  + e.getMessage()
                  + "); give it more:"
                  + " -- --driver-memory 8g",
              e);
      recordFailure(exhausted, start, clock, effective, decisive);
      throw exhausted;
    }
    boolean done = outcome.exitCode() == ExitCode.DONE;
    Map<String, JobSummary.TableSummary> tables = new TreeMap<>();
    if (done) {
      written.forEach(
          (name, table) ->
              tables.put(
                  name,
                  new JobSummary.TableSummary(warehouse.table(name, id).toString(), table.rows())));
    }
    var members = new LinkedHashMap<>(outcome.figures().members());
    if (!outcome.message().isEmpty()) {
      members.put("message", outcome.message());
      members.put("exit_code", outcome.exitCode().code());
    }
    var summary =
        new JobSummary(
            job,
            id,
            dryRun ? "dry-run" : outcome.exitCode().status(),
            tables,
            outcome.figures().rejects(),
            outcome.figures().figures(),
            members,
            Duration.between(start, clock.instant()).toMillis() / 1000.0);
    if (!dryRun) {
      try {
        commit(summary, outcome, start, clock, effective, decisive);
      } catch (UncheckedIOException e) {
        var failure =
            new JobException(
                ExitCode.TEMPORARY,
                "The run could not be committed: " + e.getMessage() + "; give the run id again",
                e);
        recordFailure(failure, start, clock, effective, decisive);
        throw failure;
      }
    }
    return summary;
  }

  private void commit(
      JobSummary summary,
      Outcome outcome,
      Instant start,
      Clock clock,
      Map<String, String> effective,
      Map<String, String> decisive) {
    Objects.requireNonNull(lease).check();
    if (outcome.exitCode() == ExitCode.DONE) {
      RunCommit.publish(warehouse, id, written.keySet());
    }
    warehouse.delete(warehouse.staging(id));
    write(
        RunCommit.record(
            this,
            summary,
            outcome.exitCode(),
            outcome.message(),
            start,
            clock.instant(),
            effective,
            decisive));
  }

  private void recordFailure(
      JobException failure,
      Instant start,
      Clock clock,
      Map<String, String> effective,
      Map<String, String> decisive) {
    if (dryRun) {
      return;
    }
    var summary =
        new JobSummary(
            job,
            id,
            failure.exitCode().status(),
            Map.of(),
            Map.of(),
            Map.of(),
            Map.of(
                "message",
                String.valueOf(failure.getMessage()),
                "exit_code",
                failure.exitCode().code()),
            Duration.between(start, clock.instant()).toMillis() / 1000.0);
    try {
      // Another driver's run is none of ours to end, nor its staged rows to delete.
      Objects.requireNonNull(lease).check();
      warehouse.delete(warehouse.staging(id));
      write(
          RunCommit.record(
              this,
              summary,
              failure.exitCode(),
              String.valueOf(failure.getMessage()),
              start,
              clock.instant(),
              effective,
              decisive));
    } catch (RuntimeException e) {
      failure.addSuppressed(e);
    }
  }

  /** Writes the run's record; a finished run stays finished. */
  private void write(ObjectNode record) {
    if (new RunRecords(warehouse).find(id).filter(RunRecord::done).isPresent()) {
      throw new JobException(
          ExitCode.TEMPORARY,
          "Another driver has finished the run " + id + "; run the same command again to see it");
    }
    warehouse.writeText(warehouse.record(id), record.toPrettyString() + "\n");
  }

  List<ObjectNode> inputs() {
    return List.copyOf(inputs);
  }

  Map<String, String> provenance() {
    return Map.copyOf(provenance);
  }

  Map<String, StagedTable> written() {
    return Map.copyOf(written);
  }
}
