package dev.distillery.core.rating;

import java.util.OptionalDouble;

/**
 * An interval of 95%.
 *
 * @param low the lower end; empty: open below
 * @param high the upper end; empty: open above
 */
public record Interval(OptionalDouble low, OptionalDouble high) {
  /** What either side leaves out. */
  static final double TAIL = 0.025;

  /** The normal distribution's quantile of 1 - {@link #TAIL}. */
  static final double NORMAL = 1.959963984540054;

  /** Open on both sides: nothing is known. */
  static final Interval OPEN = new Interval(OptionalDouble.empty(), OptionalDouble.empty());

  static Interval of(double low, double high) {
    return new Interval(OptionalDouble.of(low), OptionalDouble.of(high));
  }
}
