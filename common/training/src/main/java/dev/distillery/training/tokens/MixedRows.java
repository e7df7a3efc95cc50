package dev.distillery.training.tokens;

import dev.distillery.core.random.CounterRandom;
import java.io.Serializable;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.List;

/**
 * Several inputs as one. An input's weight is the number of passes over it in an epoch: 2 gives
 * each row twice, 0.5 half of them, another half in the next epoch. Rows are drawn without
 * replacement, pass by pass, so that nothing is left out or repeated because another input has
 * ended. An epoch takes of each input its rows times its weight, rounded up, and goes on in the
 * next where it stopped.
 */
public final class MixedRows implements TokenRows, Serializable {
  private static final long serialVersionUID = 1L;

  private final List<Input> inputs;
  private final long seed;
  private final boolean shuffled;
  private final long epoch;
  private final long[] firsts;

  /**
   * One input.
   *
   * @param rows of it
   * @param weight passes over it in an epoch, over 0
   */
  public record Input(TokenRows rows, BigDecimal weight) implements Serializable {
    public Input {
      if (weight.signum() <= 0) {
        throw new IllegalArgumentException("The weight of an input must be over 0: " + weight);
      }
    }

    /** Rows of it in an epoch. */
    public long perEpoch() {
      return MixedRows.perEpoch(rows.size(), weight);
    }
  }

  /** Rows that an epoch takes of an input. */
  static long perEpoch(long rows, BigDecimal weight) {
    return weight
        .multiply(BigDecimal.valueOf(rows))
        .setScale(0, RoundingMode.CEILING)
        .longValueExact();
  }

  private MixedRows(List<Input> inputs, long seed, boolean shuffled, long epoch) {
    this.inputs = inputs;
    this.seed = seed;
    this.shuffled = shuffled;
    this.epoch = epoch;
    this.firsts = new long[inputs.size() + 1];
    for (int i = 0; i < inputs.size(); i++) {
      firsts[i + 1] = Math.addExact(firsts[i], inputs.get(i).perEpoch());
    }
  }

  /**
   * The inputs one after the other.
   *
   * @param seed of what a pass that is not whole takes
   * @param shuffled whether such a pass takes rows in an order drawn from the seed, or in their own
   */
  public static TokenRows of(List<Input> inputs, long seed, boolean shuffled) {
    return new MixedRows(List.copyOf(inputs), seed, shuffled, 0);
  }

  @Override
  public long size() {
    return firsts[inputs.size()];
  }

  @Override
  public TokenSequence row(long index) {
    if (index < 0 || index >= size()) {
      throw new IndexOutOfBoundsException("Row %s of %s".formatted(index, size()));
    }
    int i = 0;
    while (index >= firsts[i + 1]) {
      i++;
    }
    TokenRows rows = inputs.get(i).rows();
    long perEpoch = inputs.get(i).perEpoch();
    long drawn = Math.addExact(Math.multiplyExact(epoch, perEpoch), index - firsts[i]);
    long pass = drawn / rows.size();
    long place = drawn % rows.size();
    if (!shuffled) {
      return rows.row(place);
    }
    long key = CounterRandom.key(CounterRandom.key(seed, i), pass);
    return rows.row(Permutation.at(place, rows.size(), key));
  }

  @Override
  public TokenRows epoch(long number) {
    return new MixedRows(inputs, seed, shuffled, number);
  }
}
