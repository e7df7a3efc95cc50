package dev.distillery.model.train;

import dev.distillery.model.rl.TokenTerm;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Sums over the tokens that {@link PolicyLoss} saw, of which a mini-batch's metrics are made. Sums
 * of parts are added in any grouping; what is a mean is taken last.
 */
public final class PolicySums {
  private static final int TOKENS = 0;
  private static final int POLICY = 1;
  private static final int POLICY_CLIPPED = 2;
  private static final int APPROX_KL = 3;
  private static final int POLICY_KL = 4;
  private static final int ENTROPY = 5;
  private static final int RATIO = 6;
  private static final int KL = 7;
  private static final int VALUE = 8;
  private static final int VALUE_CLIPPED = 9;
  private static final int PREDICTED = 10;
  private static final int ERROR = 11;

  /** How many sums there are. */
  public static final int COUNT = 12;

  private final double[] sums;

  /** Of nothing. */
  public PolicySums() {
    this.sums = new double[COUNT];
  }

  /** Sums that were added elsewhere, as {@link #toArray} gave them. */
  public PolicySums(double[] sums) {
    if (sums.length < COUNT) {
      throw new IllegalArgumentException("There are %s sums: %s".formatted(COUNT, sums.length));
    }
    this.sums = sums.clone();
  }

  /** A token's policy, its new and old log-probability, entropy and divergence. */
  void policy(TokenTerm term, double logProb, double old, double entropy, double kl) {
    double difference = logProb - old;
    sums[TOKENS]++;
    sums[POLICY] += term.value();
    sums[POLICY_CLIPPED] += term.clipped() ? 1 : 0;
    sums[APPROX_KL] += 0.5 * difference * difference;
    sums[POLICY_KL] -= difference;
    sums[ENTROPY] += entropy;
    sums[RATIO] += Math.exp(difference);
    sums[KL] += kl;
  }

  /** A token's value. */
  void value(TokenTerm term, double value, double target) {
    sums[VALUE] += term.value();
    sums[VALUE_CLIPPED] += term.clipped() ? 1 : 0;
    sums[PREDICTED] += value;
    sums[ERROR] += (value - target) * (value - target);
  }

  /** The sums, to be added to others. */
  public double[] toArray() {
    return sums.clone();
  }

  /** How many tokens there were. */
  public double tokens() {
    return sums[TOKENS];
  }

  /** The loss over all tokens. */
  public double loss(PolicyLoss.Options options) {
    return mean(POLICY)
        + options.klCoef() * mean(KL)
        - options.entropyCoef() * mean(ENTROPY)
        + options.vfCoef() * mean(VALUE);
  }

  private double mean(int sum) {
    return sums[TOKENS] == 0 ? 0 : sums[sum] / sums[TOKENS];
  }

  /** Means by the names of TRL 0.7. */
  public Map<String, Double> metrics(PolicyLoss.Options options, boolean values) {
    Map<String, Double> metrics = new LinkedHashMap<>();
    metrics.put("loss", loss(options));
    metrics.put("ppo/loss/total", loss(options));
    metrics.put("ppo/loss/policy", mean(POLICY));
    metrics.put("ppo/policy/entropy", mean(ENTROPY));
    metrics.put("ppo/policy/approxkl", mean(APPROX_KL));
    metrics.put("ppo/policy/policykl", mean(POLICY_KL));
    metrics.put("ppo/policy/clipfrac", mean(POLICY_CLIPPED));
    metrics.put("ppo/policy/ratio", mean(RATIO));
    metrics.put("ppo/loss/kl", mean(KL));
    if (values) {
      metrics.put("ppo/loss/value", mean(VALUE));
      metrics.put("ppo/val/vpred", mean(PREDICTED));
      metrics.put("ppo/val/error", mean(ERROR));
      metrics.put("ppo/val/clipfrac", mean(VALUE_CLIPPED));
    }
    return metrics;
  }
}
