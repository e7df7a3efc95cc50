package dev.distillery.training.run;

import dev.distillery.core.random.CounterRandom;
import dev.distillery.training.tokens.Permutation;

/**
 * The order of rows in an epoch: a permutation that is a function of seed, epoch and place, so that
 * no array of all rows is ever needed and a run that is resumed finds its place by arithmetic.
 */
public record RowOrder(long rows, long seed, boolean shuffled) {
  public RowOrder {
    if (rows < 1) {
      throw new IllegalArgumentException("An order needs a row");
    }
  }

  /** The row at a place of an epoch, each row at one place. */
  public long row(long epoch, long place) {
    if (place < 0 || place >= rows) {
      throw new IndexOutOfBoundsException("Place " + place + " of " + rows + " rows");
    }
    if (!shuffled || rows == 1) {
      return place;
    }
    return Permutation.at(place, rows, CounterRandom.key(seed, epoch));
  }
}
