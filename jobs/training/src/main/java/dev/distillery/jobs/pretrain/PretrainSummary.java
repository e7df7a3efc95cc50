package dev.distillery.jobs.pretrain;

import dev.distillery.core.run.RunSummary;
import dev.distillery.core.run.Summary;
import java.util.Map;

/**
 * What a run of pretrain has done, or would do; its unit is the document.
 *
 * @param training figures of the documents and of the training itself
 * @param output folder of the model
 */
public record PretrainSummary(RunSummary run, Map<String, Number> training, String output)
    implements Summary {
  public PretrainSummary {
    training = Map.copyOf(training);
  }
}
