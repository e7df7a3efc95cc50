package dev.distillery.core.text;

import java.lang.Character.UnicodeScript;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A tokenizer for any language. The text is normalised (NFKC) and lower-cased; a token is a run of
 * letters, digits and the marks on them. Scripts that write no space between words, and Hangul,
 * where particles cling to the word, are cut by character: there a token is one letter with its
 * marks.
 *
 * <p>It uses the JDK's character properties and no word dictionary, so that the same text gives the
 * same tokens under every locale.
 */
public final class UnicodeTokenizer implements WordTokenizer {
  /** The name on the command line. */
  public static final String NAME = "unicode";

  @Override
  public List<String> tokenize(String text) {
    String normal = Normalizer.normalize(text, Normalizer.Form.NFKC).toLowerCase(Locale.ROOT);
    List<String> tokens = new ArrayList<>();
    int start = -1;
    boolean single = false;
    for (int i = 0; i < normal.length(); ) {
      int c = normal.codePointAt(i);
      boolean mark = isMark(c);
      boolean word = Character.isLetterOrDigit(c);
      boolean alone = word && isWrittenWithoutSpaces(c);
      if (start >= 0 && !mark && (!word || alone || single)) {
        tokens.add(normal.substring(start, i));
        start = -1;
      }
      if (start < 0 && word) {
        start = i;
        single = alone;
      }
      i += Character.charCount(c);
    }
    if (start >= 0) {
      tokens.add(normal.substring(start));
    }
    return tokens;
  }

  private static boolean isMark(int c) {
    return switch (Character.getType(c)) {
      case Character.NON_SPACING_MARK, Character.COMBINING_SPACING_MARK, Character.ENCLOSING_MARK ->
          true;
      default -> false;
    };
  }

  private static boolean isWrittenWithoutSpaces(int c) {
    if (c < 0x0E00) { // Thai is the first of them.
      return false;
    }
    return switch (UnicodeScript.of(c)) {
      case HAN,
          HIRAGANA,
          KATAKANA,
          BOPOMOFO,
          HANGUL,
          YI,
          THAI,
          LAO,
          KHMER,
          MYANMAR,
          TIBETAN,
          JAVANESE,
          TAI_LE,
          NEW_TAI_LUE,
          TAI_THAM,
          TAI_VIET ->
          true;
      default -> false;
    };
  }
}
