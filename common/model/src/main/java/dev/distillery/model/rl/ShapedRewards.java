package dev.distillery.model.rl;

/**
 * The reward of each token of one answer: R_t = -beta kl_t, and the score comes on top at the last
 * token, the end mark where there is one (Ziegler et al. 2019).
 */
public final class ShapedRewards {
  private ShapedRewards() {}

  /** The estimates of each token, [tokens]. */
  public static double[] kl(KlEstimator estimator, float[] logProbs, float[] refLogProbs) {
    double[] kl = new double[logProbs.length];
    for (int t = 0; t < kl.length; t++) {
      kl[t] = estimator.of(logProbs[t], refLogProbs[t]);
    }
    return kl;
  }

  /**
   * The rewards, [tokens].
   *
   * @param kl of each token, at least one
   * @param coefficient beta
   * @param score of the answer
   */
  public static double[] of(double[] kl, double coefficient, double score) {
    double[] rewards = new double[kl.length];
    for (int t = 0; t < kl.length; t++) {
      rewards[t] = -coefficient * kl[t];
    }
    rewards[kl.length - 1] += score;
    return rewards;
  }

  /** The sum over an answer's tokens. */
  public static double sum(double[] values) {
    double sum = 0;
    for (double value : values) {
      sum += value;
    }
    return sum;
  }
}
