package dev.distillery.model.train;

/**
 * The generalised Jensen-Shannon divergence of a student's distribution p from a teacher's q
 * (Agarwal et al. 2024, "On-Policy Distillation of Language Models", eq. 1, as TRL's GKDTrainer has
 * it): with the mixture m = (1 - beta) p + beta q,
 *
 * <pre>
 * D = beta KL(q || m) + (1 - beta) KL(p || m);  beta 0: KL(q || p);  beta 1: KL(p || q)
 * </pre>
 *
 * @param beta in [0, 1]
 */
record Divergence(double beta) {
  Divergence {
    if (!(beta >= 0 && beta <= 1)) {
      throw new IllegalArgumentException("The divergence's beta must be in [0, 1]: " + beta);
    }
  }

  /** One event's part of the divergence, from the logarithms of its probabilities. */
  double value(double logP, double logQ) {
    double p = Math.exp(logP);
    double q = Math.exp(logQ);
    if (beta == 0) {
      return term(q, logQ - logP);
    }
    if (beta == 1) {
      return term(p, logP - logQ);
    }
    double logM = logMixture(p, q);
    return beta * term(q, logQ - logM) + (1 - beta) * term(p, logP - logM);
  }

  /** The slope of {@link #value} along log p. */
  double slope(double logP, double logQ) {
    double p = Math.exp(logP);
    double q = Math.exp(logQ);
    if (beta == 0) {
      return -q;
    }
    if (beta == 1) {
      return p == 0 ? 0 : p * (logP - logQ + 1);
    }
    return p == 0 ? 0 : (1 - beta) * p * (logP - logMixture(p, q));
  }

  private double logMixture(double p, double q) {
    return Math.log((1 - beta) * p + beta * q);
  }

  /** What has no probability adds nothing, however unlikely the other finds it. */
  private static double term(double probability, double logRatio) {
    return probability == 0 ? 0 : probability * logRatio;
  }
}
