package dev.distillery.training.tokens;

import java.io.Serializable;

/**
 * What the rows of a token table are given beside their tokens, such as a reference model's
 * log-probabilities: computed once, by Spark, and kept in a table of its own. It is sent to
 * executors, so it holds little.
 */
public interface RowFigures extends Serializable {
  /** For people, capitalised: what the figures are. */
  String name();

  /** Another for other figures: with the rows' key it decides the table that holds them. */
  String key();

  /** The computation, opened for some rows. */
  Work open();

  /** A computation at work. One thread at a time. */
  interface Work extends AutoCloseable {
    /**
     * The figures of a row, instead of those that it has; they depend on the row alone, to the bit.
     */
    float[] figures(TokenSequence row);

    @Override
    void close();
  }
}
