package dev.distillery.jobs.logprobs;

import dev.distillery.core.run.RunSummary;
import dev.distillery.core.run.Summary;
import java.util.Optional;

/**
 * What a logprobs run did; its unit is the row.
 *
 * @param rowsRead rows of the input
 * @param rowsScored rows that were scored, or would be
 * @param tokens tokens that have a log-probability
 * @param meanLogprob mean of their natural logarithms; empty where nothing was computed
 * @param perplexity e to the power of its negative
 */
public record LogprobsSummary(
    RunSummary run,
    long rowsRead,
    long rowsScored,
    long tokens,
    Optional<Double> meanLogprob,
    Optional<Double> perplexity)
    implements Summary {

  /**
   * @param logprob sum over all tokens; empty where nothing was computed
   */
  static LogprobsSummary of(
      RunSummary run, long rowsRead, long rowsScored, long tokens, Optional<Double> logprob) {
    Optional<Double> mean = logprob.filter(sum -> tokens > 0).map(sum -> sum / tokens);
    return new LogprobsSummary(
        run, rowsRead, rowsScored, tokens, mean, mean.map(each -> Math.exp(-each)));
  }
}
