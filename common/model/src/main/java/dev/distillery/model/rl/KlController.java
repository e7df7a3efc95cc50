package dev.distillery.model.rl;

/**
 * The coefficient of the KL penalty over a run. Adaptive (Ziegler et al. 2019, section 2.2): with e
 * = clip(KL / target - 1, -0.2, 0.2), beta grows by the factor 1 + e n / horizon, where KL is the
 * mean over a batch of the sums over each answer's tokens, and n is the batch's number of answers.
 */
public final class KlController {
  /** Whether the coefficient moves. */
  public enum Kind {
    /** It stays. */
    FIXED,
    /** It follows a target. */
    ADAPTIVE
  }

  /** Proportional errors are clipped to this. */
  private static final double MOST_ERROR = 0.2;

  private final Kind kind;
  private final double target;
  private final double horizon;
  private double coefficient;

  /**
   * A controller.
   *
   * @param coefficient that it begins with; default 0.2
   * @param target nats of an answer; default 6; counts where it adapts
   * @param horizon answers over which it adapts; default 10000
   */
  public KlController(Kind kind, double coefficient, double target, double horizon) {
    if (!(coefficient >= 0) || !(target > 0) || !(horizon > 0)) {
      throw new IllegalArgumentException(
          "A controller needs a coefficient from 0 on, and a target and a horizon above 0: %s, %s, %s"
              .formatted(coefficient, target, horizon));
    }
    this.kind = kind;
    this.coefficient = coefficient;
    this.target = target;
    this.horizon = horizon;
  }

  /** The coefficient as it is. */
  public double coefficient() {
    return coefficient;
  }

  /** Goes on from a coefficient. */
  public void resume(double now) {
    coefficient = now;
  }

  /**
   * Adapts to what a batch came to.
   *
   * @param kl mean over the answers of each one's sum over its tokens
   * @param answers of the batch
   */
  public void update(double kl, long answers) {
    if (kind == Kind.ADAPTIVE) {
      double error = Math.max(-MOST_ERROR, Math.min(MOST_ERROR, kl / target - 1));
      coefficient *= 1 + error * answers / horizon;
    }
  }
}
