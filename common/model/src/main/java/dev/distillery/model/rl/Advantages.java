package dev.distillery.model.rl;

import java.util.Arrays;

/**
 * How much better each token of one answer was than expected: generalised advantage estimation
 * (Schulman et al. 2016). delta_t = R_t + gamma V_{t+1} - V_t with V = 0 behind the last token, A_t
 * = delta_t + gamma lambda A_{t+1}; returns are A + V, before any whitening.
 *
 * @param advantages [tokens]
 * @param returns [tokens]
 */
@SuppressWarnings("ArrayRecordComponent") // Built once and only read: a copy would help nobody.
public record Advantages(double[] advantages, double[] returns) {
  /**
   * Of one answer, which ends at its last token: nothing behind it counts.
   *
   * @param rewards [tokens]
   * @param values [tokens]; V_t is what was expected before token t was written
   */
  public static Advantages of(double[] rewards, double[] values, double gamma, double lambda) {
    if (rewards.length != values.length) {
      throw new IllegalArgumentException(
          "Every token needs a reward and a value: %s and %s"
              .formatted(rewards.length, values.length));
    }
    double[] advantages = new double[rewards.length];
    double[] returns = new double[rewards.length];
    double next = 0;
    for (int t = rewards.length - 1; t >= 0; t--) {
      double following = t + 1 < values.length ? values[t + 1] : 0;
      double delta = rewards[t] + gamma * following - values[t];
      next = delta + gamma * lambda * next;
      advantages[t] = next;
      returns[t] = next + values[t];
    }
    return new Advantages(advantages, returns);
  }

  /** Every token of an answer of a length has the answer's own advantage; nothing is expected. */
  public static Advantages constant(int tokens, double advantage) {
    double[] all = new double[tokens];
    Arrays.fill(all, advantage);
    return new Advantages(all, all.clone());
  }
}
