package dev.distillery.jobs.dedup;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;

import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Manual;
import dev.distillery.core.run.RunOptions;
import dev.distillery.spark.job.Job;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.job.Outcome;
import dev.distillery.spark.job.RowAccount;
import dev.distillery.spark.warehouse.Table;
import dev.distillery.spark.warehouse.TableRef;
import dev.distillery.spark.warehouse.Tables;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * Drops rows that are too similar to an earlier kept one: the gate of Self-Instruct and Alpaca,
 * done exactly and at any size. See {@link #manual}.
 *
 * <pre>{@code
 * DedupOptions options =
 *     DedupOptions.builder().input(List.of("instructions")).threshold(0.8).build();
 * DedupSummary summary = new DedupJob().run(spark, options);
 * System.out.println(summary.kept() + " of " + summary.in() + " rows are kept");
 * Dataset<Row> kept = spark.read().parquet(summary.tables().get("instructions").path());
 * }</pre>
 */
public final class DedupJob implements Job<DedupOptions, DedupSummary> {
  static final String MISSING_ID = "missing_id";

  @Override
  public String name() {
    return "dedup";
  }

  @Override
  public String purpose() {
    return "Drop rows that are too similar to an earlier kept one, exactly.";
  }

  @Override
  public Manual manual() {
    return Manual.of(
        """
        Goes through the rows in their order and keeps a row unless an earlier kept one has a
        ROUGE-L F above the threshold with it: what the gate of Self-Instruct and Alpaca keeps,
        whatever the number of partitions and executors. Rows of one task are kept or dropped
        together. A row without tokens (no text, or none that the tokenizer knows) is kept, and
        equals nothing.
        """,
        "any of the tables instructions, conversations, preferences and documents.",
        "the kept rows under the table's name; duplicates: id, kept_id (the earliest kept row that"
            + " excludes it), score, rule; rejects: rows without an id; with --neighbors also the"
            + " table neighbors: id, neighbor_id, rank, score.",
        "distillery dedup --input instructions --against seeds.jsonl");
  }

  @Override
  public Class<DedupOptions> optionsType() {
    return DedupOptions.class;
  }

  @Override
  public Class<DedupSummary> summaryType() {
    return DedupSummary.class;
  }

  @Override
  public RunOptions runOptions(DedupOptions options) {
    return options.run();
  }

  @Override
  public void check(DedupOptions options) {
    Table table = table(options);
    Tables.checkOutput(options.outputTable(), table);
    var unused = compared(options, table);
  }

  private static Table table(DedupOptions options) {
    return Tables.of(
        Stream.concat(options.input().stream(), options.against().stream()).toList(),
        options.table());
  }

  @Override
  public List<TableRef> inputs(DedupOptions options) {
    return TableRef.parse(
        Stream.concat(options.input().stream(), options.against().stream()).toList());
  }

  @Override
  public Outcome<DedupSummary> perform(JobRun run, DedupOptions options) {
    Table table = table(options);
    Dataset<Row> rows = run.inputs(options.input(), table);
    Dataset<Row> pool =
        options.against().isEmpty() ? rows.limit(0) : run.sideInputs(options.against(), table);
    run.progress().start("Read rows", "rows", OptionalLong.empty(), 0);
    try (var deduplicator =
        run.phase(
            "Read and check " + options.input(),
            () ->
                new Deduplicator(
                    run.spark(),
                    rows,
                    pool,
                    compared(options, table),
                    options.threshold(),
                    Deduplicator.Plain.USUAL))) {
      long in = deduplicator.rows(false);
      run.progress().finish(in, deduplicator.rows(true) + " in the pool");
      if (run.dryRun()) {
        return Outcome.done(summary(run, deduplicator, in, 0, 0, Optional.empty()));
      }
      run.progress().start("Compare rows", "rows", OptionalLong.of(in), 0);
      run.phase(
          "Compare by " + options.metric() + " above " + options.threshold(),
          () -> {
            deduplicator.decide(candidates(options));
            return in;
          });
      run.progress().finish(in, "");
      Optional<DedupSummary.Evaluation> evaluation =
          options.evaluate()
              ? Optional.of(evaluate(run, options, rows, pool, deduplicator))
              : Optional.empty();
      String output = options.outputTable().orElse(table.name());
      long kept = run.write(table, output, deduplicator.kept());
      long duplicates = run.write(Tables.DUPLICATES, deduplicator.duplicates());
      if (options.neighbors() > 0) {
        run.write(
            Tables.NEIGHBORS,
            deduplicator.neighbors(options.neighbors(), options.neighborsAbove()));
      }
      long withoutId = deduplicator.withoutId(false);
      var account = RowAccount.of("rows", in + withoutId, kept).duplicates(duplicates);
      return Outcome.done(
          summary(run, deduplicator, in + withoutId, kept, duplicates, evaluation),
          withoutId == 0
              ? account
              : account.rejects(
                  run.reject(
                      rows.where(col("id").isNull()),
                      lit(MISSING_ID),
                      lit("The row has no id, so that nothing can refer to it"))));
    }
  }

  private static final Deduplicator.Candidates EXACT =
      (lists, pinned, threshold) -> new SimilarityJoin(threshold, pinned).exclusions(lists);

  private static Deduplicator.Candidates candidates(DedupOptions options) {
    return options.metric() == DedupOptions.Metric.MINHASH
        ? new MinHashCandidates(options.minhashTables(), options.run().randomSeed())::exclusions
        : EXACT;
  }

  /** Of the rows that this run drops, and of those that the exact gate drops: how many are both. */
  private static DedupSummary.Evaluation evaluate(
      JobRun run,
      DedupOptions options,
      Dataset<Row> rows,
      Dataset<Row> pool,
      Deduplicator approximate) {
    ComparedRows compared = approximate.compared().by(DedupOptions.Metric.ROUGE_L);
    try (var exact =
        new Deduplicator(
            run.spark(), rows, pool, compared, options.threshold(), Deduplicator.Plain.USUAL)) {
      exact.decide(EXACT);
      Dataset<Row> truth = exact.duplicates().select("id");
      Dataset<Row> found = approximate.duplicates().select("id");
      long dropped = found.count();
      long relevant = truth.count();
      long both = found.join(truth.distinct(), "id").count();
      return new DedupSummary.Evaluation(
          dropped == 0 ? 1.0 : both / (double) dropped,
          relevant == 0 ? 1.0 : both / (double) relevant,
          relevant);
    }
  }

  private static DedupSummary summary(
      JobRun run,
      Deduplicator deduplicator,
      long in,
      long kept,
      long duplicates,
      Optional<DedupSummary.Evaluation> evaluation) {
    return new DedupSummary(
        run.summary(),
        in,
        kept,
        duplicates,
        deduplicator.withoutTokens(false),
        deduplicator.rows(true),
        evaluation);
  }

  private static ComparedRows compared(DedupOptions options, Table table) {
    List<String> present = List.of(table.schema().fieldNames());
    List<String> columns =
        !options.columns().isEmpty()
            ? options.columns()
            : Stream.of("instruction", "messages", "prompt", "text")
                .filter(present::contains)
                .limit(1)
                .toList();
    if (columns.isEmpty()) {
      throw JobException.invalid(
          "Table "
              + table.name()
              + " has no text of its own to compare: name columns with --columns; it has "
              + present);
    }
    return new ComparedRows(
        columns,
        options.groupBy().orElse(present.contains("task_id") ? "task_id" : "id"),
        options.orderBy(),
        options.metric(),
        options.tokenizer());
  }
}
