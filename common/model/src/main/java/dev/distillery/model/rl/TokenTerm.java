package dev.distillery.model.rl;

/**
 * A loss of one token with its derivative.
 *
 * @param value of the loss
 * @param slope along the new log-probability, or the new value
 * @param clipped whether the clipped form is the larger one, which is taken
 */
public record TokenTerm(double value, double slope, boolean clipped) {
  /**
   * PPO's clipped surrogate (Schulman et al. 2017): max(-A rho, -A clip(rho, 1 - eps, 1 + eps))
   * with rho = exp(new - old).
   */
  public static TokenTerm policy(double logProb, double old, double advantage, double clip) {
    double ratio = Math.exp(logProb - old);
    double plain = -advantage * ratio;
    double held = -advantage * Math.max(1 - clip, Math.min(1 + clip, ratio));
    return held > plain ? new TokenTerm(held, 0, true) : new TokenTerm(plain, plain, false);
  }

  /**
   * The clipped error of a value: 0.5 max((V - R)^2, (clip(V, V_old - eps, V_old + eps) - R)^2),
   * around the value of rollout time.
   *
   * @param clip 0 clips nothing
   */
  public static TokenTerm value(double value, double old, double target, double clip) {
    double error = value - target;
    if (clip == 0) {
      return new TokenTerm(0.5 * error * error, error, false);
    }
    double near = Math.max(old - clip, Math.min(old + clip, value));
    double held = near - target;
    boolean clipped = held * held > error * error;
    return clipped
        ? new TokenTerm(0.5 * held * held, 0, true)
        : new TokenTerm(0.5 * error * error, error, false);
  }
}
