package dev.distillery.jobs.complete;

import dev.distillery.core.run.Figures;
import dev.distillery.spark.fanout.FanoutFigures;
import java.util.Map;
import java.util.TreeMap;

/**
 * What job `complete` has done; its unit is the request.
 *
 * @param requests requests of the input: rows times samples
 * @param reused replies taken from other runs
 * @param rejects rows that were not asked about, by rule
 * @param fanout what was asked and used
 */
public record CompleteSummary(
    long requests, long reused, Map<String, Long> rejects, FanoutFigures fanout)
    implements Figures {
  @Override
  public Map<String, Number> figures() {
    var figures = new TreeMap<String, Number>(fanout.named());
    figures.put("requests", requests);
    figures.put("requests_reused", reused);
    return Map.copyOf(figures);
  }
}
