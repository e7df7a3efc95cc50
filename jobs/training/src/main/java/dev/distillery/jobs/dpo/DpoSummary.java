package dev.distillery.jobs.dpo;

import dev.distillery.core.run.RunSummary;
import dev.distillery.core.run.Summary;
import java.util.Map;

/**
 * What a run of dpo has done, or would do; its unit is the pair.
 *
 * @param training figures of the pairs and of the training itself
 * @param output folder of the model or the adapter
 */
public record DpoSummary(RunSummary run, Map<String, Number> training, String output)
    implements Summary {
  public DpoSummary {
    training = Map.copyOf(training);
  }
}
