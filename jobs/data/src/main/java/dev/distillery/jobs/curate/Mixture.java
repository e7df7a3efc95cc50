package dev.distillery.jobs.curate;

import static org.apache.spark.sql.functions.broadcast;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.explode;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.sequence;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.udf;
import static org.apache.spark.sql.functions.when;

import dev.distillery.core.run.JobException;
import dev.distillery.datasets.mix.HashDraw;
import dev.distillery.datasets.mix.SplitShares;
import dev.distillery.spark.warehouse.Table;
import dev.distillery.spark.warehouse.WeightedRef;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.sql.expressions.WindowSpec;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/**
 * How often each kept row is taken: once, not at all where it is of another split or a draw leaves
 * it, several times where its input's weight is over 1. Every draw is a hash of the seed and the
 * row's id or group, so that partitions change nothing.
 */
final class Mixture {
  /** Number of the input that a row came by. */
  static final String INPUT = "__input";

  /** How often a row is written. */
  static final String COPIES = "__copies";

  /** Its split, whatever the table has. */
  static final String SPLIT = "__split";

  private static final String COPY = "__copy";
  private static final String[] HELPERS = {
    INPUT, COPIES, SPLIT, COPY, TextPass.RULE, TextPass.DETAIL, TextPass.REDACTED, TextPass.UNCUT
  };

  private static final String PLACE = "__place";
  private static final String LAST = "__last";

  /** A row's source; those without any are one. */
  private static final String SOURCE = "__source";

  /** A mix has few sources and splits: more are a column gone wrong. */
  private static final int MOST_GROUPS = 10_000;

  private final MixOptions options;
  private final List<WeightedRef> inputs;
  private final long seed;

  Mixture(MixOptions options, List<WeightedRef> inputs, long seed) {
    this.options = options;
    this.inputs = inputs;
    this.seed = seed;
  }

  /** The rows with {@link #SPLIT}: the drawn one, else the table's own. */
  Dataset<Row> split(Dataset<Row> rows) {
    List<String> present = Arrays.asList(rows.columns());
    if (options.split().isEmpty()) {
      return rows.withColumn(
          SPLIT, present.contains("split") ? col("split") : lit(null).cast(DataTypes.StringType));
    }
    SplitShares shares = SplitShares.of(options.split());
    long drawnFrom = seed;
    UDF1<String, String> split = group -> shares.of(drawnFrom, group);
    Column group =
        coalesce(
            Stream.concat(
                    Stream.of("group_id", "task_id", "id")
                        .filter(present::contains)
                        .map(c -> c.equals("id") ? ofOneRow(col(c)) : col(c)),
                    Stream.of(lit("")))
                .toArray(Column[]::new));
    return rows.withColumn(SPLIT, udf(split, DataTypes.StringType).apply(group));
  }

  /** The id that a row's copies have in common, those that earlier mixes made of it too. */
  private static Column ofOneRow(Column id) {
    UDF1<@Nullable String, @Nullable String> original =
        copy -> copy == null ? null : CopyIds.original(copy);
    return udf(original, DataTypes.StringType).apply(id);
  }

  /** The rows with {@link #COPIES}, none left out: those that are not taken have 0. */
  Dataset<Row> take(Dataset<Row> rows) {
    Column wanted =
        options.takeSplit().isEmpty()
            ? lit(1)
            : when(col(SPLIT).isin(options.takeSplit().toArray()), 1).otherwise(0);
    Dataset<Row> taken = rows.withColumn(COPIES, wanted);
    taken = weighted() ? byWeight(taken) : taken;
    return options.cap() > 0 ? byCap(taken) : taken;
  }

  /** Whether anything is drawn: splits, weights or caps. */
  boolean draws() {
    return looksTwice() || !options.split().isEmpty();
  }

  /** Whether rows are counted before they are taken: for weights or caps. */
  boolean looksTwice() {
    return weighted() || options.cap() > 0;
  }

  private boolean weighted() {
    return inputs.stream().anyMatch(input -> input.weight().compareTo(BigDecimal.ONE) != 0);
  }

  /** Of each input its rows times its weight, rounded up. */
  private Dataset<Row> byWeight(Dataset<Row> rows) {
    Map<Object, Long> counts = new TreeMap<>();
    rows.where(col(COPIES).gt(0))
        .groupBy(INPUT)
        .count()
        .collectAsList()
        .forEach(row -> counts.put(row.getInt(0), row.getLong(1)));
    Map<Object, Long> rest = new TreeMap<>();
    Column whole = lit(0);
    for (int i = 0; i < inputs.size(); i++) {
      long has = counts.getOrDefault(i, 0L);
      BigDecimal weight = inputs.get(i).weight();
      long wanted =
          weight
              .multiply(BigDecimal.valueOf(has))
              .setScale(0, RoundingMode.CEILING)
              .longValueExact();
      long times = has == 0 ? 0 : wanted / has;
      rest.put(i, has == 0 ? 0 : wanted % has);
      whole = when(col(INPUT).equalTo(i), times).otherwise(whole);
    }
    Dataset<Row> placed = placed("weight", rows);
    Dataset<Row> lasts = lasts(placed.where(col(COPIES).gt(0)), INPUT, rest);
    Column drawn = when(col(PLACE).leq(col(LAST)), 1).otherwise(0);
    return placed
        .join(broadcast(lasts), new String[] {INPUT}, "left")
        .withColumn(COPIES, when(col(COPIES).gt(0), whole.plus(drawn)).otherwise(0).cast("int"))
        .drop(PLACE, LAST);
  }

  /** Of each source the first rows by their draw. */
  private Dataset<Row> byCap(Dataset<Row> rows) {
    Dataset<Row> placed = placed("cap", rows).withColumn(SOURCE, coalesce(col("source"), lit("")));
    Dataset<Row> taken = placed.where(col(COPIES).gt(0));
    List<Row> sources = few(taken.select(SOURCE).distinct(), "source");
    Map<Object, Long> most = new TreeMap<>();
    sources.forEach(source -> most.put(source.getString(0), options.cap()));
    Dataset<Row> lasts = lasts(taken, SOURCE, most);
    return placed
        .join(broadcast(lasts), new String[] {SOURCE}, "left")
        .withColumn(COPIES, when(col(PLACE).leq(col(LAST)), col(COPIES)).otherwise(0))
        .drop(PLACE, LAST, SOURCE);
  }

  /**
   * Groups of rows, on the driver.
   *
   * @param column tells them apart
   * @throws JobException where there are more than a mix has
   */
  static List<Row> few(Dataset<Row> groups, String column) {
    List<Row> few = groups.limit(MOST_GROUPS + 1).collectAsList();
    if (few.size() > MOST_GROUPS) {
      throw JobException.invalid(
          "The rows have more than %s groups by their column %s: is it what it should be?"
              .formatted(MOST_GROUPS, column));
    }
    return few;
  }

  private Dataset<Row> placed(String purpose, Dataset<Row> rows) {
    long drawnFrom = seed;
    UDF1<String, Long> place = id -> HashDraw.place(purpose, drawnFrom, id);
    return rows.withColumn(
        PLACE, udf(place, DataTypes.LongType).apply(coalesce(col("id"), lit(""))));
  }

  /**
   * The last place of each group that is taken, so that no more rows than so many are. Rows of one
   * id are taken together or not at all.
   */
  private static Dataset<Row> lasts(Dataset<Row> rows, String group, Map<Object, Long> most) {
    WindowSpec upTo =
        Window.partitionBy(group)
            .orderBy(PLACE)
            .rowsBetween(Window.unboundedPreceding(), Window.currentRow());
    StructType type =
        new StructType().add(group, rows.schema().apply(group).dataType()).add("most", "bigint");
    List<Row> bounds = new ArrayList<>();
    most.forEach((name, number) -> bounds.add(RowFactory.create(name, number)));
    return rows.groupBy(col(group), col(PLACE))
        .agg(sum(COPIES).as("size"))
        .withColumn("sum", sum("size").over(upTo))
        .join(broadcast(rows.sparkSession().createDataFrame(bounds, type)), group)
        .where("sum <= most")
        .groupBy(group)
        .agg(max(PLACE).as(LAST));
  }

  /** What stands before a copy's number: a sign more than in any id that there is. */
  private static String mark(Dataset<Row> rows) {
    UDF1<@Nullable String, Integer> signs = id -> id == null ? 0 : CopyIds.signs(id);
    Column most = max(udf(signs, DataTypes.IntegerType).apply(col("id")));
    return CopyIds.mark(1 + rows.agg(coalesce(most, lit(0))).first().getInt(0));
  }

  /**
   * The rows as they are written: each as often as it is taken, with the split in its column. The
   * second copy of a row has an id of its own.
   */
  Dataset<Row> written(Dataset<Row> taken, Table table) {
    Dataset<Row> rows = taken.where(col(COPIES).gt(0));
    if (inputs.stream().anyMatch(input -> input.weight().compareTo(BigDecimal.ONE) > 0)) {
      Column copy = col(COPY);
      Column name = concat(col("id"), lit(mark(rows)), copy.cast("string"));
      rows =
          rows.withColumn(COPY, explode(sequence(lit(1), col(COPIES))))
              .withColumn("id", when(copy.equalTo(1), col("id")).otherwise(name));
    }
    boolean splits = Arrays.asList(table.schema().fieldNames()).contains("split");
    if (splits || !options.split().isEmpty()) {
      rows = rows.withColumn("split", col(SPLIT));
    }
    return rows.drop(HELPERS);
  }
}
