package dev.distillery.jobs.complete;

import dev.distillery.core.run.Figures;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What a run of job `complete` would ask and cost.
 *
 * @param requests rows times samples
 * @param promptTokens estimate of all tokens read
 * @param mostCompletionTokens tokens written if every reply took its whole length
 * @param mostCostUsd cost in that case; empty where there is no price
 */
public record CompletePlan(
    long requests, long promptTokens, long mostCompletionTokens, Optional<Double> mostCostUsd)
    implements Figures {
  @Override
  public Map<String, Number> figures() {
    var figures = new TreeMap<String, Number>();
    figures.put("requests", requests);
    figures.put("prompt_tokens_estimate", promptTokens);
    figures.put("completion_tokens_at_most", mostCompletionTokens);
    mostCostUsd.ifPresent(cost -> figures.put("cost_usd_at_most", cost));
    return Map.copyOf(figures);
  }
}
