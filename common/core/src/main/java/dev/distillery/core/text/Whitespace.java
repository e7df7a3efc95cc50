package dev.distillery.core.text;

/**
 * White space as Unicode (and Python's {@code str.isspace}) sees it: unlike {@link
 * Character#isWhitespace} it holds the no-break spaces, which pages copied from a browser are full
 * of.
 */
public final class Whitespace {
  private Whitespace() {}

  /** Whether {@code c} is white space, no-break spaces and the ASCII separators included. */
  public static boolean isSpace(char c) {
    if (c <= ' ') {
      return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1C && c <= 0x1F);
    }
    return c >= 0x85
        && (c == 0x85
            || c == 0xA0
            || c == 0x1680
            || (c >= 0x2000 && c <= 0x200A)
            || c == 0x2028
            || c == 0x2029
            || c == 0x202F
            || c == 0x205F
            || c == 0x3000);
  }

  /** {@code text} without white space at either end. */
  public static String strip(String text) {
    int start = 0;
    int end = stripEnd(text, text.length());
    while (start < end && isSpace(text.charAt(start))) {
      start++;
    }
    return text.substring(start, end);
  }

  /** {@code text} without white space at its end. */
  public static String stripTrailing(String text) {
    return text.substring(0, stripEnd(text, text.length()));
  }

  /** Whether {@code text} is empty or nothing but white space. */
  public static boolean isBlank(String text) {
    return stripEnd(text, text.length()) == 0;
  }

  private static int stripEnd(String text, int end) {
    int last = end;
    while (last > 0 && isSpace(text.charAt(last - 1))) {
      last--;
    }
    return last;
  }
}
