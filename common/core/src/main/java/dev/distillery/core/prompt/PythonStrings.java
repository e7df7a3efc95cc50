package dev.distillery.core.prompt;

import java.util.Locale;
import java.util.regex.Pattern;

/**
 * Text functions with the meaning that they have in Python 3, in which the original rules are
 * written: what is white space, a digit or a word character differs from Java's defaults.
 */
final class PythonStrings {
  /** Python's {@code \s} and {@code str.isspace}: wider than Java's, by U+001C to U+001F too. */
  static final String SPACE =
      "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";

  /** Python's {@code \d}. */
  static final String DIGIT = "\\p{Nd}";

  /** A place where no word character stands before: Python's {@code \b} ahead of a word. */
  static final String WORD_START = "(?<![\\p{L}\\p{N}_])";

  /** A place where no word character follows: Python's {@code \b} behind a word. */
  static final String WORD_END = "(?![\\p{L}\\p{N}_])";

  private static final Pattern SPACES = Pattern.compile(SPACE + "+");

  private PythonStrings() {}

  static boolean isSpace(int character) {
    return (character >= 0x09 && character <= 0x0d)
        || (character >= 0x1c && character <= 0x20)
        || character == 0x85
        || character == 0xa0
        || character == 0x1680
        || (character >= 0x2000 && character <= 0x200a)
        || character == 0x2028
        || character == 0x2029
        || character == 0x202f
        || character == 0x205f
        || character == 0x3000;
  }

  /** {@code str.strip()}. */
  static String strip(String text) {
    int start = 0;
    int end = text.length();
    while (start < end && isSpace(text.charAt(start))) {
      start++;
    }
    while (end > start && isSpace(text.charAt(end - 1))) {
      end--;
    }
    return text.substring(start, end);
  }

  /** {@code re.sub(r"\s+", " ", text).strip()}. */
  static String collapse(String text) {
    return strip(SPACES.matcher(text).replaceAll(" "));
  }

  /** {@code len(text.split())}. */
  static int countWords(String text) {
    int words = 0;
    boolean inWord = false;
    for (int i = 0; i < text.length(); i++) {
      boolean space = isSpace(text.charAt(i));
      if (!space && !inWord) {
        words++;
      }
      inWord = !space;
    }
    return words;
  }

  /**
   * {@code str.capitalize()}: the first character in title case, every other in lower case, a sigma
   * at a word's end as its final form.
   */
  static String capitalize(String text) {
    if (text.isEmpty()) {
      return text;
    }
    int first = text.codePointAt(0);
    String lowered = text.toLowerCase(Locale.ROOT);
    int loweredFirst = Character.toString(first).toLowerCase(Locale.ROOT).length();
    return title(first) + lowered.substring(loweredFirst);
  }

  /** The text with its first letter in title case and the rest as it is. */
  static String capitalizeFirst(String text) {
    if (text.isEmpty()) {
      return text;
    }
    int first = text.codePointAt(0);
    return title(first) + text.substring(Character.charCount(first));
  }

  /** Title case with the expansions that {@link Character#toTitleCase(int)} lacks: ß is Ss. */
  private static String title(int character) {
    int simple = Character.toTitleCase(character);
    if (simple != character) {
      return Character.toString(simple);
    }
    String upper = Character.toString(character).toUpperCase(Locale.ROOT);
    int first = upper.codePointAt(0);
    String rest = upper.substring(Character.charCount(first));
    // An apostrophe that comes first has no case: what follows it is the capital.
    return Character.toString(first)
        + (Character.isUpperCase(first) ? rest.toLowerCase(Locale.ROOT) : rest);
  }
}
