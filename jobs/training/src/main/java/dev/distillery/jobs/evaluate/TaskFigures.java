package dev.distillery.jobs.evaluate;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.element_at;
import static org.apache.spark.sql.functions.explode;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.sum;

import dev.distillery.core.text.Bleu;
import dev.distillery.jobs.evaluate.EvaluateSummary.Result;
import dev.distillery.training.evaluate.EvalTask;
import dev.distillery.training.evaluate.ItemEvaluator;
import dev.distillery.training.evaluate.Metric;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
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

  /** What a log-probability is divided by. */
  private static final List<String> UNITS =
      List.of(ItemEvaluator.TOKENS, ItemEvaluator.WORDS, ItemEvaluator.BYTES);

  private static final Sums NONE = new Sums(0, 0, 0);

  /** Sums of a metric, or count, over the items that have it. */
  private record Sums(long items, double sum, double squares) {}

  /** Sums of one task and model. */
  private record Key(String task, String model) {}

  private final Map<Key, Map<String, Sums>> sums = new HashMap<>();

  /** Of the log-probability times its units. */
  private final Map<Key, Map<String, Double>> products = new HashMap<>();

  private TaskFigures() {}

  /** Figures of tasks, in their order, by model. */
  static List<Result> of(Dataset<Row> evaluations, List<EvalTask> tasks) {
    var figures = new TaskFigures();
    figures.add(evaluations);
    List<Result> results = new ArrayList<>();
    for (EvalTask task : tasks) {
      TreeSet<String> models = new TreeSet<>();
      figures.sums.keySet().stream()
          .filter(key -> key.task().equals(task.name()))
          .forEach(key -> models.add(key.model()));
      for (Metric metric : task.metrics()) {
        models.forEach(
            model ->
                figures.result(new Key(task.name(), model), task, metric).ifPresent(results::add));
      }
    }
    return results;
  }

  private void add(Dataset<Row> evaluations) {
    for (Row row :
        evaluations
            .select(col("task"), col("model"), explode(col("metrics")).as(names()))
            .groupBy("task", "model", "metric")
            .agg(count(lit(1)), exact(col("value")), exact(col("value").multiply(col("value"))))
            .collectAsList()) {
      sums.computeIfAbsent(new Key(row.getString(0), row.getString(1)), key -> new HashMap<>())
          .put(row.getString(2), new Sums(row.getLong(3), row.getDouble(4), row.getDouble(5)));
    }
    Column[] columns =
        UNITS.stream()
            .map(unit -> exact(value(ItemEvaluator.LOGPROB).multiply(value(unit))))
            .toArray(Column[]::new);
    for (Row row :
        evaluations.groupBy("task", "model").agg(count(lit(1)), columns).collectAsList()) {
      Map<String, Double> each = new HashMap<>();
      for (int i = 0; i < UNITS.size(); i++) {
        each.put(UNITS.get(i), row.getDouble(3 + i));
      }
      products.put(new Key(row.getString(0), row.getString(1)), each);
    }
  }

  private static String[] names() {
    return new String[] {"metric", "value"};
  }

  private static Column value(String name) {
    return coalesce(element_at(col("metrics"), name), lit(0.0));
  }

  private static Column exact(Column value) {
    return sum(value.cast(EXACT)).cast("double");
  }

  private Sums sums(Key key, String name) {
    return sums.getOrDefault(key, Map.of()).getOrDefault(name, NONE);
  }

  private Optional<Result> result(Key key, EvalTask task, Metric metric) {
    if (metric == Metric.BLEU) {
      return bleu(key);
    }
    return metric.averaged() ? mean(key, metric) : ratio(key, task, metric);
  }

  private Optional<Result> mean(Key key, Metric metric) {
    Sums found = sums(key, metric.word());
    long n = found.items();
    if (n == 0) {
      return Optional.empty();
    }
    double mean = found.sum() / n;
    double variance = Math.max(0, found.squares() - n * mean * mean) / (n - 1);
    return Optional.of(result(key, metric, mean, error(n, Math.sqrt(variance / n)), n));
  }

  private static @Nullable Double error(long items, double error) {
    return items > 1 ? error : null;
  }

  private static Result result(
      Key key, Metric metric, double value, @Nullable Double error, long items) {
    return new Result(key.model(), key.task(), metric.word(), value, error, items);
  }

  /** exp of minus the log-probability for each unit, over all items. */
  private Optional<Result> ratio(Key key, EvalTask task, Metric metric) {
    Sums logprob = sums(key, ItemEvaluator.LOGPROB);
    long n = logprob.items();
    if (n == 0) {
      return Optional.empty();
    }
    String unit =
        switch (metric) {
          case WORD_PERPLEXITY -> ItemEvaluator.WORDS;
          case BYTE_PERPLEXITY, BITS_PER_BYTE -> ItemEvaluator.BYTES;
          default -> ItemEvaluator.TOKENS;
        };
    boolean each = metric == Metric.PERPLEXITY && !task.isDocument();
    Sums units = each ? new Sums(n, n, n) : sums(key, unit);
    double product =
        each ? logprob.sum() : products.getOrDefault(key, Map.of()).getOrDefault(unit, 0.0);
    double ratio = logprob.sum() / units.sum();
    double squares = logprob.squares() - 2 * ratio * product + ratio * ratio * units.squares();
    double ofRatio = Math.sqrt(Math.max(0, squares) / (n - 1) * n) / units.sum();
    boolean bits = metric == Metric.BITS_PER_BYTE;
    double value = bits ? -ratio / Math.log(2) : Math.exp(-ratio);
    double error = bits ? ofRatio / Math.log(2) : value * ofRatio;
    return Optional.of(result(key, metric, value, error(n, error), n));
  }

  private Optional<Result> bleu(Key key) {
    Sums length = sums(key, "bleu_length");
    if (length.items() == 0) {
      return Optional.empty();
    }
    Bleu.Counts counts =
        new Bleu.Counts(
            longs(key, "bleu_correct_"),
            longs(key, "bleu_total_"),
            Math.round(length.sum()),
            Math.round(sums(key, "bleu_reference").sum()));
    return Optional.of(result(key, Metric.BLEU, Bleu.score(counts), null, length.items()));
  }

  private List<Long> longs(Key key, String part) {
    return IntStream.rangeClosed(1, Bleu.ORDERS)
        .mapToObj(order -> Math.round(sums(key, part + order).sum()))
        .toList();
  }
}
