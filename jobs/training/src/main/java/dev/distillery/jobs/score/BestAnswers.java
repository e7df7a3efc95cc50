package dev.distillery.jobs.score;

import static org.apache.spark.sql.functions.avg;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.row_number;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.when;

import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.sql.expressions.WindowSpec;

/** The best of the first n answers to each prompt, in the order of their rows' ids. */
final class BestAnswers {
  private static final WindowSpec PROMPT = Window.partitionBy("prompt_id", "step");
  private static final WindowSpec IN_ORDER = PROMPT.orderBy("id", "part", "answer_id");
  private static final WindowSpec BEST_FIRST =
      PROMPT.orderBy(
          col("score").desc(), col("id").asc(), col("part").asc(), col("answer_id").asc());

  private final Dataset<Row> ranked;
  private final int n;

  /**
   * @param scored answers in the columns of {@code ScoreAnswers}, none of them rejected
   * @param n answers that are compared
   */
  BestAnswers(Dataset<Row> scored, int n) {
    this.n = n;
    this.ranked =
        scored
            .withColumn("place", row_number().over(IN_ORDER))
            .withColumn("all", count(lit(1)).over(PROMPT))
            .where(col("place").leq(n));
  }

  /** The rows of {@code best_of}. */
  Dataset<Row> rows(String model) {
    Dataset<Row> full = ranked.where(col("all").geq(n));
    return full.withColumn("rank", row_number().over(BEST_FIRST))
        .withColumn("mean_score", exactMean(col("score")).over(PROMPT).cast("double"))
        .where(col("rank").equalTo(1))
        .select(
            col("prompt_id").as("id"),
            lit(model).as("model"),
            col("answer_id"),
            col("id").as("row_id"),
            col("prompt"),
            col("answer"),
            col("score"),
            col("mean_score"),
            lit(n).as("answers"),
            col("step"),
            col("source"),
            col("license"));
  }

  /** The figures of those rows. */
  ScoreSummary.BestOf summary(Dataset<Row> best) {
    Row means =
        best.agg(
                count(lit(1)),
                exactMean(col("score")).cast("double"),
                exactMean(col("mean_score")).cast("double"))
            .head();
    Row firsts =
        ranked
            .where(col("place").equalTo(1))
            .agg(
                sum(when(col("all").lt(n), 1).otherwise(0)),
                exactMean(when(col("all").geq(n), col("score"))).cast("double"))
            .head();
    return new ScoreSummary.BestOf(
        means.getLong(0),
        firsts.isNullAt(0) ? 0 : firsts.getLong(0),
        number(means, 1),
        number(firsts, 1),
        number(means, 2),
        Math.log(n) - (n - 1.0) / n);
  }

  private static double number(Row row, int at) {
    return row.isNullAt(at) ? 0 : row.getDouble(at);
  }

  /** Partitions change no bit of it. */
  static Column exactMean(Column score) {
    return avg(score.cast("decimal(30,12)"));
  }
}
