package dev.distillery.jobs.dedup;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.to_json;

import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.JobSummary;
import dev.distillery.core.run.Manual;
import dev.distillery.core.run.RunOptions;
import dev.distillery.spark.job.Job;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.job.Outcome;
import dev.distillery.spark.warehouse.Table;
import dev.distillery.spark.warehouse.Tables;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * Drops rows that are too similar to an earlier kept one: the gate of Self-Instruct and Alpaca,
 * done exactly and at any size. See {@link #manual}.
 */
public final class DedupJob implements Job<DedupOptions> {
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
        "the kept rows under the table's name; duplicates: id, kept_id (the earliest kept row "
            + "that excludes it), score, rule; rejects: rows without an id; with --neighbors also the "
            + "table neighbors: id, neighbor_id, rank, score.",
        "distillery dedup --input instructions --against seeds.jsonl");
  }

  @Override
  public Class<DedupOptions> optionsType() {
    return DedupOptions.class;
  }

  @Override
  public RunOptions runOptions(DedupOptions options) {
    return options.run();
  }

  @Override
  public JobSummary run(SparkSession spark, DedupOptions options) {
    return JobRun.execute(spark, this, options, run -> dedup(run, options));
  }

  private static Outcome dedup(JobRun run, DedupOptions options) {
    Table table =
        Tables.of(
            Stream.concat(options.input().stream(), options.against().stream()).toList(),
            options.table());
    Dataset<Row> rows = union(options.input().stream().map(ref -> run.input(ref, table)));
    Dataset<Row> pool =
        options.against().isEmpty()
            ? rows.limit(0)
            : union(options.against().stream().map(ref -> run.input(ref, table)));
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
                    Deduplicator.PLAIN_ROWS))) {
      long in = deduplicator.rows(false);
      run.progress().finish(in, deduplicator.rows(true) + " in the pool");
      if (run.dryRun()) {
        return Outcome.done(figures(deduplicator, in, 0, 0, 0, Map.of()));
      }
      run.progress().start("Compare rows", "rows", OptionalLong.of(in), 0);
      run.phase(
          "Compare by " + options.metric() + " above " + options.threshold(),
          () -> {
            deduplicator.decide(candidates(options));
            return in;
          });
      run.progress().finish(in, "");
      Map<String, Number> further =
          options.evaluate() ? evaluate(run, options, rows, pool, deduplicator) : Map.of();
      String output = options.outputTable().orElse(table.name());
      long kept = run.write(table, output, deduplicator.kept());
      long duplicates = run.write(Tables.DUPLICATES, deduplicator.duplicates());
      if (options.neighbors() > 0) {
        run.write(
            Tables.NEIGHBORS,
            deduplicator.neighbors(options.neighbors(), options.neighborsAbove()));
      }
      long withoutId =
          deduplicator.withoutId(false) == 0 ? 0 : reject(run, rows.where(col("id").isNull()));
      if (kept + duplicates != in) {
        throw new JobException(
            ExitCode.UNEXPECTED,
            "Rows do not add up: "
                + in
                + " read, "
                + kept
                + " kept, "
                + duplicates
                + " duplicates; did the input change while it was read?");
      }
      return Outcome.done(
          figures(deduplicator, in + withoutId, kept, duplicates, withoutId, further));
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
  private static Map<String, Number> evaluate(
      JobRun run,
      DedupOptions options,
      Dataset<Row> rows,
      Dataset<Row> pool,
      Deduplicator approximate) {
    ComparedRows compared = approximate.compared().by(DedupOptions.Metric.ROUGE_L);
    try (var exact =
        new Deduplicator(
            run.spark(), rows, pool, compared, options.threshold(), Deduplicator.PLAIN_ROWS)) {
      exact.decide(EXACT);
      Dataset<Row> truth = exact.duplicates().select("id");
      Dataset<Row> found = approximate.duplicates().select("id");
      long dropped = found.count();
      long relevant = truth.count();
      long both = found.join(truth.distinct(), "id").count();
      return Map.of(
          "precision", dropped == 0 ? 1.0 : both / (double) dropped,
          "recall", relevant == 0 ? 1.0 : both / (double) relevant,
          "exact_duplicates", relevant);
    }
  }

  private static DedupFigures figures(
      Deduplicator deduplicator,
      long in,
      long kept,
      long duplicates,
      long withoutId,
      Map<String, Number> further) {
    return new DedupFigures(
        in,
        kept,
        duplicates,
        withoutId,
        deduplicator.withoutTokens(false),
        deduplicator.rows(true),
        further);
  }

  private static long reject(JobRun run, Dataset<Row> withoutId) {
    return run.write(
        Tables.REJECTS,
        withoutId.select(
            lit("dedup").as("job"),
            lit(null).cast("string").as("id"),
            lit(MISSING_ID).as("rule"),
            lit("The row has no id, so that nothing can refer to it").as("detail"),
            to_json(struct("*")).as("row")));
  }

  private static Dataset<Row> union(Stream<Dataset<Row>> frames) {
    return frames.reduce((a, b) -> a.unionByName(b, true)).orElseThrow();
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
