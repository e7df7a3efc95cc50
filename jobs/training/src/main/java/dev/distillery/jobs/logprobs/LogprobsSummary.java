package dev.distillery.jobs.logprobs;

import dev.distillery.core.run.Figures;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a run of logprobs has done; its unit is the row.
 *
 * @param read rows of the input
 * @param scored rows that were scored, or would be
 * @param tokens tokens that have a log-probability
 * @param logprob their sum, natural logarithm; not a number where nothing was computed
 * @param rejects rows dropped, by rule
 */
record LogprobsSummary(
    long read, long scored, long tokens, double logprob, Map<String, Long> rejects)
    implements Figures {
  LogprobsSummary {
    rejects = Map.copyOf(rejects);
  }

  @Override
  public Map<String, Number> figures() {
    var figures = new TreeMap<String, Number>();
    figures.put("rows_read", read);
    figures.put("rows_scored", scored);
    figures.put("tokens", tokens);
    if (tokens > 0 && !Double.isNaN(logprob)) {
      figures.put("mean_logprob", logprob / tokens);
      figures.put("perplexity", Math.exp(-logprob / tokens));
    }
    return Map.copyOf(figures);
  }
}
