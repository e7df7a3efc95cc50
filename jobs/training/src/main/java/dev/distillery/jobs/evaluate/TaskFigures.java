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
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;
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

  /** Sums of one task, model and repeat. */
  private record Key(String task, String model, int repeat) {}

  private final Map<Key, Map<String, Sums>> sums = new HashMap<>();

  /** Of the log-probability times its units. */
  private final Map<Key, Map<String, Double>> products = new HashMap<>();

  private TaskFigures() {}

  /**
   * Figures of tasks, in their order, by model.
   *
   * @param samples answers to each item that was written to
   */
  static List<Result> of(Dataset<Row> evaluations, List<EvalTask> tasks, int samples) {
    var figures = new TaskFigures();
    figures.add(evaluations);
    List<Result> results = new ArrayList<>();
    for (EvalTask task : tasks) {
      TreeMap<String, List<Key>> models = new TreeMap<>();
      figures.sums.keySet().stream()
          .filter(key -> key.task().equals(task.name()))
          .sorted(Comparator.comparingInt(Key::repeat))
          .forEach(key -> models.computeIfAbsent(key.model(), one -> new ArrayList<>()).add(key));
      for (Metric metric : task.metrics()) {
        for (String name : metric.figures(samples)) {
          models
              .values()
              .forEach(
                  repeats ->
                      together(
                              repeats.stream()
                                  .flatMap(key -> figures.result(key, task, metric, name).stream())
                                  .toList())
                          .ifPresent(results::add));
        }
      }
    }
    return results;
  }

  /** The mean of repeats, and how far they lie apart. */
  private static Optional<Result> together(List<Result> repeats) {
    if (repeats.size() < 2) {
      return repeats.stream().findFirst();
    }
    Result first = repeats.get(0);
    double mean = repeats.stream().mapToDouble(Result::value).average().orElseThrow();
    double squares =
        repeats.stream().mapToDouble(each -> (each.value() - mean) * (each.value() - mean)).sum();
    OptionalDouble error =
        repeats.stream()
            .map(Result::stderr)
            .filter(Objects::nonNull)
            .mapToDouble(Double::doubleValue)
            .average();
    return Optional.of(
        new Result(
            first.model(),
            first.task(),
            first.metric(),
            mean,
            error.isPresent() ? error.getAsDouble() : null,
            Math.sqrt(squares / (repeats.size() - 1)),
            repeats.stream().mapToLong(Result::items).min().orElseThrow()));
  }

  private void add(Dataset<Row> evaluations) {
    for (Row row :
        evaluations
            .select(col("task"), col("model"), col("repeat"), explode(col("metrics")).as(names()))
            .groupBy("task", "model", "repeat", "metric")
            .agg(count(lit(1)), exact(col("value")), exact(col("value").multiply(col("value"))))
            .collectAsList()) {
      sums.computeIfAbsent(key(row), key -> new HashMap<>())
          .put(row.getString(3), new Sums(row.getLong(4), row.getDouble(5), row.getDouble(6)));
    }
    Column[] columns =
        UNITS.stream()
            .map(unit -> exact(value(ItemEvaluator.LOGPROB).multiply(value(unit))))
            .toArray(Column[]::new);
    for (Row row :
        evaluations
            .groupBy("task", "model", "repeat")
            .agg(count(lit(1)), columns)
            .collectAsList()) {
      Map<String, Double> each = new HashMap<>();
      for (int i = 0; i < UNITS.size(); i++) {
        each.put(UNITS.get(i), row.getDouble(4 + i));
      }
      products.put(key(row), each);
    }
  }

  private static Key key(Row row) {
    return new Key(row.getString(0), row.getString(1), row.getInt(2));
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

  private Optional<Result> result(Key key, EvalTask task, Metric metric, String name) {
    if (metric == Metric.BLEU) {
      return bleu(key);
    }
    return metric.averaged() ? mean(key, name) : ratio(key, task, metric);
  }

  private Optional<Result> mean(Key key, String metric) {
    Sums found = sums(key, metric);
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
      Key key, String metric, double value, @Nullable Double error, long items) {
    return new Result(key.model(), key.task(), metric, value, error, null, items);
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
    return Optional.of(result(key, metric.word(), value, error(n, error), n));
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
    return Optional.of(result(key, Metric.BLEU.word(), Bleu.score(counts), null, length.items()));
  }

  private List<Long> longs(Key key, String part) {
    return IntStream.rangeClosed(1, Bleu.ORDERS)
        .mapToObj(order -> Math.round(sums(key, part + order).sum()))
        .toList();
  }
}
