package dev.distillery.model.tokenizer;

import java.util.Arrays;
import java.util.OptionalInt;

/**
 * Text to token ids and back. Immutable and safe for concurrent use. Lone surrogates in a text are
 * taken for U+FFFD.
 */
public interface Tokenizer {
  /** One more than the largest id. A model may have more rows than that. */
  int vocabSize();

  /**
   * The ids of a text, in which added tokens, the special ones too, are recognised where they are
   * written. Nothing is put before or after: see {@link #prefix} and {@link #suffix}.
   */
  int[] encode(String text);

  /**
   * The ids of a text in which a special token's name is text like any other: for what comes from
   * users.
   */
  int[] encodeOrdinary(String text);

  /** What the model's own tokenizer puts before a whole text: BOS, or nothing. */
  int[] prefix();

  /**
   * The ids of a whole text, {@link #prefix} before it; a text that begins so by itself is given no
   * second beginning.
   */
  default int[] begun(String text) {
    return begun(prefix(), encode(text));
  }

  /** The ids behind a beginning, which is not put there twice. */
  static int[] begun(int[] beginning, int[] ids) {
    if (ids.length >= beginning.length
        && Arrays.equals(ids, 0, beginning.length, beginning, 0, beginning.length)) {
      return ids;
    }
    int[] all = Arrays.copyOf(beginning, beginning.length + ids.length);
    System.arraycopy(ids, 0, all, beginning.length, ids.length);
    return all;
  }

  /** What the model's own tokenizer puts after a whole text: mostly nothing. */
  int[] suffix();

  /** The text of ids; bytes that are no UTF-8 become U+FFFD. */
  default String decode(int[] ids, boolean skipSpecial) {
    TokenDecoder decoder = decoder(skipSpecial);
    StringBuilder text = new StringBuilder();
    for (int id : ids) {
      text.append(decoder.append(id));
    }
    return text.append(decoder.finish()).toString();
  }

  /** A decoder for ids that come one at a time. */
  TokenDecoder decoder(boolean skipSpecial);

  /** The id of a token by its spelling in the vocabulary. */
  OptionalInt id(String token);

  /** Whether there is such an id; a vocabulary may leave some out. */
  boolean has(int id);

  /**
   * The spelling in the vocabulary.
   *
   * @throws IllegalArgumentException if there is no such id
   */
  String token(int id);

  /** Whether the token is a mark, such as an end of text, rather than text. */
  boolean isSpecial(int id);
}
