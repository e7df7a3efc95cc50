package dev.distillery.jobs.pretrain;

import dev.distillery.core.run.Figures;
import dev.distillery.training.tokens.TokenCounts;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a run of pretrain has done, or would do.
 *
 * @param counts what became of all documents
 * @param training figures of the training itself
 * @param output folder of the model
 */
record PretrainSummary(TokenCounts counts, Map<String, Number> training, String output)
    implements Figures {
  PretrainSummary {
    training = Map.copyOf(training);
  }

  @Override
  public Map<String, Long> rejects() {
    return counts.rejects();
  }

  @Override
  public Map<String, Number> figures() {
    Map<String, Number> figures = new TreeMap<>(counts.figures());
    figures.putAll(training);
    return figures;
  }

  @Override
  public Map<String, Object> members() {
    return Map.of("output", output);
  }
}
