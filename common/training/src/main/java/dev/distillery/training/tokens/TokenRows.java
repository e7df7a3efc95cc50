package dev.distillery.training.tokens;

/** Rows of tokens that are read by position. Safe for several threads. */
public interface TokenRows {
  /** How many there are. */
  long size();

  /**
   * One row.
   *
   * @param index in [0, {@link #size})
   */
  TokenSequence row(long index);
}
