package dev.distillery.jobs.reward;

import static org.apache.spark.sql.functions.avg;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.when;

import dev.distillery.training.reward.AnswerLooks;
import java.util.Comparator;
import java.util.List;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * Rules that prefer one of two answers by its looks alone: the longer, the shorter, the one that
 * repeats the prompt less, or more. A reward model has to be better than the one that does best on
 * the training part. Where looks are equal a rule tosses a coin, and counts a half.
 *
 * @param longer share of the training part whose chosen answer is the longer
 * @param less share of it whose chosen answer repeats the prompt less
 */
record LookRules(double longer, double less) {
  private static final StructType LOOKS =
      new StructType().add("longer", DataTypes.IntegerType).add("copied", DataTypes.DoubleType);

  private static final Column LONGER = share(col("longer"));
  private static final Column LESS = share(col("copied").multiply(-1));

  /**
   * What a rule gets.
   *
   * @param key in the names of figures
   * @param name for a person
   * @param training share that it gets right of the training part
   * @param heldOut share that it gets right of the others
   */
  record Rule(String key, String name, double training, double heldOut) {}

  private static Column share(Column more) {
    return avg(when(more.gt(0), 1.0).when(more.lt(0), 0.0).otherwise(0.5));
  }

  /** Looks at the comparisons that were trained on. */
  static LookRules of(Dataset<Row> training) {
    Row shares =
        training
            .where(col("chosen").notEqual(col("rejected")))
            .map(
                (MapFunction<Row, Row>)
                    row -> {
                      AnswerLooks looks = AnswerLooks.of(row);
                      return RowFactory.create(looks.longer(), looks.copied());
                    },
                Encoders.row(LOOKS))
            .agg(LONGER, LESS)
            .head();
    return new LookRules(shares.getDouble(0), shares.getDouble(1));
  }

  /** All rules on other comparisons, with their columns {@code longer} and {@code copied}. */
  List<Rule> on(Dataset<Row> held) {
    Row shares = held.agg(LONGER, LESS).head();
    return List.of(
        new Rule("longer_wins", "the longer answer wins", longer, shares.getDouble(0)),
        new Rule("shorter_wins", "the shorter answer wins", 1 - longer, 1 - shares.getDouble(0)),
        new Rule(
            "repeats_less_wins",
            "the answer that repeats the prompt less wins",
            less,
            shares.getDouble(1)),
        new Rule(
            "repeats_more_wins",
            "the answer that repeats the prompt more wins",
            1 - less,
            1 - shares.getDouble(1)));
  }

  /** The rule that does best on the training part. */
  static Rule fitted(List<Rule> rules) {
    return rules.stream().max(Comparator.comparingDouble(Rule::training)).orElseThrow();
  }
}
