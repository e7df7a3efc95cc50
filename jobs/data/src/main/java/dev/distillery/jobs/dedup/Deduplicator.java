package dev.distillery.jobs.dedup;

import static org.apache.spark.sql.functions.broadcast;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.length;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.row_number;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.when;

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
  private final Dataset<Row> repeatedIds;
  private final Map<Boolean, Row> sizes = new TreeMap<>();
  private Dataset<Row> verdicts;
  private long verdictCount;

  /**
   * Looks at the rows.
   *
   * @param input rows that have an id
   * @param pool rows that are kept already, before all others; may have none
   * @throws dev.distillery.core.run.JobException if a column is missing or of no use, or if rows
   *     contradict each other
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
    narrow =
        compared
            .narrow(input, false)
            .union(compared.narrow(pool, true))
            .persist(StorageLevel.MEMORY_AND_DISK());
    narrow
        .groupBy("pinned")
        .agg(
            count(lit(1)),
            sum(when(col("tokens").equalTo(""), 1).otherwise(0)),
            sum(length(col("tokens"))))
        .collectAsList()
        .forEach(row -> sizes.put(row.getBoolean(0), row));
    Dataset<Row> own = narrow.where(col("pinned").equalTo(false));
    repeatedIds = InputChecks.repeatedIds(own).persist(StorageLevel.MEMORY_AND_DISK());
    if (!compared.groupBy().equals("id")) {
      InputChecks.checkGroups(own, compared.groupBy());
    }
    verdicts = spark.createDataFrame(List.of(), Verdicts.SCHEMA);
  }

  /** Rows of the input, or of the pool. */
  long rows(boolean pinned) {
    return size(pinned, 1);
  }

  /** Rows without anything to compare. */
  long withoutTokens(boolean pinned) {
    return size(pinned, 2);
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
   */
  void decide(Candidates candidates, long plainRows) {
    boolean similar = metric != DedupOptions.Metric.EXACT;
    if (similar && !(1.0 > threshold)) {
      return; // Not even an equal text scores above it.
    }
    Dataset<Row> ordered = narrow.orderBy(compared.order());
    if (isSmall(plainRows)) {
      List<Row> entries =
          ordered
              .where(col("tokens").notEqual(""))
              .select("pinned", "id", "task", "tokens")
              .collectAsList();
      verdicts = Verdicts.plain(spark, entries, threshold, similar);
    } else {
      Dataset<Row> lists = Verdicts.lists(spark, ordered).persist(StorageLevel.MEMORY_AND_DISK());
      verdicts =
          Verdicts.distributed(
                  spark, lists, similar ? candidates.exclusions(lists, rows(true)) : List.of())
              .persist(StorageLevel.MEMORY_AND_DISK());
      verdictCount = verdicts.count();
      lists.unpersist();
    }
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
    Column[] own =
        Arrays.stream(input.columns()).map(name -> col("`" + name + "`")).toArray(Column[]::new);
    if (verdictCount == 0) {
      return input;
    }
    Dataset<Row> judged = judge(compared.with(input));
    if (repeatedIds.isEmpty()) {
      return judged.where(isKept()).select(own);
    }
    return judged
        .where(isKept().and(col("repeated").isNull()))
        .select(own)
        .union(
            numbered(judged, compared.orderWithinId(input.schema()))
                .where(col("number").equalTo(1))
                .select(own));
  }

  /** The rows that are dropped: id, kept_id, score, rule. */
  Dataset<Row> duplicates() {
    Dataset<Row> judged = judge(narrow.where(col("pinned").equalTo(false)));
    return judged
        .where(isKept().unary_$bang())
        .select("id", "kept_id", "score")
        .union(
            numbered(judged, compared.order())
                .where(col("number").gt(1))
                .select(col("id"), col("id"), lit(1.0)))
        .withColumn("rule", lit(rule()));
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
    return rows.join(known, rows.col("tokens").equalTo(known.col("tokens")), "left")
        .drop(known.col("tokens"))
        .join(
            repeatedIds.select(col("id").as("repeated")),
            rows.col("id").equalTo(col("repeated")).and(col("kept_id").isNotNull()),
            "left");
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
