package dev.distillery.model.train;

/** The logistic function sigma(x) = 1 / (1 + exp(-x)), without overflow at either end. */
final class Logistic {
  private Logistic() {}

  static double sigma(double x) {
    return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
  }

  /** -log sigma(x) = max(-x, 0) + log(1 + exp(-|x|)). */
  static double minusLogSigma(double x) {
    return Math.max(-x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
  }
}
