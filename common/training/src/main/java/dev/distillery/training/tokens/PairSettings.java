package dev.distillery.training.tokens;

import java.io.Serializable;

/**
 * How comparisons of answers become rows of a token table: the two answers of a pair, each behind
 * the prompt, are the two documents of a row.
 *
 * @param longPair what becomes of a pair with a side that is longer than a row may be
 * @param ranked whether the pairs of one prompt ({@code group_id}) are one row, in which an answer
 *     of several pairs stands once
 */
public record PairSettings(LongPair longPair, boolean ranked) implements Serializable {
  /** Of rows that are no comparisons. */
  public static final PairSettings NONE = new PairSettings(LongPair.NONE, false);

  /** What becomes of a pair that is too long. */
  public enum LongPair {
    /** There are no pairs. */
    NONE,
    /** Its answers are cut at their ends. */
    CUT_ANSWERS,
    /** Its prompt loses its beginning. */
    CUT_PROMPT,
    /** It is rejected. */
    REJECT
  }
}
