package dev.distillery.spark.fanout;

import dev.distillery.core.teacher.Price;
import java.io.Serializable;
import java.math.BigDecimal;
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
        price
            .map(
                known ->
                    Math.max(
                        known.nanoDollars(promptTokens, 0, completionTokens),
                        known.nanoDollars(promptTokens, promptTokens, completionTokens)))
            .orElse(0L));
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
