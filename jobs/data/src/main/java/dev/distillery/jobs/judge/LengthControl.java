package dev.distillery.jobs.judge;

import static org.apache.spark.sql.functions.abs;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.input_file_name;
import static org.apache.spark.sql.functions.length;
import static org.apache.spark.sql.functions.lit;

import dev.distillery.core.rating.LengthControlled;
import dev.distillery.core.rating.LengthControlled.Item;
import dev.distillery.core.run.JobException;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.warehouse.SameIds;
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
    Dataset<Row> decided = judged.where(col("rule").isNull());
    long most = decided.count() / criteria.size();
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
            ? withDifficulties(run, options, decided)
            : decided.withColumn("difficulty", lit(null).cast(DataTypes.DoubleType));
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
                          OptionalDouble.of(row.getDouble(0) - 1),
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
   * Makes sure that there is a difficulty of all that is to be judged, where there are any: one
   * number for each id.
   *
   * @param items as {@link AnswerSets#judged} gives them
   */
  static void check(JobRun run, JudgeOptions options, Dataset<Row> items) {
    if (options.difficulties().isEmpty()) {
      return;
    }
    Dataset<Row> given = difficulties(run, options).withColumn("file", input_file_name());
    Column difficulty = col("difficulty");
    for (Row row :
        given
            .where(difficulty.isNull().or(abs(difficulty).geq(lit(Double.POSITIVE_INFINITY))))
            .select("file", "id", "difficulty")
            .sort("file", "id")
            .takeAsList(1)) {
      throw JobException.invalid(
          "Option --difficulties: "
              + row.getString(0)
              + ": the difficulty of the id '"
              + row.getString(1)
              + "' is "
              + row.get(2)
              + "; expected a finite number");
    }
    SameIds.refuse(
        given,
        difficulty.cast(DataTypes.StringType),
        col("file"),
        "difficulties",
        "give --difficulties one for each id");
    for (Row row : items.join(given, new String[] {"id"}, "left_anti").sort("id").takeAsList(1)) {
      throw JobException.invalid(
          "Option --difficulties: "
              + options.difficulties()
              + " has none of the id '"
              + row.<String>getAs("id")
              + "', but of such as '"
              + given.sort("id").head().<String>getAs("id")
              + "'; give one of every id that is judged, or leave the option out");
    }
  }

  private static Dataset<Row> difficulties(JobRun run, JudgeOptions options) {
    return run.sideInputs(options.difficulties(), DIFFICULTIES);
  }

  private static Dataset<Row> withDifficulties(
      JobRun run, JudgeOptions options, Dataset<Row> rows) {
    Dataset<Row> difficulties = difficulties(run, options).select("id", "difficulty").distinct();
    return rows.join(difficulties, new String[] {"id"}, "left");
  }
}
