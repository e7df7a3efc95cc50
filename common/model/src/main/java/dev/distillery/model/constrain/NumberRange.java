package dev.distillery.model.constrain;

/**
 * A number between two bounds, without an exponent. Bounds are whole numbers of units of
 * 10<sup>-scale</sup>; a digit may come where a number that begins so lies between them.
 */
final class NumberRange implements JsonRule {
  /** Bounds lie within so many units. */
  static final long MOST = 100_000_000_000_000_000L;

  private static final int START = 0;
  private static final int SIGNED = 1;

  /** Digits before the point. */
  private static final int WHOLE = 2;

  /** The point; k digits behind it is k more. */
  private static final int POINT = 3;

  private final long least;
  private final long most;
  private final int scale;
  private final long[] powers;

  /**
   * @param least in units, no more than {@code most}, both within {@link #MOST}
   * @param scale digits behind the point at most; 0 for an integer
   */
  NumberRange(long least, long most, int scale) {
    this.least = least;
    this.most = most;
    this.scale = scale;
    this.powers = new long[scale + 1];
    powers[0] = 1;
    for (int i = 1; i <= scale; i++) {
      powers[i] = powers[i - 1] * 10;
    }
  }

  @Override
  public String needs() {
    return "-.0123456789";
  }

  /** The state's lowest bit is the sign, its count the digits so far. */
  @Override
  public void next(Reading reading, int b, Readings into) {
    boolean minus = (reading.at() & 1) == 1;
    int state = reading.at() >> 1;
    if (b == '-') {
      if (state == START && least < 0) {
        into.add(reading.to(at(SIGNED, true), 0));
      }
      return;
    }
    int next = behind(state, reading.count(), b);
    long digits = next == POINT ? reading.count() : reading.count() * 10 + (b - '0');
    if (next < 0 || !reaches(minus, next, digits)) {
      return;
    }
    if (next != POINT && within(minus, digits * powers[scale - fraction(next)], 1)) {
      into.end(reading.below());
    }
    for (char more : ".0123456789".toCharArray()) {
      int then = behind(next, digits, more);
      if (then >= 0 && reaches(minus, then, then == POINT ? digits : digits * 10 + (more - '0'))) {
        into.add(reading.to(at(next, minus), digits));
        return;
      }
    }
  }

  /** The state behind a point or a digit, or -1. */
  private int behind(int state, long digits, int b) {
    if (b == '.') {
      return state == WHOLE && scale > 0 ? POINT : -1;
    }
    boolean leadingZero = state == WHOLE && digits == 0;
    if (b < '0' || b > '9' || leadingZero || state == POINT + scale) {
      return -1;
    }
    return state <= WHOLE ? WHOLE : state + 1;
  }

  private static int at(int state, boolean minus) {
    return 2 * state + (minus ? 1 : 0);
  }

  private static int fraction(int state) {
    return Math.max(0, state - POINT);
  }

  /** Whether what begins so can end between the bounds. */
  private boolean reaches(boolean minus, int state, long digits) {
    long width = powers[scale - fraction(state)];
    if (state > WHOLE) {
      return within(minus, digits * width, width);
    }
    // One more digit each time; none behind a zero.
    for (long from = digits * width; from <= MOST; from *= 10) {
      if (within(minus, from, width)) {
        return true;
      }
      if (digits == 0) {
        return false;
      }
      width *= 10;
    }
    return false;
  }

  /** Whether one of the magnitudes from, from + 1, ... lies between the bounds. */
  private boolean within(boolean minus, long from, long width) {
    long low = minus ? -most : least;
    long high = minus ? -least : most;
    return from <= high && from + width - 1 >= low;
  }
}
