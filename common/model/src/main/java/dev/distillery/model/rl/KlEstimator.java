package dev.distillery.model.rl;

/**
 * Estimators of KL(policy || reference) from one sampled token (Schulman 2020, "Approximating KL
 * divergence"), with d = log policy - log reference.
 */
public enum KlEstimator {
  /** d: unbiased; a single token's may be below 0. The estimator of InstructGPT and TRL. */
  K1 {
    @Override
    public double of(double logProb, double refLogProb) {
      return logProb - refLogProb;
    }

    @Override
    public double slope(double logProb, double refLogProb) {
      return 1;
    }
  },

  /** d^2 / 2: never below 0, biased. */
  K2 {
    @Override
    public double of(double logProb, double refLogProb) {
      double d = logProb - refLogProb;
      return d * d / 2;
    }

    @Override
    public double slope(double logProb, double refLogProb) {
      return logProb - refLogProb;
    }
  },

  /** exp(-d) - 1 + d: never below 0, unbiased. The estimator of GRPO. */
  K3 {
    @Override
    public double of(double logProb, double refLogProb) {
      double d = logProb - refLogProb;
      return Math.expm1(-d) + d;
    }

    @Override
    public double slope(double logProb, double refLogProb) {
      return -Math.expm1(refLogProb - logProb);
    }
  };

  /** The estimate of one token, in nats. */
  public abstract double of(double logProb, double refLogProb);

  /** The estimate's derivative along the policy's log-probability. */
  public abstract double slope(double logProb, double refLogProb);
}
