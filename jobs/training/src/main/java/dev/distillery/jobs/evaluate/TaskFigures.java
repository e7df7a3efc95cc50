package dev.distillery.jobs.evaluate;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.element_at;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.sum;

import dev.distillery.core.text.Bleu;
import dev.distillery.jobs.evaluate.EvaluateSummary.Result;
import dev.distillery.training.evaluate.EvalTask;
import dev.distillery.training.evaluate.ItemEvaluator;
import dev.distillery.training.evaluate.Metric;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.jspecify.annotations.Nullable;

/**
 * Figures of tasks out of the rows of {@code evaluations}. Sums are exact decimals of 12 places, so
 * they depend on no partition. Standard errors are those of a mean over items; of a perplexity
 * those of the ratio beneath it, by the delta method (lm-evaluation-harness draws bootstraps).
 */
final class TaskFigures {
  private static final String EXACT = "decimal(38,12)";

  private TaskFigures() {}

  /** Figures of a task, by model. */
  static List<Result> of(Dataset<Row> evaluations, EvalTask task) {
    List<Result> results = new ArrayList<>();
    Dataset<Row> rows = evaluations.where(col("task").equalTo(task.name()));
    for (Metric metric : task.metrics()) {
      if (metric.averaged()) {
        means(rows, task, metric, results);
      } else if (metric == Metric.BLEU) {
        bleu(rows, task, results);
      } else {
        ratios(rows, task, metric, results);
      }
    }
    return results;
  }

  private static Column value(String name) {
    return coalesce(element_at(col("metrics"), name), lit(0.0));
  }

  private static Column exact(Column value) {
    return sum(value.cast(EXACT)).cast("double");
  }

  private static void means(Dataset<Row> rows, EvalTask task, Metric metric, List<Result> results) {
    Column value = value(metric.word());
    for (Row row :
        rows.groupBy("model")
            .agg(count(lit(1)), exact(value), exact(value.multiply(value)))
            .orderBy("model")
            .collectAsList()) {
      long n = row.getLong(1);
      double mean = row.getDouble(2) / n;
      double variance = Math.max(0, row.getDouble(3) - n * mean * mean) / (n - 1);
      results.add(result(row, task, metric, mean, error(n, Math.sqrt(variance / n))));
    }
  }

  private static @Nullable Double error(long items, double error) {
    return items > 1 ? error : null;
  }

  private static Result result(
      Row row, EvalTask task, Metric metric, double value, @Nullable Double error) {
    return new Result(row.getString(0), task.name(), metric.word(), value, error, row.getLong(1));
  }

  /** exp of minus the log-probability for each unit, over all items. */
  private static void ratios(
      Dataset<Row> rows, EvalTask task, Metric metric, List<Result> results) {
    Column logprob = value(ItemEvaluator.LOGPROB);
    Column units =
        switch (metric) {
          case WORD_PERPLEXITY -> value(ItemEvaluator.WORDS);
          case BYTE_PERPLEXITY, BITS_PER_BYTE -> value(ItemEvaluator.BYTES);
          default -> task.isDocument() ? value(ItemEvaluator.TOKENS) : lit(1.0);
        };
    for (Row row :
        rows.groupBy("model")
            .agg(
                count(lit(1)),
                exact(logprob),
                exact(units),
                exact(logprob.multiply(logprob)),
                exact(logprob.multiply(units)),
                exact(units.multiply(units)))
            .orderBy("model")
            .collectAsList()) {
      long n = row.getLong(1);
      double ratio = row.getDouble(2) / row.getDouble(3);
      double squares =
          row.getDouble(4) - 2 * ratio * row.getDouble(5) + ratio * ratio * row.getDouble(6);
      double ofRatio = Math.sqrt(Math.max(0, squares) / (n - 1) * n) / row.getDouble(3);
      boolean bits = metric == Metric.BITS_PER_BYTE;
      double value = bits ? -ratio / Math.log(2) : Math.exp(-ratio);
      double error = bits ? ofRatio / Math.log(2) : value * ofRatio;
      results.add(result(row, task, metric, value, error(n, error)));
    }
  }

  private static void bleu(Dataset<Row> rows, EvalTask task, List<Result> results) {
    List<Column> sums = new ArrayList<>();
    sums.add(exact(value("bleu_length")));
    sums.add(exact(value("bleu_reference")));
    for (String part : List.of("bleu_correct_", "bleu_total_")) {
      IntStream.rangeClosed(1, Bleu.ORDERS).forEach(order -> sums.add(exact(value(part + order))));
    }
    for (Row row :
        rows.groupBy("model")
            .agg(count(lit(1)), sums.toArray(Column[]::new))
            .orderBy("model")
            .collectAsList()) {
      Bleu.Counts counts =
          new Bleu.Counts(longs(row, 4), longs(row, 4 + Bleu.ORDERS), whole(row, 2), whole(row, 3));
      results.add(result(row, task, Metric.BLEU, Bleu.score(counts), null));
    }
  }

  private static List<Long> longs(Row row, int from) {
    return IntStream.range(from, from + Bleu.ORDERS).mapToObj(i -> whole(row, i)).toList();
  }

  private static long whole(Row row, int column) {
    return Math.round(row.getDouble(column));
  }
}
