package dev.distillery.jobs.dedup;

import static dev.distillery.spark.warehouse.Columns.named;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.concat_ws;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.udf;
import static org.apache.spark.sql.functions.xxhash64;

import dev.distillery.core.run.JobException;
import dev.distillery.core.text.WordTokenizer;
import dev.distillery.spark.warehouse.Columns;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.catalyst.expressions.RowOrdering;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.MapType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * What is compared and ordered of each row, as columns: {@code id}, {@code task}, {@code tokens}
 * (words with a space between two; equal lists are equal texts), {@code text_hash}, the columns of
 * the order and {@code row_hash}, which ends it.
 *
 * @param columns columns that are compared
 * @param groupBy column whose equal values make rows one
 * @param orderBy columns that stand before id and the hash in the order
 */
record ComparedRows(
    List<String> columns,
    String groupBy,
    List<String> orderBy,
    DedupOptions.Metric metric,
    String tokenizer) {
  /** Columns that are put beside those of a whole row, which may have a column "tokens". */
  static final String TOKENS = "__tokens";

  static final String TASK = "__task";

  /** The same rows and order, compared by another metric. */
  ComparedRows by(DedupOptions.Metric other) {
    return new ComparedRows(columns, groupBy, orderBy, other, tokenizer);
  }

  /** All that the rows lack for these options, at once. */
  void check(StructType schema) {
    List<String> violations = new ArrayList<>();
    List<String> present = Arrays.asList(schema.fieldNames());
    for (String column : columns) {
      if (!present.contains(column)) {
        violations.add(missing("--columns", column, present));
      } else if (!isText(schema.apply(column).dataType())) {
        violations.add(
            "Option --columns: column '"
                + column
                + "' must be a string, an array of strings or an array of messages, found "
                + schema.apply(column).dataType().simpleString());
      }
    }
    for (String column : orderBy) {
      if (!present.contains(column)) {
        violations.add(missing("--order-by", column, present));
      } else if (!RowOrdering.isOrderable(schema.apply(column).dataType())) {
        violations.add(
            "Option --order-by: column '"
                + column
                + "' of type "
                + schema.apply(column).dataType().simpleString()
                + " has no order");
      }
    }
    if (!present.contains(groupBy)) {
      violations.add(missing("--group-by", groupBy, present));
    }
    if (!violations.isEmpty()) {
      throw JobException.invalid(violations);
    }
  }

  private static String missing(String option, String column, List<String> present) {
    return "Option " + option + ": the input has no column '" + column + "'; it has " + present;
  }

  private static boolean isText(DataType type) {
    if (type.equals(DataTypes.StringType)) {
      return true;
    }
    if (type instanceof ArrayType array) {
      return array.elementType().equals(DataTypes.StringType)
          || (array.elementType() instanceof StructType message
              && Arrays.asList(message.fieldNames()).contains("content")
              && message.apply("content").dataType().equals(DataTypes.StringType));
    }
    return false;
  }

  /** The rows with these columns behind their own. */
  Dataset<Row> with(Dataset<Row> rows) {
    return rows.withColumn(TOKENS, tokens(text(rows.schema())))
        .withColumn(TASK, task(named(groupBy)));
  }

  /** A row without a group is one by itself; no group's own value begins so. */
  private static Column task(Column group) {
    return coalesce(group.cast(DataTypes.StringType), concat(lit("\u0000"), col("id")));
  }

  /** These columns alone. */
  Dataset<Row> narrow(Dataset<Row> rows, boolean pinned) {
    StructType schema = rows.schema();
    List<String> present = Arrays.asList(schema.fieldNames());
    Column text = text(schema);
    List<Column> narrow = new ArrayList<>();
    narrow.add(lit(pinned).as("pinned"));
    for (int i = 0; i < orderBy.size(); i++) {
      Column order = present.contains(orderBy.get(i)) ? named(orderBy.get(i)) : lit(null);
      narrow.add(order.as("order_" + i));
    }
    narrow.add(col("id"));
    narrow.add(hash(schema).as("row_hash"));
    narrow.add(task(present.contains(groupBy) ? named(groupBy) : col("id")).as("task"));
    narrow.add(tokens(text).as("tokens"));
    narrow.add(xxhash64(text).as("text_hash"));
    return rows.select(narrow.toArray(Column[]::new));
  }

  /** The total order among the narrow columns. */
  Column[] order() {
    List<Column> order = new ArrayList<>();
    order.add(col("pinned").desc());
    for (int i = 0; i < orderBy.size(); i++) {
      order.add(col("order_" + i).asc());
    }
    order.add(col("id").asc());
    order.add(col("row_hash").asc());
    return order.toArray(Column[]::new);
  }

  /** The order of rows that have the same id, among the input's own columns. */
  Column[] orderWithinId(StructType schema) {
    List<Column> order = new ArrayList<>();
    orderBy.forEach(column -> order.add(named(column).asc()));
    order.add(hash(schema).asc());
    return order.toArray(Column[]::new);
  }

  /** A hash of all columns; those of a map type have none. */
  private static Column hash(StructType schema) {
    return xxhash64(
        Arrays.stream(schema.fields())
            .filter(field -> !(field.dataType() instanceof MapType))
            .map(StructField::name)
            .sorted()
            .map(Columns::named)
            .toArray(Column[]::new));
  }

  private Column text(StructType schema) {
    return concat_ws(
        "\n",
        columns.stream()
            .map(
                name ->
                    schema.apply(name).dataType() instanceof ArrayType array
                            && array.elementType() instanceof StructType
                        ? named(name).getField("content")
                        : named(name))
            .toArray(Column[]::new));
  }

  private Column tokens(Column text) {
    UDF1<String, String> function =
        metric == DedupOptions.Metric.EXACT ? ComparedRows::normalise : tokenizeBy(tokenizer);
    return udf(function, DataTypes.StringType).apply(text);
  }

  private static UDF1<String, String> tokenizeBy(String name) {
    return text -> String.join(" ", WordTokenizer.named(name).tokenize(text));
  }

  /** Equal texts but for Unicode's compatible forms, case and space are equal. */
  static String normalise(String text) {
    return Normalizer.normalize(text, Normalizer.Form.NFKC)
        .toLowerCase(Locale.ROOT)
        .replaceAll("[\\s\\p{Z}]+", " ")
        .strip();
  }

  /** The words of the column {@code tokens}. */
  static List<String> words(String tokens) {
    return Arrays.asList(tokens.split(" "));
  }
}
