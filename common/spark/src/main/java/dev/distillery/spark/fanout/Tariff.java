package dev.distillery.spark.fanout;

import java.io.Serializable;
import java.math.BigDecimal;
import java.math.RoundingMode;

/**
 * What a model's tokens cost, in picodollars a token.
 *
 * @param known whether there is a price at all; a local model costs a known nothing, a model
 *     without a price costs nobody knows what
 * @param input a token read
 * @param cachedInput a token read that the server had cached
 * @param output a token written
 */
public record Tariff(boolean known, long input, long cachedInput, long output)
    implements Serializable {

  /** A model that costs nothing: a file run here, a recording. */
  public static final Tariff FREE = new Tariff(true, 0, 0, 0);

  /** A model that has no price: costs are not known, and a cost limit is refused. */
  public static final Tariff UNKNOWN = new Tariff(false, 0, 0, 0);

  /** The tariff of prices in US dollars per million tokens; rounded up to a picodollar a token. */
  public static Tariff ofMillionTokens(
      BigDecimal input, BigDecimal cachedInput, BigDecimal output) {
    return new Tariff(true, picos(input), picos(cachedInput), picos(output));
  }

  private static long picos(BigDecimal usdPerMillion) {
    return usdPerMillion.movePointRight(6).setScale(0, RoundingMode.CEILING).longValueExact();
  }

  /** Picodollars of one reply. */
  long cost(long promptTokens, long cachedPromptTokens, long completionTokens) {
    return (promptTokens - cachedPromptTokens) * input
        + cachedPromptTokens * cachedInput
        + completionTokens * output;
  }

  /** The most that a request can use: every prompt token at the dearer of the two input prices. */
  Spend worst(long promptTokens, long completionTokens) {
    return new Spend(
        1,
        promptTokens + completionTokens,
        promptTokens * Math.max(input, cachedInput) + completionTokens * output);
  }
}
