package dev.distillery.core.teacher;

import java.io.Serializable;
import java.math.BigDecimal;

/**
 * What a model costs, in US dollars per million tokens.
 *
 * @param input per million tokens read
 * @param cachedInput per million tokens read out of the provider's cache
 * @param output per million tokens written
 */
public record Price(BigDecimal input, BigDecimal cachedInput, BigDecimal output)
    implements Serializable {
  /** What runs on one's own machines. */
  public static final Price FREE = new Price(BigDecimal.ZERO, BigDecimal.ZERO, BigDecimal.ZERO);

  private static final int MILLION_TOKENS_DIGITS = 6;

  public Price {
    if (input.signum() < 0 || cachedInput.signum() < 0 || output.signum() < 0) {
      throw new IllegalArgumentException(
          "A price is 0 or more, found %s, %s, %s".formatted(input, cachedInput, output));
    }
    // So that 0.6 and 0.60 are one price.
    input = input.stripTrailingZeros();
    cachedInput = cachedInput.stripTrailingZeros();
    output = output.stripTrailingZeros();
  }

  /** A price in which the cache is no cheaper. */
  public Price(BigDecimal input, BigDecimal output) {
    this(input, input, output);
  }

  /**
   * The exact cost in US dollars.
   *
   * @param promptTokens all tokens read, the cached ones among them; what is below 0, not told,
   *     counts as 0
   * @param cachedPromptTokens those of them out of the cache; never more than all
   * @param completionTokens tokens written
   */
  public BigDecimal costUsd(long promptTokens, long cachedPromptTokens, long completionTokens) {
    long prompt = Math.max(0, promptTokens);
    long cached = Math.max(0, Math.min(cachedPromptTokens, prompt));
    return input
        .multiply(BigDecimal.valueOf(prompt - cached))
        .add(cachedInput.multiply(BigDecimal.valueOf(cached)))
        .add(output.multiply(BigDecimal.valueOf(Math.max(0, completionTokens))))
        .movePointLeft(MILLION_TOKENS_DIGITS);
  }
}
