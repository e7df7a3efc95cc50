package dev.distillery.jobs.report;

import static org.apache.spark.sql.functions.approx_count_distinct;
import static org.apache.spark.sql.functions.array;
import static org.apache.spark.sql.functions.avg;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.desc;
import static org.apache.spark.sql.functions.floor;
import static org.apache.spark.sql.functions.least;
import static org.apache.spark.sql.functions.length;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.log2;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.min;
import static org.apache.spark.sql.functions.not;
import static org.apache.spark.sql.functions.percentile_approx;
import static org.apache.spark.sql.functions.regexp_count;
import static org.apache.spark.sql.functions.substring;
import static org.apache.spark.sql.functions.when;

import dev.distillery.core.page.BarPlot;
import dev.distillery.core.page.Page;
import dev.distillery.spark.warehouse.Columns;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.NumericType;
import org.apache.spark.sql.types.StructField;
import org.jspecify.annotations.Nullable;

/** Columns of a table: how full they are, what they hold, how long their texts are. */
final class TableProfile {
  /** A column of so few values holds names of kinds, and their counts are drawn. */
  private static final int KINDS = 20;

  private static final int MOST_PLOTS = 16;
  private static final int BINS = 20;

  /** Characters of a kind's name. */
  private static final int LABEL = 200;

  private static final double[] SHARES = {0.5, 0.95};

  /** What was counted of a column. */
  private record Counted(
      long filled,
      long distinct,
      @Nullable Double low,
      @Nullable Double mean,
      @Nullable Double high) {}

  private final Dataset<Row> rows;
  private final Map<String, Counted> counted = new HashMap<>();
  private final long all;

  TableProfile(Dataset<Row> rows) {
    this.rows = rows;
    List<Column> figures = new ArrayList<>();
    for (StructField field : rows.schema().fields()) {
      Column column = Columns.named(field.name());
      figures.add(count(column));
      boolean plain = countable(field);
      // An estimate may be above what there can be.
      figures.add(plain ? least(approx_count_distinct(column), count(column)) : lit(-1L));
      Column number = finite(field);
      figures.add(min(number));
      figures.add(avg(number));
      figures.add(max(number));
    }
    Row found = rows.agg(count(lit(1)), figures.toArray(Column[]::new)).head();
    this.all = found.getLong(0);
    int at = 1;
    for (StructField field : rows.schema().fields()) {
      counted.put(
          field.name(),
          new Counted(
              found.getLong(at),
              found.getLong(at + 1),
              found.isNullAt(at + 2) ? null : found.getDouble(at + 2),
              found.isNullAt(at + 3) ? null : found.getDouble(at + 3),
              found.isNullAt(at + 4) ? null : found.getDouble(at + 4)));
      at += 5;
    }
  }

  private static boolean countable(StructField field) {
    return TextColumn.isString(field)
        || field.dataType() instanceof NumericType
        || field.dataType().sameType(DataTypes.BooleanType);
  }

  /** A number that can be drawn, or null. */
  private static Column finite(StructField field) {
    if (!(field.dataType() instanceof NumericType)) {
      return lit(null).cast(DataTypes.DoubleType);
    }
    Column number = Columns.named(field.name()).cast(DataTypes.DoubleType);
    return when(
        not(number.isNaN()).and(number.between(-Double.MAX_VALUE, Double.MAX_VALUE)), number);
  }

  long rows() {
    return all;
  }

  /** Columns whose texts differ from row to row, and are no ids. */
  List<TextColumn> texts() {
    List<TextColumn> texts = new ArrayList<>();
    for (StructField field : rows.schema().fields()) {
      boolean text =
          TextColumn.isString(field)
              && !field.name().matches("(?i).*(^|_)(id|hash|sha256|url|path)")
              && of(field).filled() > 0
              && (of(field).distinct() > KINDS || of(field).distinct() > all / 2);
      if (text || (TextColumn.isMessages(field) && of(field).filled() > 0)) {
        texts.add(new TextColumn(field));
      }
    }
    return texts;
  }

  private Counted of(StructField field) {
    return counted.getOrDefault(field.name(), new Counted(0, 0, null, null, null));
  }

  /** A line for each column. */
  void columns(Page page) {
    List<List<String>> lines = new ArrayList<>();
    for (StructField field : rows.schema().fields()) {
      Counted of = of(field);
      lines.add(
          List.of(
              field.name(),
              field.dataType().simpleString(),
              all == 0 ? "" : percent((double) of.filled() / all),
              of.distinct() < 0 ? "" : RunSection.count(of.distinct()),
              number(of.low()),
              number(of.mean()),
              number(of.high())));
    }
    page.table(
        List.of("column", "type", "filled", "values (about)", "least", "mean", "most"), lines);
  }

  private static String percent(double share) {
    return String.format(Locale.ROOT, "%.1f%%", 100 * share);
  }

  private static String number(@Nullable Double value) {
    return value == null ? "" : String.format(Locale.ROOT, "%.6g", value);
  }

  /** Counts of the values of columns that have few. */
  List<BarPlot> kinds() {
    List<BarPlot> plots = new ArrayList<>();
    for (StructField field : rows.schema().fields()) {
      boolean few = of(field).distinct() > 0 && of(field).distinct() <= KINDS;
      boolean named =
          TextColumn.isString(field) || field.dataType().sameType(DataTypes.BooleanType);
      if (!few || !named || of(field).distinct() > all / 2 || plots.size() >= MOST_PLOTS) {
        continue;
      }
      List<BarPlot.Bar> bars =
          rows
              .groupBy(Columns.named(field.name()).cast("string").as("value"))
              .agg(count(lit(1)).as("rows"))
              .orderBy(desc("rows"), col("value"))
              .limit(KINDS)
              .select(substring(col("value"), 1, LABEL), col("rows"))
              .collectAsList()
              .stream()
              .map(row -> new BarPlot.Bar(named(row), row.getLong(1)))
              .toList();
      plots.add(new BarPlot("Rows by " + field.name(), bars));
    }
    return plots;
  }

  private static String named(Row row) {
    String value = row.isNullAt(0) ? "(null)" : row.getString(0);
    return value.isBlank() ? "(empty)" : value;
  }

  /** Histograms of numbers, such as similarities, scores and log-probabilities. */
  List<BarPlot> numbers() {
    List<BarPlot> plots = new ArrayList<>();
    for (StructField field : rows.schema().fields()) {
      Counted of = of(field);
      if (of.low() == null || of.low().equals(of.high()) || plots.size() >= MOST_PLOTS) {
        continue;
      }
      double low = of.low();
      double step = (Objects.requireNonNull(of.high()) - low) / BINS;
      Column bin = floor(finite(field).minus(low).divide(step));
      long[] bins = new long[BINS];
      rows.groupBy(bin.as("bin"))
          .count()
          .where(col("bin").isNotNull())
          .collectAsList()
          .forEach(
              row -> bins[(int) Math.max(0, Math.min(BINS - 1, row.getLong(0)))] += row.getLong(1));
      List<BarPlot.Bar> bars = new ArrayList<>();
      for (int i = 0; i < BINS; i++) {
        bars.add(
            new BarPlot.Bar(
                String.format(Locale.ROOT, "%.4g to %.4g", low + i * step, low + (i + 1) * step),
                bins[i]));
      }
      plots.add(new BarPlot(field.name(), bars));
    }
    return plots;
  }

  /** Words of texts, in powers of two. */
  void lengths(Page page, List<TextColumn> texts) {
    List<List<String>> lines = new ArrayList<>();
    List<BarPlot> plots = new ArrayList<>();
    for (TextColumn column : texts) {
      Dataset<Row> lengths =
          rows.select(
              regexp_count(column.text(), lit("(?U)\\S+")).as("words"),
              length(column.text()).as("characters"));
      Row found =
          lengths
              .agg(
                  avg("words"),
                  percentile_approx(
                      col("words"), array(lit(SHARES[0]), lit(SHARES[1])), lit(10_000)),
                  max("words"),
                  avg("characters"),
                  max("characters"))
              .head();
      List<Integer> shares = found.isNullAt(1) ? List.of(0, 0) : found.getList(1);
      lines.add(
          List.of(
              column.name(),
              number(found.isNullAt(0) ? null : found.getDouble(0)),
              "" + shares.get(0),
              "" + shares.get(1),
              found.isNullAt(2) ? "" : "" + found.getInt(2),
              number(found.isNullAt(3) ? null : found.getDouble(3)),
              found.isNullAt(4) ? "" : "" + found.getInt(4)));
      List<BarPlot.Bar> bars = new ArrayList<>();
      lengths
          .groupBy(
              when(col("words").equalTo(0), lit(-1L))
                  .otherwise(floor(log2(col("words"))))
                  .as("power"))
          .count()
          .orderBy("power")
          .collectAsList()
          .forEach(row -> bars.add(new BarPlot.Bar(words(row.getLong(0)), row.getLong(1))));
      plots.add(new BarPlot("Words of " + column.name(), bars));
    }
    page.table(
        List.of(
            "text",
            "words: mean",
            "half have at most",
            "95 of 100 at most",
            "most",
            "characters: mean",
            "most"),
        lines);
    plots.forEach(page::plot);
  }

  private static String words(long power) {
    if (power < 0) {
      return "none";
    }
    long low = 1L << power;
    return power == 0 ? "1" : low + " to " + (2 * low - 1);
  }
}
