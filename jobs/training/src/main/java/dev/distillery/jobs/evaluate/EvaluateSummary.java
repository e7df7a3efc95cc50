package dev.distillery.jobs.evaluate;

import dev.distillery.core.run.RunSummary;
import dev.distillery.core.run.Summary;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * What an evaluate run found; its unit is the item of a model.
 *
 * @param items of all tasks and models
 * @param evaluated those that have their metrics, or would have
 * @param resumed those whose scores or answers an earlier try had left
 * @param shotsCut items that were shown fewer shots, so that they fit the context
 * @param shotTokensCut tokens of those shots
 * @param computeSeconds spent on scoring and writing, of all models
 * @param results figures by model, task and metric
 */
public record EvaluateSummary(
    RunSummary run,
    long items,
    long evaluated,
    OptionalLong resumed,
    OptionalLong shotsCut,
    OptionalLong shotTokensCut,
    Optional<Double> computeSeconds,
    List<Result> results)
    implements Summary {
  public EvaluateSummary {
    results = List.copyOf(results);
  }

  /**
   * A figure.
   *
   * @param model as the table evaluations names it
   * @param task name of the task
   * @param metric name of the metric
   * @param value of all items
   * @param stderr its standard error; null for BLEU, and where there is one item
   * @param items that it is of
   */
  public record Result(
      String model,
      String task,
      String metric,
      double value,
      @Nullable Double stderr,
      long items) {}
}
