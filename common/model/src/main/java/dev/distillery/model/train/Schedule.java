package dev.distillery.model.train;

/**
 * The learning rate over the steps of a run.
 *
 * @param kind the shape
 * @param peak the highest rate
 * @param warmupSteps steps of linear warm-up
 * @param totalSteps steps of the run, or where the decay ends
 * @param minRatio what the decay ends at, as a part of the peak
 */
public record Schedule(Kind kind, double peak, long warmupSteps, long totalSteps, double minRatio) {
  /** Shapes, by the names of Hugging Face's schedulers where they have one. */
  public enum Kind {
    /** Warm-up, then the peak. */
    CONSTANT,
    /** Warm-up, then straight down. */
    LINEAR,
    /** Warm-up, then half a cosine. The rate of the first step is 0 when there is a warm-up. */
    COSINE,
    /** nanoGPT's cosine: the rate of step i of the warm-up is (i + 1) / (warm-up + 1). */
    NANOGPT
  }

  public Schedule {
    if (!(peak >= 0) || warmupSteps < 0 || totalSteps < 0 || !(minRatio >= 0 && minRatio <= 1)) {
      throw new IllegalArgumentException(
          "A schedule needs peak, warm-up and total >= 0 and a minimum ratio in [0, 1]: %s, %s, %s, %s"
              .formatted(peak, warmupSteps, totalSteps, minRatio));
    }
  }

  /**
   * Warm-up steps as Hugging Face reads them: a number below 1 is a part of all steps, rounded up.
   */
  public static long warmupSteps(double stepsOrRatio, long totalSteps) {
    return stepsOrRatio < 1
        ? (long) Math.ceil(stepsOrRatio * totalSteps)
        : Math.round(stepsOrRatio);
  }

  /** The rate of a step, counted from 0. */
  public double rate(long step) {
    if (step < warmupSteps) {
      return kind == Kind.NANOGPT
          ? peak * (step + 1) / (warmupSteps + 1)
          : peak * step / Math.max(1, warmupSteps);
    }
    double progress =
        Math.min(1, (double) (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps));
    double part =
        switch (kind) {
          case CONSTANT -> 1;
          case LINEAR -> minRatio + (1 - minRatio) * (1 - progress);
          case COSINE, NANOGPT ->
              minRatio + (1 - minRatio) * 0.5 * (1 + Math.cos(Math.PI * progress));
        };
    return peak * part;
  }
}
