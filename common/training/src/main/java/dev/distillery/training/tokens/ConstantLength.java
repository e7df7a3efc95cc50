package dev.distillery.training.tokens;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.PrimitiveIterator;

/**
 * StackLLaMA's packing (TRL's {@code ConstantLengthDataset}): texts fill a buffer until it holds so
 * many characters; their tokens, an end after each text, are cut into rows of one length, and each
 * buffer's short tail is left out. Attention and positions run on through a row.
 */
final class ConstantLength {
  /** Rows that a buffer is meant to give. */
  static final int SEQUENCES = 1024;

  /** Rows of the input that the characters of a token are measured on. */
  static final int MEASURED_ROWS = 400;

  private ConstantLength() {}

  /**
   * Characters of a buffer.
   *
   * @param charactersPerToken measured on the first {@link #MEASURED_ROWS} rows
   */
  static double bufferCharacters(int length, double charactersPerToken) {
    return length * charactersPerToken * SEQUENCES;
  }

  /**
   * Index of each buffer's first text.
   *
   * @param characters of each text, in order
   */
  static long[] bufferStarts(PrimitiveIterator.OfInt characters, double bufferCharacters) {
    List<Long> starts = new ArrayList<>();
    long index = 0;
    double filled = Double.POSITIVE_INFINITY;
    for (; characters.hasNext(); index++) {
      if (filled >= bufferCharacters) {
        starts.add(index);
        filled = 0;
      }
      filled += characters.nextInt();
    }
    return starts.stream().mapToLong(Long::longValue).toArray();
  }

  /** Rows of one buffer, how many tokens its tail had, and how many ends were put in. */
  record Packed(List<TokenSequence> rows, int cut, int ends) {}

  /**
   * Packs one buffer.
   *
   * @param end put behind a text that does not end with it; negative for none
   * @param learnEnd whether that end is learned
   */
  static Packed pack(List<TokenSequence> texts, int length, int end, boolean learnEnd) {
    int total = texts.stream().mapToInt(text -> text.ids().length + 1).sum();
    int[] ids = new int[total];
    float[] weights = new float[total];
    int at = 0;
    int ends = 0;
    for (TokenSequence text : texts) {
      int count = text.ids().length;
      System.arraycopy(text.ids(), 0, ids, at, count);
      System.arraycopy(text.weights(), 0, weights, at, count);
      at += count;
      if (end >= 0 && ids[at - 1] != end) {
        ids[at] = end;
        weights[at] = learnEnd ? weights[at - 1] : 0;
        at++;
        ends++;
      }
    }
    List<TokenSequence> rows = new ArrayList<>();
    for (int from = 0; from + length <= at; from += length) {
      float[] counted = Arrays.copyOfRange(weights, from, from + length);
      counted[0] = 0;
      rows.add(
          new TokenSequence(Arrays.copyOfRange(ids, from, from + length), counted, new int[] {0}));
    }
    return new Packed(rows, at % length, ends);
  }
}
