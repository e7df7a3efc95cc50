package dev.distillery.jobs.reward;

import dev.distillery.core.run.RunSummary;
import dev.distillery.core.run.Summary;
import java.util.List;
import java.util.Map;

/**
 * What a run of reward has done, or would do; its unit is the comparison.
 *
 * @param training figures of the comparisons, of the training itself and of the held-out ones
 * @param bySource held-out comparisons by their source
 * @param byLength held-out comparisons by the characters that the chosen answer has more
 * @param output folder of the model or the adapter
 */
public record RewardSummary(
    RunSummary run,
    Map<String, Number> training,
    List<Group> bySource,
    List<Group> byLength,
    String output)
    implements Summary {

  /**
   * Some held-out comparisons.
   *
   * @param name of the source, or of the range
   * @param pairs how many
   * @param accuracy share of them whose chosen answer scores higher
   * @param margin mean difference of the scores
   */
  public record Group(String name, long pairs, double accuracy, double margin) {}

  public RewardSummary {
    training = Map.copyOf(training);
    bySource = List.copyOf(bySource);
    byLength = List.copyOf(byLength);
  }
}
