package dev.distillery.spark.fanout;

import java.io.Serializable;
import java.math.BigDecimal;

/**
 * What requests use up, or may use up at worst.
 *
 * @param requests attempts that are sent
 * @param tokens read and written
 * @param picos millionths of a millionth of a US dollar: prices per million tokens with up to six
 *     decimals are whole numbers of it, so that sums are exact in any order
 */
record Spend(long requests, long tokens, long picos) implements Serializable {
  static final Spend NONE = new Spend(0, 0, 0);

  Spend plus(Spend other) {
    return new Spend(requests + other.requests, tokens + other.tokens, picos + other.picos);
  }

  Spend minus(Spend other) {
    return new Spend(requests - other.requests, tokens - other.tokens, picos - other.picos);
  }

  Spend times(long factor) {
    return new Spend(requests * factor, tokens * factor, picos * factor);
  }

  double usd() {
    return usd(picos);
  }

  static double usd(long picos) {
    return BigDecimal.valueOf(picos, 12).doubleValue();
  }
}
