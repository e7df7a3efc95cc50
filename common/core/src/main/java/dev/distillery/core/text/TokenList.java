package dev.distillery.core.text;

/**
 * A text's tokens as numbers, as {@link WordNumbers} makes them.
 *
 * <p>Tokens that the vocabulary does not know can match nothing, so they are counted in {@code
 * length} and left out of the rest. An <em>element</em> is a token with the number of its
 * occurrence in the text, so that the bag of tokens is a set of elements.
 *
 * @param length how many tokens the text has, known or not
 * @param sequence the known tokens in the text's order
 * @param elements the known elements, rarest first (descending)
 * @param sketch0 see {@link #overlapBound}
 * @param sketch1 see {@link #overlapBound}
 */
@SuppressWarnings(
    "ArrayRecordComponent") // Compared by nobody; copies would cost more than they save.
public record TokenList(int length, int[] sequence, int[] elements, long sketch0, long sketch1) {

  /** Builds the sketch from the elements. */
  public static TokenList of(int length, int[] sequence, int[] elements) {
    long sketch0 = 0;
    long sketch1 = 0;
    for (int element : elements) {
      long hash = element * 0x9E3779B97F4A7C15L;
      long bit = 1L << (hash >>> 57); // The shift uses six bits; the seventh chooses the word.
      if (hash < 0) {
        sketch0 ^= bit;
      } else {
        sketch1 ^= bit;
      }
    }
    return new TokenList(length, sequence, elements, sketch0, sketch1);
  }

  /** How many elements the vocabulary did not know. */
  int unknown() {
    return length - elements.length;
  }

  /**
   * At least as many as the elements that both have. Every element flips one of the 128 bits of the
   * sketch, so two sketches differ in at most as many bits as there are elements in just one of the
   * lists (Sandes, Teodoro, Melo 2020).
   */
  int overlapBound(TokenList other) {
    int differing = Long.bitCount(sketch0 ^ other.sketch0) + Long.bitCount(sketch1 ^ other.sketch1);
    return (elements.length + other.elements.length - differing) >> 1;
  }
}
