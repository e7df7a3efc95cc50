package dev.distillery.jobs.evaluate;

import dev.distillery.core.run.RunSummary;
import dev.distillery.core.run.Summary;
import dev.distillery.spark.fanout.FanoutFigures;
import dev.distillery.spark.fanout.RequestPlan;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * What an evaluate run found; its unit is the item of a model and repeat.
 *
 * @param items of all tasks, models and repeats
 * @param evaluated those that have their metrics, or would have
 * @param resumed those whose scores or answers an earlier try had left
 * @param shotsCut items that were shown fewer shots, so that they fit the context
 * @param shotTokensCut tokens of those shots
 * @param computeSeconds spent on scoring and writing, of all models
 * @param requests that teachers would be sent; of a dry run
 * @param teacher what asking for written answers took; empty where none were, and in a dry run
 * @param plan what asking them would take; of a dry run
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
    Optional<Long> requests,
    Optional<FanoutFigures> teacher,
    Optional<RequestPlan> plan,
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
   * @param value of all items; of several repeats their mean
   * @param stderr its standard error over the items; null for BLEU, and where there is one item; of
   *     several repeats the mean of theirs
   * @param repeatStdev standard deviation of the value between repeats; null where there is one
   * @param items that it is of; of several repeats the fewest
   */
  public record Result(
      String model,
      String task,
      String metric,
      double value,
      @Nullable Double stderr,
      @Nullable Double repeatStdev,
      long items) {}
}
