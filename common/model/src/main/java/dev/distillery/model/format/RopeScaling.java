package dev.distillery.model.format;

/**
 * LLaMA-3's stretching of the rotary frequencies. With wavelength w = 2 pi / f: a frequency stays
 * where w &lt; original / high, is divided by {@code factor} where w &gt; original / low, and is
 * blended linearly in original / w between the two. Source: transformers, {@code
 * _compute_llama3_parameters}.
 *
 * @param factor what long wavelengths are divided by, at least 1
 * @param lowFreqFactor positive
 * @param highFreqFactor greater than {@code lowFreqFactor}
 * @param originalMaxPositions the context length before the stretch
 */
public record RopeScaling(
    double factor, double lowFreqFactor, double highFreqFactor, int originalMaxPositions) {
  public RopeScaling {
    if (!(factor >= 1 && factor <= 1e6)) {
      throw new IllegalArgumentException("RoPE scaling factor must be in [1, 1e6]: " + factor);
    }
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
