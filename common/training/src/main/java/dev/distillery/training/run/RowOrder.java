package dev.distillery.training.run;

import dev.distillery.model.nn.CounterRandom;

/**
 * The order of rows in an epoch: a permutation that is a function of seed, epoch and place, so that
 * no array of all rows is ever needed and a run that is resumed finds its place by arithmetic.
 *
 * <p>A Feistel network of four rounds over the smallest power of 4 that holds all places; what
 * falls outside the rows is walked on until it falls inside (Black and Rogaway 2002, cycle
 * walking).
 */
record RowOrder(long rows, long seed, boolean shuffled) {
  private static final int ROUNDS = 4;

  RowOrder {
    if (rows < 1) {
      throw new IllegalArgumentException("An order needs a row");
    }
  }

  /** The row at a place of an epoch, each row at one place. */
  long row(long epoch, long place) {
    if (place < 0 || place >= rows) {
      throw new IndexOutOfBoundsException("Place " + place + " of " + rows + " rows");
    }
    if (!shuffled || rows == 1) {
      return place;
    }
    int half = (64 - Long.numberOfLeadingZeros(rows - 1) + 1) / 2;
    long mask = (1L << half) - 1;
    long key = CounterRandom.key(seed, epoch);
    long at = place;
    do {
      long left = at >>> half;
      long right = at & mask;
      for (int round = 0; round < ROUNDS; round++) {
        long mixed = left ^ (CounterRandom.key(CounterRandom.key(key, round), right) & mask);
        left = right;
        right = mixed;
      }
      at = left << half | right;
    } while (at >= rows);
    return at;
  }
}
