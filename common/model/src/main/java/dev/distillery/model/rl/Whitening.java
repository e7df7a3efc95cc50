package dev.distillery.model.rl;

import java.util.List;

/**
 * Brings values to mean 0 and variance 1: (x - mean) / sqrt(variance + 1e-8), over all tokens of
 * all answers of a rollout batch at once. Only real tokens are there to count.
 */
public enum Whitening {
  /** The variance of OpenAI's code: the mean of the squares. */
  POPULATION,
  /** TRL's: the sum of the squares by one less than their number. */
  BESSEL;

  private static final double EPSILON = 1e-8;

  /**
   * Whitens in place.
   *
   * @param answers of each, its tokens' values
   * @param shiftMean whether the mean becomes 0, as of advantages; of rewards it is kept
   */
  public void apply(List<double[]> answers, boolean shiftMean) {
    double mean = mean(answers);
    double scale = 1 / Math.sqrt(variance(answers) + EPSILON);
    for (double[] values : answers) {
      for (int t = 0; t < values.length; t++) {
        values[t] = (values[t] - mean) * scale + (shiftMean ? 0 : mean);
      }
    }
  }

  /** The mean over all tokens; 0 of none. */
  public static double mean(List<double[]> answers) {
    double sum = 0;
    long count = 0;
    for (double[] values : answers) {
      for (double value : values) {
        sum += value;
      }
      count += values.length;
    }
    return count == 0 ? 0 : sum / count;
  }

  /** The variance over all tokens; 0 of a single one. */
  public double variance(List<double[]> answers) {
    double mean = mean(answers);
    double squares = 0;
    long count = 0;
    for (double[] values : answers) {
      for (double value : values) {
        squares += (value - mean) * (value - mean);
      }
      count += values.length;
    }
    long by = this == BESSEL ? count - 1 : count;
    return by <= 0 ? 0 : squares / by;
  }
}
