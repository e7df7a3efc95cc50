package dev.distillery.datasets.read;

import java.io.Serializable;

/**
 * Where in a JSON document a byte lies, as far as brackets and strings go.
 *
 * @param inString between the quotes of a string
 * @param escaped after a backslash that escapes the next byte
 * @param inWord after a byte of a number, of true, false, null, or of something that JSON has not
 * @param depth brackets that are open; below 0 where more were closed than opened
 */
public record JsonState(boolean inString, boolean escaped, boolean inWord, long depth)
    implements Serializable {
  /** The beginning of a document. */
  public static final JsonState START = new JsonState(false, false, false, 0);

  /**
   * Whether a byte outside of strings belongs to a word: it is no space, bracket, quote or mark.
   */
  static boolean isWord(byte b) {
    return switch (b) {
      case ' ', '\t', '\n', '\r', ',', ':', '"', '{', '}', '[', ']' -> false;
      default -> true;
    };
  }
}
