package dev.distillery.training.tokens;

/** Rows of tokens that are read by position. Safe for several threads. */
public interface TokenRows {
  /** How many there are in an epoch. */
  long size();

  /**
   * One row.
   *
   * @param index in [0, {@link #size})
   */
  TokenSequence row(long index);

  /**
   * The rows of one epoch, {@link #size} of them: the same in each, unless inputs are mixed by
   * weights. These are those of epoch 0. In which order they are trained is the run's to say.
   *
   * @param epoch from 0
   */
  default TokenRows epoch(long epoch) {
    return this;
  }
}
