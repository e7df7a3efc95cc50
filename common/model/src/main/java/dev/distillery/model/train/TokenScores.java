package dev.distillery.model.train;

import dev.distillery.model.nn.Tensor;

/**
 * What a model said of a run of targets, as it lies with the kernels: reading it waits for them.
 *
 * @param values [targets, 3], as {@code Kernels.logProbs} sets them
 */
public record TokenScores(Tensor values) {
  /** The natural logarithm of each target's probability. */
  public double[] logProbs() {
    return values.column(0);
  }

  /** The entropy of what stood before each target, in nats. */
  public double[] entropies() {
    return values.column(1);
  }

  /** Whether no other token was more likely than each target. */
  public boolean[] mostLikely() {
    double[] flags = values.column(2);
    boolean[] result = new boolean[flags.length];
    for (int i = 0; i < result.length; i++) {
      result[i] = flags[i] == 1;
    }
    return result;
  }
}
