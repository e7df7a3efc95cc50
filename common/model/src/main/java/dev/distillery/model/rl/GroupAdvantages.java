package dev.distillery.model.rl;

import java.util.Arrays;

/**
 * Advantages of the answers to one prompt by comparison among themselves, without a critic. An
 * answer whose reward is not finite is out of its group: it counts for nobody, and its own
 * advantage is not a number. A group of one that is left has nothing to compare with: 0.
 */
public enum GroupAdvantages {
  /** Leave one out (Ahmadian et al. 2024): the reward minus the mean of the others'. */
  RLOO {
    @Override
    double of(double reward, double mean, double deviation, int count) {
      // The mean of the others is (n mean - r) / (n - 1).
      return (reward - mean) * count / (count - 1);
    }
  },

  /** Group relative (Shao et al. 2024): (r - mean) / (deviation + 1e-4), by n - 1. */
  GRPO {
    @Override
    double of(double reward, double mean, double deviation, int count) {
      return (reward - mean) / (deviation + EPSILON);
    }
  };

  private static final double EPSILON = 1e-4;

  abstract double of(double reward, double mean, double deviation, int count);

  /** The advantages of a group, in order. */
  public double[] of(double[] rewards) {
    double[] finite = Arrays.stream(rewards).filter(Double::isFinite).toArray();
    double mean = Arrays.stream(finite).average().orElse(0);
    double squares = Arrays.stream(finite).map(r -> (r - mean) * (r - mean)).sum();
    double deviation = finite.length > 1 ? Math.sqrt(squares / (finite.length - 1)) : 0;
    double[] advantages = new double[rewards.length];
    for (int i = 0; i < rewards.length; i++) {
      if (!Double.isFinite(rewards[i])) {
        advantages[i] = Double.NaN;
      } else if (finite.length > 1) {
        advantages[i] = of(rewards[i], mean, deviation, finite.length);
      }
    }
    return advantages;
  }

  /** Whether all rewards that count are the same, so that nothing is learned of the group. */
  public static boolean equal(double[] rewards) {
    return Arrays.stream(rewards).filter(Double::isFinite).distinct().count() <= 1;
  }
}
