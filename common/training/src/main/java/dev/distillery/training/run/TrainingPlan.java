package dev.distillery.training.run;

import java.util.Map;
import java.util.TreeMap;

/**
 * What a run will take.
 *
 * @param rows of one epoch
 * @param stepsPerEpoch a last step with fewer micro-batches included
 * @param totalSteps of the run
 * @param trainedParameters values that the optimiser moves
 * @param figures of a dry run's summary: the above, tokens, bytes of memory, operations, the steps
 *     that an earlier try has taken and the learning rate of the next
 */
public record TrainingPlan(
    long rows,
    long stepsPerEpoch,
    long totalSteps,
    long trainedParameters,
    Map<String, Number> figures) {
  public TrainingPlan {
    figures = Map.copyOf(new TreeMap<>(figures));
  }
}
