package dev.distillery.jobs.judge;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.length;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;

import dev.distillery.core.rating.LengthControlled;
import dev.distillery.core.rating.LengthControlled.Item;
import dev.distillery.core.run.JobException;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.warehouse.Table;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/**
 * AlpacaEval's length-controlled win rate of judgements. Of each item three numbers come to the
 * driver, of so many items at most; of more there is no such figure.
 */
final class LengthControl {
  static final int MOST_ITEMS = 50_000;

  private static final Table DIFFICULTIES =
      new Table(
          "difficulties",
          "How hard an instruction is.",
          new StructType()
              .add("id", DataTypes.StringType, false, "Row of the instruction")
              .add(
                  "difficulty",
                  DataTypes.DoubleType,
                  false,
                  "AlpacaEval's instruction_difficulty"));

  private LengthControl() {}

  /**
   * The figure of each criterion, under a name that tells whether difficulties were known.
   *
   * @param judged as {@link ReadReplies} gives it
   */
  static Map<String, Number> of(
      JobRun run, JudgeOptions options, List<@Nullable String> criteria, Dataset<Row> judged) {
    long most = judged.count() / criteria.size();
    if (most > MOST_ITEMS) {
      run.progress()
          .say(
              "No length-controlled win rate: it is fitted over "
                  + MOST_ITEMS
                  + " pairs at most, found "
                  + most);
      return Map.of();
    }
    boolean difficult = !options.difficulties().isEmpty();
    Dataset<Row> rows =
        difficult
            ? withDifficulties(run, options, judged)
            : judged.withColumn("difficulty", lit(null).cast(DataTypes.DoubleType));
    String name = difficult ? "length_controlled_win_rate" : "length_controlled_minimal_win_rate";
    var figures = new TreeMap<String, Number>();
    for (String criterion : criteria) {
      Column own =
          criterion == null ? col("criterion").isNull() : col("criterion").equalTo(criterion);
      List<Item> items =
          rows
              .where(own)
              .sort("id")
              .select(
                  col("score"), length(col("answer_b")), length(col("answer_a")), col("difficulty"))
              .collectAsList()
              .stream()
              .map(
                  row ->
                      new Item(
                          row.isNullAt(0)
                              ? OptionalDouble.empty()
                              : OptionalDouble.of(row.getDouble(0) - 1),
                          row.getInt(1),
                          row.getInt(2),
                          row.isNullAt(3)
                              ? OptionalDouble.empty()
                              : OptionalDouble.of(row.getDouble(3))))
              .toList();
      String suffix = criterion == null ? "" : "." + criterion;
      LengthControlled.fit(items)
          .ifPresent(
              fit -> {
                figures.put(name + suffix, fit.winRate());
                fit.standardError()
                    .ifPresent(error -> figures.put(name + "_stderr" + suffix, error));
              });
    }
    return figures;
  }

  /**
   * Makes sure that there are difficulties of all that is to be judged, where there are any.
   *
   * @param items as {@link AnswerSets#judged} gives them
   */
  static void check(JobRun run, JudgeOptions options, Dataset<Row> items) {
    if (options.difficulties().isEmpty()) {
      return;
    }
    List<Row> without =
        withDifficulties(run, options, items)
            .where(col("difficulty").isNull())
            .select("id")
            .sort("id")
            .limit(1)
            .collectAsList();
    if (!without.isEmpty()) {
      throw JobException.invalid(
          "Option --difficulties: "
              + options.difficulties()
              + " has none of the id '"
              + without.get(0).getString(0)
              + "'; give one of every id, or leave the option out");
    }
  }

  private static Dataset<Row> withDifficulties(
      JobRun run, JudgeOptions options, Dataset<Row> rows) {
    Dataset<Row> difficulties =
        run.sideInputs(options.difficulties(), DIFFICULTIES)
            .groupBy("id")
            .agg(max("difficulty").as("difficulty"));
    return rows.join(difficulties, new String[] {"id"}, "left");
  }
}
