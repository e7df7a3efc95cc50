package dev.distillery.model.format;

/**
 * How rotary frequencies are stretched for longer contexts. Source: transformers, {@code
 * modeling_rope_utils.py}.
 */
public sealed interface RopeScaling {
  /** What long wavelengths are divided by, at least 1. */
  double factor();

  /**
   * The stretched angular frequency of each pair of a rotated head: {@code headDim / 2} values,
   * radians per position.
   */
  double[] frequencies(double theta, int headDim);

  /** What cosines and sines are multiplied by. */
  default double magnitude() {
    return 1;
  }

  /** The frequencies of a model that stretches nothing: theta^(-2i/d). */
  static double[] unscaled(double theta, int headDim) {
    double[] frequencies = new double[headDim / 2];
    for (int i = 0; i < frequencies.length; i++) {
      frequencies[i] = Math.pow(theta, -2.0 * i / headDim);
    }
    return frequencies;
  }

  /** Every frequency is divided by {@code factor}. */
  record Linear(double factor) implements RopeScaling {
    public Linear {
      checkFactor(factor);
    }

    @Override
    public double[] frequencies(double theta, int headDim) {
      double[] frequencies = unscaled(theta, headDim);
      for (int i = 0; i < frequencies.length; i++) {
        frequencies[i] /= factor;
      }
      return frequencies;
    }
  }

  /**
   * LLaMA-3's. With wavelength w = 2 pi / f: a frequency stays where w &lt; original / high, is
   * divided by {@code factor} where w &gt; original / low, and is blended linearly in original / w
   * between the two.
   *
   * @param lowFreqFactor positive
   * @param highFreqFactor greater than {@code lowFreqFactor}
   * @param originalMaxPositions the context length before the stretch
   */
  record Llama3(
      double factor, double lowFreqFactor, double highFreqFactor, int originalMaxPositions)
      implements RopeScaling {
    public Llama3 {
      checkFactor(factor);
      checkOriginal(originalMaxPositions);
      if (!(lowFreqFactor > 0 && lowFreqFactor < highFreqFactor && highFreqFactor <= 1e6)) {
        throw new IllegalArgumentException(
            "RoPE scaling needs 0 < low_freq_factor < high_freq_factor: "
                + lowFreqFactor
                + ", "
                + highFreqFactor);
      }
    }

    @Override
    public double[] frequencies(double theta, int headDim) {
      double[] frequencies = unscaled(theta, headDim);
      for (int i = 0; i < frequencies.length; i++) {
        frequencies[i] = scale(frequencies[i]);
      }
      return frequencies;
    }

    private double scale(double frequency) {
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

  /**
   * YaRN (Peng et al. 2023). Pair i stays where it turns more than {@code betaFast} times within
   * the original context, is divided by {@code factor} where it turns less than {@code betaSlow}
   * times, and is blended linearly in i between the two. It holds for short texts too.
   *
   * @param originalMaxPositions the context length before the stretch
   * @param betaFast at least {@code betaSlow}
   * @param betaSlow positive
   * @param attentionFactor what cosines and sines are multiplied by
   * @param truncate whether the bounds of the blend are rounded outward to whole pairs
   */
  record Yarn(
      double factor,
      int originalMaxPositions,
      double betaFast,
      double betaSlow,
      double attentionFactor,
      boolean truncate)
      implements RopeScaling {
    /** The paper's bounds, which a file may leave out. */
    static final double BETA_FAST = 32;

    static final double BETA_SLOW = 1;

    public Yarn {
      checkFactor(factor);
      checkOriginal(originalMaxPositions);
      if (!(betaSlow > 0 && betaSlow <= betaFast && betaFast <= 1e6)) {
        throw new IllegalArgumentException(
            "RoPE scaling needs 0 < beta_slow <= beta_fast: " + betaSlow + ", " + betaFast);
      }
      if (!(attentionFactor > 0 && attentionFactor <= 1e3)) {
        throw new IllegalArgumentException(
            "RoPE scaling attention_factor must be in (0, 1e3]: " + attentionFactor);
      }
    }

    /** The paper's factor of cosines and sines, with a weight of the logarithm. */
    static double attentionFactor(double factor, double weight) {
      return factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1;
    }

    @Override
    public double[] frequencies(double theta, int headDim) {
      double low = pair(betaFast, theta, headDim);
      double high = pair(betaSlow, theta, headDim);
      if (truncate) {
        low = Math.floor(low);
        high = Math.ceil(high);
      }
      low = Math.max(low, 0);
      high = Math.min(high, headDim - 1);
      double width = low == high ? 0.001 : high - low;
      double[] frequencies = unscaled(theta, headDim);
      for (int i = 0; i < frequencies.length; i++) {
        double stretched = Math.min(1, Math.max(0, (i - low) / width));
        frequencies[i] *= stretched / factor + (1 - stretched);
      }
      return frequencies;
    }

    /** Which pair turns so many times within the original context. */
    private double pair(double turns, double theta, int headDim) {
      return headDim
          * Math.log(originalMaxPositions / (turns * 2 * Math.PI))
          / (2 * Math.log(theta));
    }

    @Override
    public double magnitude() {
      return attentionFactor;
    }
  }

  private static void checkFactor(double factor) {
    if (!(factor >= 1 && factor <= 1e6)) {
      throw new IllegalArgumentException("RoPE scaling factor must be in [1, 1e6]: " + factor);
    }
  }

  private static void checkOriginal(int originalMaxPositions) {
    if (originalMaxPositions < 1) {
      throw new IllegalArgumentException(
          "RoPE scaling original_max_position_embeddings must be positive: "
              + originalMaxPositions);
    }
  }
}
