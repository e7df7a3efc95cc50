package dev.distillery.spark.job;

import static dev.distillery.spark.warehouse.Columns.named;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.to_json;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Progress;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.RunOptions.Use;
import dev.distillery.core.run.RunSummary;
import dev.distillery.core.run.Summary;
import dev.distillery.spark.license.UsePolicy;
import dev.distillery.spark.warehouse.PathNames;
import dev.distillery.spark.warehouse.PinnedInput;
import dev.distillery.spark.warehouse.RunRecord;
import dev.distillery.spark.warehouse.StableIds;
import dev.distillery.spark.warehouse.Table;
import dev.distillery.spark.warehouse.TableReader;
import dev.distillery.spark.warehouse.TableRef;
import dev.distillery.spark.warehouse.Tables;
import dev.distillery.spark.warehouse.UnreadableRows;
import dev.distillery.spark.warehouse.Warehouse;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.plans.logical.Repartition;
import org.apache.spark.sql.execution.SparkPlan;
import org.apache.spark.sql.execution.adaptive.AdaptiveSparkPlanExec;
import org.apache.spark.sql.functions;
import org.jspecify.annotations.Nullable;

/**
 * One run of one job, as the job sees it: it reads through {@link #inputs}, writes through {@link
 * #write} and {@link #reject}, and returns an {@link Outcome}. Rows become visible when the outcome
 * is done, all tables together, and the record is written last.
 */
public final class JobRun {

  /** So many files of a table, of any size, are no burden to a reader. */
  private static final int FEW_PARTITIONS = 8;

  /** Where the run's record says of which day it is. */
  static final String DAY = "day";

  private final @Nullable SparkSession spark;
  private final Warehouse warehouse;
  private final String job;
  private final String id;
  private final RunOptions options;
  private final RunStop stop;
  private final Progress progress;
  private final Map<String, StagedTable> written = new LinkedHashMap<>();
  private @Nullable RunLease lease;
  private final Map<TableRef, PinnedInput> inputs = new LinkedHashMap<>();
  private final Map<String, Unreadable> unreadable = new LinkedHashMap<>();
  private final Map<String, String> provenance = new LinkedHashMap<>();
  private Map<String, String> decisive = Map.of();
  private boolean finishedBefore;

  JobRun(
      @Nullable SparkSession spark,
      Warehouse warehouse,
      String job,
      String id,
      RunOptions options,
      RunStop stop,
      Progress progress) {
    this.spark = spark;
    this.warehouse = warehouse;
    this.job = job;
    this.id = id;
    this.options = options;
    this.stop = stop;
    this.progress = progress;
  }

  /** Tells the run by which right it writes; a dry one has none. */
  void holds(RunLease right) {
    lease = right;
  }

  /** The session; a job that needs no Spark has none. */
  public SparkSession spark() {
    return Objects.requireNonNull(spark, "The job " + job + " says that it needs no Spark");
  }

  boolean hasSpark() {
    return spark != null;
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

  /** Whether the run is to end before it is done. */
  public RunStop stop() {
    return stop;
  }

  /**
   * The day that the run is of, in UTC: that of its first try, whichever this is. What writes
   * today's date takes it, so that a run that is resumed writes the same.
   */
  public LocalDate day() {
    String begun = provenance.get(DAY);
    return begun == null ? LocalDate.now(ZoneOffset.UTC) : LocalDate.parse(begun);
  }

  /** Tells the run of its first try's day. */
  void began(LocalDate day) {
    provenance.put(DAY, day.toString());
  }

  /** What a job makes its summary over; the frame tells the end of the run when there is one. */
  public RunSummary summary() {
    return RunSummary.begun(job, id);
  }

  /**
   * Whether the run is surely this driver's: where not, nothing may be bought for it. Asks nobody.
   */
  public boolean isSurelyOurs() {
    return lease == null || lease.sure();
  }

  /**
   * Tells the run that readers see it finished already, and that only a new end may replace that.
   */
  void finishedBefore() {
    finishedBefore = true;
  }

  /**
   * Whether a job that has to stop writes the rows that it has: readers see them under the run's
   * id, as a partial run's.
   */
  public boolean publishesPartial() {
    return options.publishPartial() && !finishedBefore && !options.dryRun();
  }

  /** Whether readers see what was written, now that the run has ended so. */
  boolean publishes(Outcome<?> outcome) {
    return switch (outcome.exitCode()) {
      case DONE -> true;
      // A job that does not account for its rows has none to show.
      case PARTIAL, TEMPORARY, INTERRUPTED, TERMINATED ->
          publishesPartial() && outcome.rows().isPresent();
      case UNEXPECTED, USAGE, INVALID, QUALITY_GATE -> false;
    };
  }

  /** Gives the run what its references stand for. */
  void pin(Map<TableRef, PinnedInput> pinned) {
    inputs.putAll(pinned);
    pinned.values().forEach(input -> input.warning().ifPresent(progress::say));
  }

  /**
   * Whether the run is made again over what an earlier one of its id left: what that made of other
   * options or inputs is not refused, and not used.
   */
  public boolean overwrites() {
    return options.overwrite();
  }

  /** Tells the run what decides its rows, beside its inputs. */
  void decidedBy(Map<String, String> options) {
    decisive = Map.copyOf(options);
  }

  /**
   * A folder for what a job makes on its way and another try of the run can go on from. Its name is
   * a hash of what decides the rows, options, contents and inputs, so nothing in it was made of
   * others. It goes when the run is done.
   */
  public Path work() {
    List<String> parts = new ArrayList<>();
    new TreeMap<>(decisive)
        .forEach(
            (name, value) -> {
              parts.add(name);
              parts.add(value);
            });
    inputs().stream().map(ObjectNode::toString).sorted().forEach(parts::add);
    return new Path(warehouse.work(id), StableIds.of(parts.toArray(String[]::new)));
  }

  /** Whether nothing may be written: the job returns figures of the plan. */
  public boolean dryRun() {
    return options.dryRun();
  }

  /**
   * Reads tables, one after the other as one, and notes in the run's record what was read. Rows of
   * files whose messages cannot be read are not among them: the run rejects these itself, and adds
   * them to what the job accounts for.
   *
   * @param refs of tables or files, at least one
   * @return the table's columns, then what else the rows have
   * @throws JobException where {@code --use} forbids some of the rows
   */
  public Dataset<Row> inputs(List<String> refs, Table table) {
    return union(refs.stream().map(ref -> allowed(ref, read(ref, table), table)));
  }

  /** As {@link #inputs}, but the table's columns alone. */
  public Dataset<Row> inputColumns(List<String> refs, Table table) {
    Column[] columns =
        Arrays.stream(table.schema().fieldNames()).map(functions::col).toArray(Column[]::new);
    return union(refs.stream().map(ref -> allowed(ref, read(ref, table), table).select(columns)));
  }

  /** As {@link #inputs}, for a job that parts the rows by {@code --use} itself. */
  public Dataset<Row> inputsOfAnyLicense(List<String> refs, Table table) {
    return union(refs.stream().map(ref -> read(ref, table)));
  }

  private static Dataset<Row> union(Stream<Dataset<Row>> frames) {
    return frames.reduce((a, b) -> a.unionByName(b, true)).orElseThrow();
  }

  /**
   * As {@link #inputs}, of what the job reads beside the input that it accounts for: to compare
   * with, to evaluate on. Rows that cannot be read are rejects too, and their details name the
   * reference.
   */
  public Dataset<Row> sideInputs(List<String> refs, Table table) {
    return union(
        refs.stream()
            .map(ref -> allowed(ref, read(ref, table, rows -> putAside(ref, rows, false)), table)));
  }

  private Dataset<Row> read(String ref, Table table) {
    return read(ref, table, rows -> putAside(ref, rows, true));
  }

  private Dataset<Row> read(String ref, Table table, Consumer<UnreadableRows> aside) {
    return reader().puttingAside(aside).read(pinned(TableRef.parse(ref)), table);
  }

  /**
   * Rows of an input that could not be read.
   *
   * @param counted whether they are units of the job's account
   * @param folder where they are staged
   */
  private record Unreadable(boolean counted, Map<String, Long> byRule, Path folder) {}

  /** Stages rows as they are found: at the run's end the input may be another. */
  private void putAside(String ref, UnreadableRows found, boolean counted) {
    @Nullable Unreadable before = unreadable.get(ref);
    if (before != null && (before.counted() || !counted)) {
      return;
    }
    Path folder =
        before == null
            ? new Path(warehouse.staging(id), ".unreadable-" + unreadable.size())
            : before.folder();
    Column detail = counted ? col("detail") : concat(lit(ref + ": "), col("detail"));
    if (!options.dryRun()) {
      phase(
          "Put aside rows of " + ref,
          () -> {
            found
                .rows()
                .select(lit(job).as("job"), col("id"), col("rule"), detail.as("detail"), col("row"))
                .write()
                .mode(SaveMode.Overwrite)
                .parquet(folder.toString());
            return folder;
          });
    }
    unreadable.put(ref, new Unreadable(counted, found.byRule(), folder));
  }

  private TableReader reader() {
    return new TableReader(spark(), warehouse, progress::say);
  }

  /** What a reference stands for in this run, whenever it is asked. */
  private PinnedInput pinned(TableRef ref) {
    return inputs.computeIfAbsent(
        ref,
        now -> {
          PinnedInput input = PinnedInput.find(now, warehouse);
          input.warning().ifPresent(progress::say);
          return input;
        });
  }

  /** The record of the run whose rows a reference stands for here; empty for files. */
  public Optional<RunRecord> writtenBy(String ref) {
    return pinned(TableRef.parse(ref)).run();
  }

  /** The columns that files of one's own have, as the first row tells. */
  public List<String> columns(String files) {
    return reader().columns(pinned(new TableRef.Files(files)));
  }

  /** The files that a path, folder or pattern stands for; they are noted in the run's record. */
  public PathNames.Found files(String path) {
    return pinned(new TableRef.Files(path)).found();
  }

  private Dataset<Row> allowed(String ref, Dataset<Row> rows, Table table) {
    if (options.use().isEmpty() || !UsePolicy.canJudge(table)) {
      return rows;
    }
    Use use = options.use().get();
    Map<String, Long> reasons = new UsePolicy(use).judge(rows).reasons();
    if (!reasons.isEmpty()) {
      throw JobException.invalid(
          "Rows of "
              + ref
              + " may not be used with --use "
              + use.name().toLowerCase(Locale.ROOT)
              + ": "
              + reasons.entrySet().stream()
                  .map(reason -> reason.getValue() + " rows: " + reason.getKey())
                  .collect(Collectors.joining("; "))
              + "; take them out by the job curate with the same --use");
    }
    return rows;
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
    if (options.dryRun()) {
      throw new IllegalStateException("A dry run of " + job + " wrote the table " + name);
    }
    Tables.objection(name, table)
        .ifPresent(
            objection -> {
              throw JobException.invalid(objection + "; give another --output-table");
            });
    // Names that differ in case are one folder on some file systems.
    if (written.keySet().stream().anyMatch(name::equalsIgnoreCase)) {
      throw JobException.invalid(
          "This run writes the table '"
              + name
              + "' for another purpose too, and one would replace the other: give another"
              + " --output-table");
    }
    return stage(table, name, rows, SaveMode.Overwrite);
  }

  private long stage(Table table, String name, Dataset<Row> rows, SaveMode mode) {
    Path folder = warehouse.staging(name, id);
    Dataset<Row> sized = withComments(table, sizedForReaders(rows));
    phase(
        "Write " + name,
        () -> {
          sized
              .write()
              .mode(mode)
              .option("compression", "zstd")
              .option("mapreduce.fileoutputcommitter.marksuccessfuljobs", "false")
              .parquet(folder.toString());
          return folder;
        });
    StagedTable staged = StagedTable.read(spark(), warehouse, folder, table, sized.schema());
    written.put(name, staged);
    return staged.rows();
  }

  /**
   * Stages rows that a rule dropped as the table rejects, each with its {@code id} and all of it as
   * JSON.
   *
   * @param rule name of the rule
   * @param detail what the rule found
   * @return rows by rule, as {@link RowAccount#rejects(Map)} takes them
   */
  public Map<String, Long> reject(Dataset<Row> rows, Column rule, Column detail) {
    return reject(rows, rule, detail, to_json(struct("*")));
  }

  /**
   * As {@link #reject(Dataset, Column, Column)}, where the rows are not what was dropped.
   *
   * @param row what was dropped, as JSON
   */
  public Map<String, Long> reject(Dataset<Row> rows, Column rule, Column detail, Column row) {
    write(
        Tables.REJECTS,
        rows.select(
            lit(job).as("job"), col("id"), rule.as("rule"), detail.as("detail"), row.as("row")));
    Map<String, Long> byRule = new TreeMap<>();
    staged(Tables.REJECTS.name())
        .groupBy("rule")
        .count()
        .collectAsList()
        .forEach(count -> byRule.put(count.getString(0), count.getLong(1)));
    return byRule;
  }

  /**
   * The outcome with the rows of the inputs that could not be read, which stand beside the job's
   * own rejects where the outcome is published.
   */
  <S extends Summary> Outcome<S> withUnreadable(Outcome<S> outcome) {
    if (unreadable.isEmpty() || outcome.rows().isEmpty()) {
      return outcome;
    }
    if (!options.dryRun() && publishes(outcome)) {
      String rejects = Tables.REJECTS.name();
      stage(
          Tables.REJECTS,
          rejects,
          spark()
              .read()
              .schema(Tables.REJECTS.schema())
              .parquet(
                  unreadable.values().stream()
                      .map(rows -> rows.folder().toString())
                      .toArray(String[]::new)),
          written.containsKey(rejects) ? SaveMode.Append : SaveMode.Overwrite);
    }
    RowAccount account = outcome.rows().get();
    for (Unreadable rows : unreadable.values()) {
      account =
          rows.counted()
              ? account.alsoRejected(rows.byRule())
              : account.rejectedBeside(rows.byRule());
    }
    return outcome.with(account);
  }

  /** What {@link #write} staged, for reading back. */
  public Dataset<Row> staged(String name) {
    return spark().read().parquet(warehouse.staging(name, id).toString());
  }

  /** Names a phase in Spark's own pages while it runs. */
  public <T> T phase(String description, Supplier<T> work) {
    try (var label =
        SparkLabel.of(spark().sparkContext(), id, job + " " + id + ": " + description)) {
      return work.get();
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
        columns.add(named(name));
      }
    }
    return rows.select(columns.toArray(Column[]::new));
  }

  /**
   * Makes sure that every row of the input is where the job says.
   *
   * @throws JobException with {@link ExitCode#UNEXPECTED} otherwise
   */
  void check(Outcome<?> outcome) {
    if (!publishes(outcome)) {
      return;
    }
    if (outcome.rows().isPresent()) {
      outcome.rows().get().check();
    }
    if (!options.dryRun() && !(written.isEmpty() && inputs.isEmpty())) {
      outcome
          .rows()
          .orElseThrow(() -> new IllegalStateException("The job " + job + " accounts for no row"))
          .check(rows(Tables.DUPLICATES), rows(Tables.REJECTS));
    }
  }

  private long rows(Table table) {
    StagedTable staged = written.get(table.name());
    return staged == null ? 0 : staged.rows();
  }

  String job() {
    return job;
  }

  /** What was read, for the run's record. */
  List<ObjectNode> inputs() {
    return inputs.values().stream().map(PinnedInput::toJson).toList();
  }

  Map<String, String> provenance() {
    return Map.copyOf(provenance);
  }

  Map<String, StagedTable> written() {
    return Map.copyOf(written);
  }
}
