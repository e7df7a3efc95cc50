package dev.distillery.jobs.score;

import dev.distillery.core.run.RunSummary;
import dev.distillery.core.run.Summary;
import java.util.Optional;

/**
 * What a score run did; its unit is the row.
 *
 * @param rowsRead rows of the inputs
 * @param rowsScored rows whose answers were scored, or would be
 * @param answers how many those are; a comparison has two
 * @param meanScore of all answers; empty where nothing was computed
 * @param bestOf what the best of several answers come to; empty where nobody asked
 */
public record ScoreSummary(
    RunSummary run,
    long rowsRead,
    long rowsScored,
    long answers,
    Optional<Double> meanScore,
    Optional<BestOf> bestOf)
    implements Summary {

  /**
   * The best of n answers to each prompt.
   *
   * @param prompts with n answers or more
   * @param promptsLeftOut with fewer
   * @param meanOfBest mean over prompts of the best answer's score
   * @param meanOfFirst mean over prompts of the first answer's score: the policy without a choice
   * @param meanOfAll mean over prompts of the mean score of their answers
   * @param kl divergence of the choice from the policy that wrote the answers, log n - (n - 1) / n
   *     (Stiennon et al. 2020, appendix G.3)
   */
  public record BestOf(
      long prompts,
      long promptsLeftOut,
      double meanOfBest,
      double meanOfFirst,
      double meanOfAll,
      double kl) {}
}
