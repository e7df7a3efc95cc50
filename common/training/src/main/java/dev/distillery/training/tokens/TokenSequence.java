package dev.distillery.training.tokens;

import java.io.Serializable;

/**
 * One row of a token table: what stands in one place of a micro-batch.
 *
 * @param ids token ids, [time]; of several documents one after the other where rows are packed
 * @param weights [time]; what the log-probability of {@code ids[t]}, given the tokens before it in
 *     its document, counts in the loss; 0 is context only, and a document's first token is 0
 * @param starts index of each document's first token, ascending, the first 0; documents see only
 *     themselves
 * @param label class of a row that is classified, whose first weight is then what the class counts;
 *     {@link #NO_LABEL} elsewhere
 * @param figures what the run's objective needs beside, in an order that is its own: a pair's
 *     margin and reference log-probabilities, a sampled answer's old log-probabilities, values and
 *     advantages, a teacher's likeliest tokens ({@link TaughtTokens}); mostly none
 */
@SuppressWarnings("ArrayRecordComponent") // Built once and only read: a copy would help nobody.
public record TokenSequence(int[] ids, float[] weights, int[] starts, int label, float[] figures)
    implements Serializable {
  /** The row is not classified. */
  public static final int NO_LABEL = -1;

  private static final float[] NO_FIGURES = {};

  /** A row that is not classified. */
  public TokenSequence(int[] ids, float[] weights, int[] starts) {
    this(ids, weights, starts, NO_LABEL, NO_FIGURES);
  }

  /** A row of a class. */
  public TokenSequence(int[] ids, float[] weights, int[] starts, int label) {
    this(ids, weights, starts, label, NO_FIGURES);
  }

  /** The same row with other figures. */
  public TokenSequence with(float... others) {
    return new TokenSequence(ids, weights, starts, label, others);
  }

  public TokenSequence {
    if (ids.length == 0 || ids.length != weights.length) {
      throw new IllegalArgumentException(
          "A sequence needs tokens and a weight for each: %s tokens, %s weights"
              .formatted(ids.length, weights.length));
    }
    if (starts.length == 0 || starts[0] != 0) {
      throw new IllegalArgumentException("A sequence's first document starts at 0");
    }
  }
}
