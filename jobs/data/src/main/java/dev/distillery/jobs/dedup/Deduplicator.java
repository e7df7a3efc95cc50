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

import dev.distillery.spark.warehouse.Columns;
import dev.distillery.spark.warehouse.Tables;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.storage.StorageLevel;
import scala.math.BigInt;

/**
 * Decides which rows are kept: those that the sequential gate would keep, going through all rows in
 * their order.
 */
final class Deduplicator implements AutoCloseable {
  /**
   * How much one thread of the driver decides.
   *
   * @param rows at most
   * @param characters of their tokens at most
   */
  record Plain(long rows, long characters) {
    /** See docs/dedup.md for the measurement; of the driver's memory a sixteenth in characters. */
    static final Plain USUAL =
        new Plain(500_000, Math.min(256L << 20, Runtime.getRuntime().maxMemory() / 16));

    private boolean holds(Size size) {
      return size.rows() <= rows && size.characters() <= characters;
    }
  }

  /**
   * Rows that Spark estimates at less are taken in without a look at their real size first, until
   * they turn out to be more than the driver can hold: Spark estimates by the files, and a file of
   * a megabyte may hold a thousand times as much.
   */
  private static final BigInt PERHAPS_PLAIN_BYTES =
      BigInt.apply(Math.min(64L << 20, Runtime.getRuntime().maxMemory() / 64));

  private static final int ROWS_OF_A_SLICE = 5_000;

  /** Columns of a verdict beside those of a row, which may have any of the plain names. */
  private static final String VERDICT_TOKENS = "__verdict_tokens";

  private static final String KEPT_ID = "__kept_id";
  private static final String KEPT_TASK = "__kept_task";
  private static final String SCORE = "__verdict_score";
  private static final String REPEATED = "__repeated";
  private static final String NUMBER = "__number";

  /** About 100 bytes each: what every executor can hold. */
  private static final long BROADCAST_VERDICTS = 500_000;

  private final SparkSession spark;
  private final ComparedRows compared;
  private final DedupOptions.Metric metric;
  private final double threshold;
  private final Plain most;
  private final Dataset<Row> input;
  private final Dataset<Row> all;
  private final Dataset<Row> narrow;
  private final Map<Boolean, Size> sizes = new TreeMap<>();
  private final List<Dataset<Row>> persisted = new ArrayList<>();

  /** The rows in their order, where one thread decides. */
  private final Optional<List<Row>> entries;

  private Dataset<Row> repeatedIds;
  private boolean idsRepeat;
  private Dataset<Row> verdicts;
  private long verdictCount;

  /** What there is of the input, or of the pool. */
  private record Size(long rows, long withoutTokens, long characters, long withoutId) {
    static final Size NONE = new Size(0, 0, 0, 0);

    static Size of(Row entry) {
      if (entry.isNullAt(1)) {
        return new Size(0, 0, 0, 1);
      }
      String tokens = entry.getString(3);
      return new Size(1, tokens.isEmpty() ? 1 : 0, tokens.length(), 0);
    }

    Size plus(Size other) {
      return new Size(
          rows + other.rows,
          withoutTokens + other.withoutTokens,
          characters + other.characters,
          withoutId + other.withoutId);
    }
  }

  /**
   * Looks at the rows. Those without an id take no part.
   *
   * @param input the rows
   * @param pool rows that are kept already, before all others; may have none
   * @param most up to so much one thread decides
   * @throws dev.distillery.core.run.JobException if a column is missing or of no use
   */
  Deduplicator(
      SparkSession spark,
      Dataset<Row> input,
      Dataset<Row> pool,
      ComparedRows compared,
      double threshold,
      Plain most) {
    this.spark = spark;
    this.input = input;
    this.compared = compared;
    this.metric = compared.metric();
    this.threshold = threshold;
    this.most = most;
    compared.check(input.schema());
    all = compared.narrow(input, false).union(compared.narrow(pool, true));
    narrow = all.where(col("id").isNotNull());
    repeatedIds = spark.createDataFrame(List.of(), InputChecks.REPEATED);
    verdicts = spark.createDataFrame(List.of(), Verdicts.SCHEMA);
    entries = plainEntries();
  }

  /** All rows that take part, in their order, if they are few and short; fills in the sizes. */
  private Optional<List<Row>> plainEntries() {
    boolean plain = metric != DedupOptions.Metric.MINHASH && most.rows() > 0;
    if (plain
        && all.queryExecution().optimizedPlan().stats().sizeInBytes().$less(PERHAPS_PLAIN_BYTES)) {
      Dataset<Row> first = all.limit((int) Math.min(most.rows() + 1, Integer.MAX_VALUE));
      List<Row> rows = upTo(most.characters(), inOrder(first)).collectAsList();
      rows.forEach(row -> sizes.merge(row.getBoolean(0), Size.of(row), Size::plus));
      if (rows.size() <= most.rows() && most.holds(size(false).plus(size(true)))) {
        return Optional.of(rows.stream().filter(row -> !row.isNullAt(1)).toList());
      }
      sizes.clear();
    }
    persisted(all);
    measure();
    Size both = size(false).plus(size(true));
    return plain && most.holds(both)
        ? Optional.of(inOrder(narrow).collectAsList())
        : Optional.empty();
  }

  private Dataset<Row> inOrder(Dataset<Row> rows) {
    return rows.coalesce(1)
        .sortWithinPartitions(compared.order())
        .select("pinned", "id", "task", "tokens", "text_hash");
  }

  /** The rows of one partition up to the one whose tokens are too many. */
  static Dataset<Row> upTo(long characters, Dataset<Row> rows) {
    MapPartitionsFunction<Row, Row> cut =
        all ->
            new Iterator<>() {
              private long taken;

              @Override
              public boolean hasNext() {
                return taken <= characters && all.hasNext();
              }

              @Override
              public Row next() {
                Row row = all.next();
                taken += Size.of(row).characters();
                return row;
              }
            };
    return rows.mapPartitions(cut, Encoders.row(rows.schema()));
  }

  private Dataset<Row> persisted(Dataset<Row> rows) {
    persisted.add(rows);
    return rows.persist(StorageLevel.MEMORY_AND_DISK());
  }

  private void measure() {
    Column known = col("id").isNotNull();
    all.groupBy("pinned")
        .agg(
            count("id"),
            sum(when(known.and(col("tokens").equalTo("")), 1L).otherwise(0L)),
            sum(when(known, length(col("tokens")).cast("long")).otherwise(0L)),
            sum(when(known, 0L).otherwise(1L)))
        .collectAsList()
        .forEach(
            row ->
                sizes.put(
                    row.getBoolean(0),
                    new Size(row.getLong(1), row.getLong(2), row.getLong(3), row.getLong(4))));
  }

  /** Whether one thread decides. */
  boolean isPlain() {
    return entries.isPresent();
  }

  /** What is compared. */
  ComparedRows compared() {
    return compared;
  }

  /** Rows of the input that have an id, or of the pool. */
  long rows(boolean pinned) {
    return size(pinned).rows();
  }

  /** Rows without anything to compare. */
  long withoutTokens(boolean pinned) {
    return size(pinned).withoutTokens();
  }

  /** Rows without an id. */
  long withoutId(boolean pinned) {
    return size(pinned).withoutId();
  }

  private Size size(boolean pinned) {
    return sizes.getOrDefault(pinned, Size.NONE);
  }

  /**
   * Decides on all rows.
   *
   * @param candidates used where one thread does not decide
   * @throws dev.distillery.core.run.JobException if rows contradict each other
   */
  void decide(Candidates candidates) {
    boolean similar = metric != DedupOptions.Metric.EXACT;
    // Above a threshold of 1 there is not even an equal text.
    boolean any = !similar || 1.0 > threshold;
    if (entries.isPresent()) {
      List<Row> repeated = InputChecks.repeatedIds(entries.get(), compared.groupBy());
      repeatedIds = spark.createDataFrame(repeated, InputChecks.REPEATED);
      idsRepeat = !repeated.isEmpty();
      if (any) {
        List<Row> found = Verdicts.plain(entries.get(), threshold, similar);
        // In slices, as Spark sends local rows along with the tasks.
        verdicts =
            spark.createDataFrame(
                JavaSparkContext.fromSparkContext(spark.sparkContext())
                    .parallelize(found, found.size() / ROWS_OF_A_SLICE + 1),
                Verdicts.SCHEMA);
        verdictCount = found.size();
      }
    } else {
      repeatedIds =
          persisted(InputChecks.repeatedIds(narrow.where(not(col("pinned"))), compared.groupBy()));
      if (any) {
        Dataset<Row> lists = persisted(Verdicts.lists(spark, narrow.orderBy(compared.order())));
        verdicts =
            persisted(
                Verdicts.distributed(
                    spark,
                    lists,
                    similar ? candidates.exclusions(lists, rows(true), threshold) : List.of()));
        verdictCount = verdicts.count();
        lists.unpersist();
      }
      idsRepeat = !repeatedIds.isEmpty();
    }
  }

  /** How the lists that are excluded are found, where one thread does not do it. */
  @FunctionalInterface
  interface Candidates {
    /**
     * The exclusions among lists, in one or more parts.
     *
     * @param lists distinct: ordinal, tokens
     * @param pinned lists of a lower ordinal are kept
     * @param threshold ROUGE-L F above which a list is a duplicate
     */
    List<JavaRDD<Exclusion>> exclusions(Dataset<Row> lists, long pinned, double threshold);
  }

  /** The rows that are kept, in the input's columns. */
  Dataset<Row> kept() {
    Dataset<Row> rows = withoutId(false) == 0 ? input : input.where(col("id").isNotNull());
    if (verdictCount == 0) {
      return rows;
    }
    Column[] own = Arrays.stream(input.columns()).map(Columns::named).toArray(Column[]::new);
    Dataset<Row> judged = judge(compared.with(rows));
    Dataset<Row> kept = judged.where(isKept().and(col(REPEATED).isNull())).select(own);
    return idsRepeat
        ? kept.union(
            numbered(judged, compared.orderWithinId(input.schema()))
                .where(col(NUMBER).equalTo(1))
                .select(own))
        : kept;
  }

  /** The rows that are dropped: id, kept_id, score, rule. */
  Dataset<Row> duplicates() {
    if (verdictCount == 0) {
      return spark.createDataFrame(List.of(), Tables.DUPLICATES.schema());
    }
    Dataset<Row> judged =
        judge(
            narrow
                .where(not(col("pinned")))
                .withColumnRenamed("tokens", ComparedRows.TOKENS)
                .withColumnRenamed("task", ComparedRows.TASK));
    Dataset<Row> dropped =
        judged
            .where(not(isKept()))
            .select(col("id"), col(KEPT_ID).as("kept_id"), col(SCORE).as("score"));
    Dataset<Row> all =
        idsRepeat
            ? dropped.union(
                numbered(judged, compared.order())
                    .where(col(NUMBER).gt(1))
                    .select(col("id"), col("id"), lit(1.0)))
            : dropped;
    return all.withColumn("rule", lit(rule()));
  }

  /**
   * For each text of the input the others, of the input or the pool, that are most similar to it:
   * id, neighbor_id, rank, score. Rows of equal tokens are one text, and the first of them stands
   * for it.
   *
   * @param most at most so many for a text
   * @param above score that a neighbor exceeds
   */
  Dataset<Row> neighbors(int most, double above) {
    Dataset<Row> lists = persisted(Verdicts.lists(spark, narrow.orderBy(compared.order())));
    StructType schema =
        new StructType()
            .add("ordinal", DataTypes.LongType, false)
            .add("neighbor", DataTypes.LongType, false)
            .add("rank", DataTypes.IntegerType, false)
            .add("score", DataTypes.DoubleType, false);
    JavaRDD<Row> found =
        new SimilarityJoin(above, 0)
            .nearest(lists, most)
            .flatMap(
                pair -> {
                  List<NearestTexts.Near> nearest = pair._2().bestFirst();
                  return IntStream.range(0, nearest.size())
                      .<Row>mapToObj(
                          i ->
                              RowFactory.create(
                                  pair._1(),
                                  nearest.get(i).ordinal(),
                                  i + 1,
                                  nearest.get(i).score()))
                      .iterator();
                });
    Dataset<Row> texts = lists.where(not(col("pinned"))).select("ordinal", "id");
    Dataset<Row> neighbors =
        lists.select(col("ordinal").as("neighbor"), col("id").as("neighbor_id"));
    return spark
        .createDataFrame(found, schema)
        .join(texts, "ordinal")
        .join(neighbors, "neighbor")
        .select("id", "neighbor_id", "rank", "score");
  }

  private String rule() {
    return switch (metric) {
      case ROUGE_L -> "rouge-l";
      case EXACT -> "exact";
      case MINHASH -> "minhash";
    };
  }

  /** The rows with their verdicts, under names that no column of an input has. */
  private Dataset<Row> judge(Dataset<Row> rows) {
    Dataset<Row> named =
        verdicts.select(
            col("tokens").as(VERDICT_TOKENS),
            col("kept_id").as(KEPT_ID),
            col("score").as(SCORE),
            col("kept_task").as(KEPT_TASK));
    Dataset<Row> known = verdictCount <= BROADCAST_VERDICTS ? broadcast(named) : named;
    Dataset<Row> judged =
        rows.join(known, col(ComparedRows.TOKENS).equalTo(col(VERDICT_TOKENS)), "left");
    return idsRepeat
        ? judged.join(
            repeatedIds.select(col("id").as(REPEATED)),
            rows.col("id").equalTo(col(REPEATED)).and(col(KEPT_ID).isNotNull()),
            "left")
        : judged.withColumn(REPEATED, lit(null).cast("string"));
  }

  private static Column isKept() {
    return col(KEPT_ID)
        .isNull()
        .or(col(KEPT_TASK).isNotNull().and(col(KEPT_TASK).equalTo(col(ComparedRows.TASK))));
  }

  /** Kept rows whose id repeats, numbered within their id: the first one stands for all. */
  private static Dataset<Row> numbered(Dataset<Row> judged, Column[] order) {
    return judged
        .where(isKept().and(col(REPEATED).isNotNull()))
        .withColumn(NUMBER, row_number().over(Window.partitionBy("id").orderBy(order)));
  }

  @Override
  public void close() {
    persisted.forEach(Dataset::unpersist);
  }
}
