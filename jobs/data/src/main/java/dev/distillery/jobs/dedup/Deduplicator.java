package dev.distillery.jobs.dedup;

import static org.apache.spark.sql.functions.broadcast;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.length;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.not;
import static org.apache.spark.sql.functions.row_number;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.when;

import dev.distillery.spark.warehouse.Tables;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.storage.StorageLevel;

/**
 * Decides which rows are kept: those that the sequential gate would keep, going through all rows in
 * their order.
 */
final class Deduplicator implements AutoCloseable {
  /**
   * Up to so many rows and characters one thread decides faster than Spark; see docs/dedup.md for
   * the measurement.
   */
  static final long PLAIN_ROWS = 200_000;

  private static final long PLAIN_CHARACTERS = 64L << 20;

  /** About 100 bytes each: what every executor can hold. */
  private static final long BROADCAST_VERDICTS = 500_000;

  private final SparkSession spark;
  private final ComparedRows compared;
  private final DedupOptions.Metric metric;
  private final double threshold;
  private final Dataset<Row> input;
  private final Dataset<Row> narrow;
  private final Map<Boolean, Row> sizes = new TreeMap<>();
  private Dataset<Row> repeatedIds;
  private boolean idsRepeat;
  private Dataset<Row> verdicts;
  private long verdictCount;

  /**
   * Looks at the rows. Those without an id take no part.
   *
   * @param input the rows
   * @param pool rows that are kept already, before all others; may have none
   * @throws dev.distillery.core.run.JobException if a column is missing or of no use
   */
  Deduplicator(
      SparkSession spark,
      Dataset<Row> input,
      Dataset<Row> pool,
      ComparedRows compared,
      double threshold) {
    this.spark = spark;
    this.input = input;
    this.compared = compared;
    this.metric = compared.metric();
    this.threshold = threshold;
    compared.check(input.schema());
    Dataset<Row> all =
        compared
            .narrow(input, false)
            .union(compared.narrow(pool, true))
            .persist(StorageLevel.MEMORY_AND_DISK());
    Column known = col("id").isNotNull();
    all.groupBy("pinned")
        .agg(
            count("id"),
            sum(when(known.and(col("tokens").equalTo("")), 1).otherwise(0)),
            sum(when(known, length(col("tokens"))).otherwise(0)),
            sum(when(known, 0).otherwise(1)))
        .collectAsList()
        .forEach(row -> sizes.put(row.getBoolean(0), row));
    narrow = all.where(known);
    repeatedIds = spark.createDataFrame(List.of(), InputChecks.REPEATED);
    verdicts = spark.createDataFrame(List.of(), Verdicts.SCHEMA);
  }

  /** What is compared. */
  ComparedRows compared() {
    return compared;
  }

  /** Rows of the input that have an id, or of the pool. */
  long rows(boolean pinned) {
    return size(pinned, 1);
  }

  /** Rows without anything to compare. */
  long withoutTokens(boolean pinned) {
    return size(pinned, 2);
  }

  /** Rows without an id. */
  long withoutId(boolean pinned) {
    return size(pinned, 4);
  }

  private long size(boolean pinned, int column) {
    return sizes.containsKey(pinned) ? sizes.get(pinned).getLong(column) : 0;
  }

  private boolean isSmall(long plainRows) {
    return metric != DedupOptions.Metric.MINHASH
        && rows(false) + rows(true) <= plainRows
        && size(false, 3) + size(true, 3) <= PLAIN_CHARACTERS;
  }

  /**
   * Decides on all rows.
   *
   * @param candidates used where one thread does not decide
   * @param plainRows up to so many rows one thread decides
   * @throws dev.distillery.core.run.JobException if rows contradict each other
   */
  void decide(Candidates candidates, long plainRows) {
    boolean similar = metric != DedupOptions.Metric.EXACT;
    // Above a threshold of 1 there is not even an equal text.
    boolean any = !similar || 1.0 > threshold;
    if (isSmall(plainRows)) {
      List<Row> entries =
          narrow
              .coalesce(1)
              .sortWithinPartitions(compared.order())
              .select("pinned", "id", "task", "tokens", "text_hash")
              .collectAsList();
      repeatedIds =
          spark.createDataFrame(
              InputChecks.repeatedIds(entries, compared.groupBy()), InputChecks.REPEATED);
      if (any) {
        verdicts = Verdicts.plain(spark, entries, threshold, similar);
      }
    } else {
      repeatedIds =
          InputChecks.repeatedIds(narrow.where(not(col("pinned"))), compared.groupBy())
              .persist(StorageLevel.MEMORY_AND_DISK());
      if (any) {
        Dataset<Row> lists =
            Verdicts.lists(spark, narrow.orderBy(compared.order()))
                .persist(StorageLevel.MEMORY_AND_DISK());
        verdicts =
            Verdicts.distributed(
                    spark, lists, similar ? candidates.exclusions(lists, rows(true)) : List.of())
                .persist(StorageLevel.MEMORY_AND_DISK());
        verdicts.count();
        lists.unpersist();
      }
    }
    idsRepeat = !repeatedIds.isEmpty();
    verdictCount = verdicts.count();
  }

  /** How the lists that are excluded are found, where one thread does not do it. */
  @FunctionalInterface
  interface Candidates {
    /**
     * The exclusions among lists, in one or more parts.
     *
     * @param lists distinct: ordinal, tokens
     * @param pinned lists of a lower ordinal are kept
     */
    List<JavaRDD<Exclusion>> exclusions(Dataset<Row> lists, long pinned);
  }

  /** The rows that are kept, in the input's columns. */
  Dataset<Row> kept() {
    Dataset<Row> rows = withoutId(false) == 0 ? input : input.where(col("id").isNotNull());
    if (verdictCount == 0) {
      return rows;
    }
    Column[] own =
        Arrays.stream(input.columns()).map(name -> col("`" + name + "`")).toArray(Column[]::new);
    Dataset<Row> judged = judge(compared.with(rows));
    Dataset<Row> kept = judged.where(isKept().and(col("repeated").isNull())).select(own);
    return idsRepeat
        ? kept.union(
            numbered(judged, compared.orderWithinId(input.schema()))
                .where(col("number").equalTo(1))
                .select(own))
        : kept;
  }

  /** The rows that are dropped: id, kept_id, score, rule. */
  Dataset<Row> duplicates() {
    if (verdictCount == 0) {
      return spark.createDataFrame(List.of(), Tables.DUPLICATES.schema());
    }
    Dataset<Row> judged = judge(narrow.where(not(col("pinned"))));
    Dataset<Row> dropped = judged.where(not(isKept())).select("id", "kept_id", "score");
    Dataset<Row> all =
        idsRepeat
            ? dropped.union(
                numbered(judged, compared.order())
                    .where(col("number").gt(1))
                    .select(col("id"), col("id"), lit(1.0)))
            : dropped;
    return all.withColumn("rule", lit(rule()));
  }

  private String rule() {
    return switch (metric) {
      case ROUGE_L -> "rouge-l";
      case EXACT -> "exact";
      case MINHASH -> "minhash";
    };
  }

  private Dataset<Row> judge(Dataset<Row> rows) {
    Dataset<Row> known = verdictCount <= BROADCAST_VERDICTS ? broadcast(verdicts) : verdicts;
    Dataset<Row> judged =
        rows.join(known, rows.col("tokens").equalTo(known.col("tokens")), "left")
            .drop(known.col("tokens"));
    return idsRepeat
        ? judged.join(
            repeatedIds.select(col("id").as("repeated")),
            rows.col("id").equalTo(col("repeated")).and(col("kept_id").isNotNull()),
            "left")
        : judged.withColumn("repeated", lit(null).cast("string"));
  }

  private static Column isKept() {
    return col("kept_id")
        .isNull()
        .or(col("kept_task").isNotNull().and(col("kept_task").equalTo(col("task"))));
  }

  /** Kept rows whose id repeats, numbered within their id: the first one stands for all. */
  private static Dataset<Row> numbered(Dataset<Row> judged, Column[] order) {
    return judged
        .where(isKept().and(col("repeated").isNotNull()))
        .withColumn("number", row_number().over(Window.partitionBy("id").orderBy(order)));
  }

  @Override
  public void close() {
    narrow.unpersist();
    repeatedIds.unpersist();
    verdicts.unpersist();
  }
}
