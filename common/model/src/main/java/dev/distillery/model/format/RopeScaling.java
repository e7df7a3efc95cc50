package dev.distillery.model.format;

/**
 * How rotary frequencies are stretched for longer contexts.
 *
 * <p>LLAMA3, with wavelength w = 2 pi / f: a frequency stays where w &lt; original / high, is
 * divided by {@code factor} where w &gt; original / low, and is blended linearly in original / w
 * between the two. LINEAR: every frequency is divided. Source: transformers, {@code
 * modeling_rope_utils.py}.
 *
 * @param factor what long wavelengths are divided by, at least 1
 * @param lowFreqFactor positive; 0 in LINEAR, as what follows
 * @param highFreqFactor greater than {@code lowFreqFactor}
 * @param originalMaxPositions the context length before the stretch
 */
public record RopeScaling(
    Kind kind,
    double factor,
    double lowFreqFactor,
    double highFreqFactor,
    int originalMaxPositions) {
  /** The ways to stretch. */
  public enum Kind {
    LINEAR("linear"),
    LLAMA3("llama3");

    private final String configName;

    Kind(String configName) {
      this.configName = configName;
    }

    /** The name in config.json. */
    String configName() {
      return configName;
    }
  }

  public RopeScaling {
    if (!(factor >= 1 && factor <= 1e6)) {
      throw new IllegalArgumentException("RoPE scaling factor must be in [1, 1e6]: " + factor);
    }
    if (kind == Kind.LLAMA3) {
      check(lowFreqFactor, highFreqFactor, originalMaxPositions);
    }
  }

  /** LLaMA-3's. */
  public RopeScaling(
      double factor, double lowFreqFactor, double highFreqFactor, int originalMaxPositions) {
    this(Kind.LLAMA3, factor, lowFreqFactor, highFreqFactor, originalMaxPositions);
  }

  /** All positions divided by {@code factor}. */
  public static RopeScaling linear(double factor) {
    return new RopeScaling(Kind.LINEAR, factor, 0, 0, 0);
  }

  private static void check(double lowFreqFactor, double highFreqFactor, int originalMaxPositions) {
    if (!(lowFreqFactor > 0 && lowFreqFactor < highFreqFactor && highFreqFactor <= 1e6)) {
      throw new IllegalArgumentException(
          "RoPE scaling needs 0 < low_freq_factor < high_freq_factor: "
              + lowFreqFactor
              + ", "
              + highFreqFactor);
    }
    if (originalMaxPositions < 1) {
      throw new IllegalArgumentException(
          "RoPE scaling original_max_position_embeddings must be positive: "
              + originalMaxPositions);
    }
  }

  /** The stretched angular frequency of {@code frequency} (radians per position). */
  public double scale(double frequency) {
    if (kind == Kind.LINEAR) {
      return frequency / factor;
    }
    double wavelength = 2 * Math.PI / frequency;
    if (wavelength < originalMaxPositions / highFreqFactor) {
      return frequency;
    }
    if (wavelength > originalMaxPositions / lowFreqFactor) {
      return frequency / factor;
    }
    double smooth =
        (originalMaxPositions / wavelength - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
    return (1 - smooth) * frequency / factor + smooth * frequency;
  }
}
