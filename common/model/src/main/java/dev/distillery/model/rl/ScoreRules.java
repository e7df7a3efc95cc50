package dev.distillery.model.rl;

/**
 * What an answer's score becomes before it is a reward: the baseline is taken from it, it is scaled
 * by what all runs so far scored, clipped, and what reached its limit without an end is treated as
 * the rule says, last, so that {@link MissingEnd#REPLACE} gives minus the penalty exactly.
 *
 * @param baseline taken from every score; StackLLaMA's; default 0
 * @param scaling by the running moments
 * @param clip scores are clipped to [-clip, clip]; 0 clips nothing
 * @param missingEnd what becomes of an answer without an end
 * @param penalty of that
 */
public record ScoreRules(
    double baseline, Scaling scaling, double clip, MissingEnd missingEnd, double penalty) {
  /** How scores are scaled, by the mean and deviation of all scores so far, this batch's too. */
  public enum Scaling {
    /** Not at all. */
    OFF,
    /** Divided by the deviation (TRL's use_score_scaling). */
    SCALE,
    /** The mean is taken off first (TRL's use_score_norm). */
    NORMALIZE
  }

  /**
   * The score that is learned from; not a number stays none.
   *
   * @param ended whether the answer came to an end of its own
   */
  public double apply(double score, boolean ended, RunningMoments moments) {
    if (!Double.isFinite(score)) {
      return Double.NaN;
    }
    double result = score - baseline;
    if (scaling != Scaling.OFF) {
      double center = scaling == Scaling.NORMALIZE ? moments.mean() - baseline : 0;
      result = (result - center) / (moments.deviation() + Math.ulp(1f));
    }
    if (clip > 0) {
      result = Math.max(-clip, Math.min(clip, result));
    }
    return ended ? result : missingEnd.score(result, penalty);
  }
}
