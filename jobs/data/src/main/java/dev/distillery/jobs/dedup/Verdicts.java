package dev.distillery.jobs.dedup;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.min;
import static org.apache.spark.sql.functions.not;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.when;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/**
 * What holds for rows of a token list: one row for each list that is excluded or stands in several
 * rows.
 *
 * <p>Rows of equal lists differ only in their place: whatever excludes the first of them excludes
 * all. If it is kept, it excludes the others itself, with a score of 1, but for those of its own
 * task.
 */
final class Verdicts {
  /** tokens; kept_id and score for rows that are dropped; the task whose rows are kept, if any. */
  static final StructType SCHEMA =
      new StructType()
          .add("tokens", DataTypes.StringType, false)
          .add("kept_id", DataTypes.StringType, false)
          .add("score", DataTypes.DoubleType, false)
          .add("kept_task", DataTypes.StringType, true);

  static final StructType ENTRY =
      new StructType()
          .add("ordinal", DataTypes.LongType, false)
          .add("pinned", DataTypes.BooleanType, false)
          .add("id", DataTypes.StringType)
          .add("task", DataTypes.StringType)
          .add("tokens", DataTypes.StringType);

  private Verdicts() {}

  /** One row in the order of all rows. */
  private record Entry(long ordinal, boolean pinned, String id, String task) {}

  /**
   * In one thread and in memory.
   *
   * @param entries pinned, id, task and tokens of the rows, in their order
   * @param similar whether lists are compared at all, or only equal ones are duplicates
   */
  static List<Row> plain(List<Row> entries, double threshold, boolean similar) {
    Map<String, Entry> first = new LinkedHashMap<>();
    Map<String, Integer> copies = new HashMap<>();
    int pinned = 0;
    for (Row row : entries) {
      String tokens = row.getString(3);
      if (tokens.isEmpty()) {
        continue; // It equals nothing.
      }
      var entry = new Entry(first.size(), row.getBoolean(0), row.getString(1), row.getString(2));
      if (first.putIfAbsent(tokens, entry) == null && entry.pinned()) {
        pinned++;
      }
      copies.merge(tokens, 1, Integer::sum);
    }
    Map<Long, Exclusion> exclusions = new HashMap<>();
    if (similar) {
      PlainGate.exclusions(List.copyOf(first.keySet()), pinned, threshold)
          .forEach(exclusion -> exclusions.put(exclusion.ordinal(), exclusion));
    }
    List<Entry> byOrdinal = new ArrayList<>(first.values());
    List<Row> verdicts = new ArrayList<>();
    first.forEach(
        (tokens, entry) -> {
          @Nullable Exclusion exclusion = exclusions.get(entry.ordinal());
          if (exclusion != null) {
            String keptId = byOrdinal.get((int) exclusion.keptOrdinal()).id();
            verdicts.add(RowFactory.create(tokens, keptId, exclusion.score(), null));
          } else if (copies.get(tokens) > 1) {
            verdicts.add(
                RowFactory.create(tokens, entry.id(), 1.0, entry.pinned() ? null : entry.task()));
          }
        });
    return verdicts;
  }

  /** The distinct lists: tokens, the ordinal, pinned, id and task of their first row, rows. */
  static Dataset<Row> lists(SparkSession spark, Dataset<Row> ordered) {
    JavaRDD<Row> entries =
        ordered
            .select("pinned", "id", "task", "tokens")
            .toJavaRDD()
            .zipWithIndex()
            .map(
                pair -> {
                  Row row = pair._1();
                  return RowFactory.create(
                      pair._2(), row.get(0), row.get(1), row.get(2), row.get(3));
                });
    return spark
        .createDataFrame(entries, ENTRY)
        .where(col("tokens").notEqual(""))
        .groupBy("tokens")
        .agg(min(struct("ordinal", "pinned", "id", "task")).as("first"), count(lit(1)).as("rows"))
        .select("tokens", "first.*", "rows");
  }

  /** On Spark. */
  static Dataset<Row> distributed(
      SparkSession spark, Dataset<Row> lists, List<JavaRDD<Exclusion>> exclusions) {
    StructType schema =
        new StructType()
            .add("ordinal", DataTypes.LongType, false)
            .add("kept_ordinal", DataTypes.LongType, false)
            .add("score", DataTypes.DoubleType, false);
    Dataset<Row> excluded = spark.createDataFrame(List.<Row>of(), schema);
    for (JavaRDD<Exclusion> pass : exclusions) {
      excluded =
          excluded.union(
              spark.createDataFrame(
                  pass.map(
                      each -> RowFactory.create(each.ordinal(), each.keptOrdinal(), each.score())),
                  schema));
    }
    Dataset<Row> keptIds =
        lists.select(col("ordinal").as("kept_ordinal"), col("id").as("excluding_id"));
    return lists
        .join(excluded.join(keptIds, "kept_ordinal"), "ordinal", "left")
        .where(col("excluding_id").isNotNull().or(col("rows").gt(1)))
        .select(
            col("tokens"),
            coalesce(col("excluding_id"), col("id")).as("kept_id"),
            coalesce(col("score"), lit(1.0)).as("score"),
            when(col("excluding_id").isNull().and(not(col("pinned"))), col("task"))
                .as("kept_task"));
  }
}
