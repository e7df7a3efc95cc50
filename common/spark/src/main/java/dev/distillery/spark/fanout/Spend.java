package dev.distillery.spark.fanout;

import dev.distillery.core.teacher.Price;
import java.io.Serializable;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Optional;

/**
 * What requests use up, or may use up at worst.
 *
 * @param requests attempts that are sent
 * @param tokens read and written
 * @param nanos billionths of a US dollar, rounded up for each request, so that sums are the same in
 *     any order
 */
record Spend(long requests, long tokens, long nanos) implements Serializable {
  static final Spend NONE = new Spend(0, 0, 0);

  /** The most that a request can use. */
  static Spend worst(Optional<Price> price, long promptTokens, long completionTokens) {
    return new Spend(
        1,
        promptTokens + completionTokens,
        Math.max(
            nanos(price, promptTokens, 0, completionTokens),
            nanos(price, promptTokens, promptTokens, completionTokens)));
  }

  /** What one reply costs, rounded up; nothing where there is no price. */
  static long nanos(
      Optional<Price> price, long promptTokens, long cachedPromptTokens, long completionTokens) {
    return price
        .map(
            known ->
                known
                    .costUsd(promptTokens, cachedPromptTokens, completionTokens)
                    .movePointRight(9)
                    .setScale(0, RoundingMode.CEILING)
                    .longValueExact())
        .orElse(0L);
  }

  Spend plus(Spend other) {
    return new Spend(requests + other.requests, tokens + other.tokens, nanos + other.nanos);
  }

  Spend minus(Spend other) {
    return new Spend(requests - other.requests, tokens - other.tokens, nanos - other.nanos);
  }

  double usd() {
    return usd(nanos);
  }

  static double usd(long nanos) {
    return BigDecimal.valueOf(nanos, 9).doubleValue();
  }
}
