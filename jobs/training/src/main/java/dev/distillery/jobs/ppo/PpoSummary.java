package dev.distillery.jobs.ppo;

import dev.distillery.core.run.RunSummary;
import dev.distillery.core.run.Summary;
import java.util.Map;

/**
 * What a run of ppo has done, or would do; its unit is the row that a prompt is made of.
 *
 * @param training figures of the prompts and of the training itself
 * @param output folder of the model or the adapter
 */
public record PpoSummary(RunSummary run, Map<String, Number> training, String output)
    implements Summary {
  public PpoSummary {
    training = Map.copyOf(training);
  }
}
