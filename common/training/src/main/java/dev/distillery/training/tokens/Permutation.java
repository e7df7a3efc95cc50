package dev.distillery.training.tokens;

import dev.distillery.core.random.CounterRandom;

/**
 * A random order that is computed place by place: a Feistel network of four rounds over the
 * smallest even number of bits that holds the size, walked on until the result is in range (Black
 * and Rogaway 2002, cycle walking). Nothing is held in memory.
 */
public final class Permutation {
  private static final int ROUNDS = 4;

  private Permutation() {}

  /**
   * What stands at a place.
   *
   * @param place in [0, size)
   * @param key of the order
   */
  public static long at(long place, long size, long key) {
    int half = Math.max(1, (65 - Long.numberOfLeadingZeros(Math.max(1, size - 1))) / 2);
    long mask = (1L << half) - 1;
    long value = place;
    do {
      long left = value >>> half;
      long right = value & mask;
      for (int round = 0; round < ROUNDS; round++) {
        long next = left ^ (CounterRandom.key(CounterRandom.key(key, round), right) & mask);
        left = right;
        right = next;
      }
      value = left << half | right;
    } while (value >= size);
    return value;
  }
}
