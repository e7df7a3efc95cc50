package dev.distillery.core.random;

/**
 * Random numbers that are functions of what they are for, not of how many were drawn before: a key
 * made of seed, step, row, site and position gives the same number on any worker, in any order.
 * Mixing is SplitMix64's finaliser (Steele, Lea and Flood 2014).
 */
public final class CounterRandom {
  private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

  private CounterRandom() {}

  /** A key derived from a key and one more coordinate. */
  public static long key(long key, long coordinate) {
    return finalise(key + GOLDEN_GAMMA * (coordinate + 1));
  }

  /** A key derived from a key and a text, its characters one after the other. */
  public static long key(long key, String text) {
    long next = key;
    for (int i = 0; i < text.length(); i++) {
      next = key(next, text.charAt(i));
    }
    return next;
  }

  /** Spreads a number over all 64 bits: neighbours get nothing alike, and no two the same. */
  public static long mix(long value) {
    return key(value, 0);
  }

  /** A number in [0, 1) of 24 bits, exact in float. */
  public static float uniform(long key, long counter) {
    return (key(key, counter) >>> 40) * 0x1p-24f;
  }

  /** A number in [0, 1) of 53 bits. */
  public static double uniformDouble(long key, long counter) {
    return (key(key, counter) >>> 11) * 0x1p-53;
  }

  /** A normal number: Box and Muller on counters 2n and 2n + 1. */
  public static double gaussian(long key, long counter) {
    double radius = Math.sqrt(-2 * Math.log(1 - uniformDouble(key, 2 * counter)));
    return radius * Math.cos(2 * Math.PI * uniformDouble(key, 2 * counter + 1));
  }

  private static long finalise(long z) {
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
