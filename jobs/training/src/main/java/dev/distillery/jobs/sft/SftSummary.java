package dev.distillery.jobs.sft;

import dev.distillery.core.run.Figures;
import dev.distillery.training.tokens.TokenCounts;
import dev.distillery.training.tokens.TrainingInputs.Share;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a run of sft has done, or would do.
 *
 * @param counts what became of all rows
 * @param shares the same by input
 * @param training figures of the training itself
 * @param output folder of the model or the adapter
 */
record SftSummary(
    TokenCounts counts, List<Share> shares, Map<String, Number> training, String output)
    implements Figures {
  SftSummary {
    shares = List.copyOf(shares);
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
    List<Map<String, Object>> inputs = new ArrayList<>();
    for (Share share : shares) {
      Map<String, Object> input = new LinkedHashMap<>();
      input.put("ref", share.ref());
      input.put("weight", share.weight());
      input.put("rows_read", share.counts().rowsRead());
      input.put("rows_kept", share.counts().rowsKept());
      input.put("rows_per_epoch", share.rowsPerEpoch());
      inputs.add(input);
    }
    return Map.of("inputs", inputs, "output", output);
  }
}
