package dev.distillery.core.teacher;

import java.math.BigDecimal;
import java.math.RoundingMode;

/**
 * What a model costs, in US dollars per million tokens. As a million tokens is what a micro-dollar
 * is to a dollar, a price is also micro-dollars per token.
 *
 * @param input per million tokens read
 * @param cachedInput per million tokens read out of the provider's cache
 * @param output per million tokens written
 */
public record Price(BigDecimal input, BigDecimal cachedInput, BigDecimal output) {
  /** What runs on one's own machines. */
  public static final Price FREE = new Price(BigDecimal.ZERO, BigDecimal.ZERO, BigDecimal.ZERO);

  private static final int DOLLAR_TO_MILLION_TOKENS = 6;
  private static final int MICRO_TO_NANO = 3;

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
    return microDollars(promptTokens, cachedPromptTokens, completionTokens)
        .movePointLeft(DOLLAR_TO_MILLION_TOKENS);
  }

  /**
   * The cost in nano-dollars, rounded up: for sums that must not lose a fraction and must not
   * exceed a budget. 2^63 of them are nine billion dollars.
   */
  public long nanoDollars(long promptTokens, long cachedPromptTokens, long completionTokens) {
    return microDollars(promptTokens, cachedPromptTokens, completionTokens)
        .movePointRight(MICRO_TO_NANO)
        .setScale(0, RoundingMode.CEILING)
        .longValueExact();
  }

  private BigDecimal microDollars(long promptTokens, long cachedPromptTokens, long completion) {
    long prompt = Math.max(0, promptTokens);
    long cached = Math.max(0, Math.min(cachedPromptTokens, prompt));
    return input
        .multiply(BigDecimal.valueOf(prompt - cached))
        .add(cachedInput.multiply(BigDecimal.valueOf(cached)))
        .add(output.multiply(BigDecimal.valueOf(Math.max(0, completion))));
  }
}
