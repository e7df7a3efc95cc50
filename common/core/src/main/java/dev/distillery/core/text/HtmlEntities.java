package dev.distillery.core.text;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** The named and numeric character references of HTML 5. */
final class HtmlEntities {
  private static final Map<String, String> NAMED = new HashMap<>(4096);

  /** The few names that pages from before HTML 4 write without a semicolon. */
  private static final Set<String> WITHOUT_SEMICOLON = new HashSet<>(256);

  static {
    load();
  }

  /** What browsers read the references 128 to 159 as: Windows-1252. 0 where it has no character. */
  private static final char[] WINDOWS_1252 = {
    0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039,
    0x0152, 0, 0x017D, 0, 0, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122,
    0x0161, 0x203A, 0x0153, 0, 0x017E, 0x0178
  };

  private static final int LONGEST_NAME = 40;

  private HtmlEntities() {}

  /** The text of {@code &#number;}: U+FFFD where that is no character that text may hold. */
  static String numeric(long number) {
    if (number >= 128 && number < 160 && WINDOWS_1252[(int) number - 128] != 0) {
      return String.valueOf(WINDOWS_1252[(int) number - 128]);
    }
    boolean surrogate = number >= Character.MIN_SURROGATE && number <= Character.MAX_SURROGATE;
    if (number <= 0 || number > Character.MAX_CODE_POINT || surrogate) {
      return "\uFFFD";
    }
    return Character.toString((int) number);
  }

  /**
   * The value of an attribute with its references resolved. A name without its semicolon is none
   * here, so that {@code ?a=1&copy=2} stays a link.
   */
  static String unescape(String text) {
    int ampersand = text.indexOf('&');
    if (ampersand < 0) {
      return text;
    }
    StringBuilder out = new StringBuilder(text.length());
    int at = 0;
    while (ampersand >= 0) {
      out.append(text, at, ampersand);
      at = appendReference(text, ampersand, false, out);
      ampersand = text.indexOf('&', at);
    }
    return out.append(text, at, text.length()).toString();
  }

  /**
   * Appends what the reference at {@code text[start]} (an ampersand) stands for, or the ampersand
   * itself where none begins there.
   *
   * @param lenient whether the names that browsers read without a semicolon are read so
   * @return the position after what was read
   */
  static int appendReference(String text, int start, boolean lenient, StringBuilder out) {
    int end = start + 1;
    if (end < text.length() && text.charAt(end) == '#') {
      return appendNumeric(text, start, out);
    }
    while (end < text.length() && isLetterOrDigit(text.charAt(end))) {
      end++;
    }
    String name = text.substring(start + 1, Math.min(end, start + 1 + LONGEST_NAME));
    String character = NAMED.get(name);
    boolean closed = end < text.length() && text.charAt(end) == ';';
    if (character == null || !(closed || (lenient && WITHOUT_SEMICOLON.contains(name)))) {
      out.append('&');
      return start + 1;
    }
    out.append(character);
    return closed ? end + 1 : end;
  }

  private static int appendNumeric(String text, int start, StringBuilder out) {
    int digits = start + 2;
    boolean hexadecimal = digits < text.length() && (text.charAt(digits) | 0x20) == 'x';
    int radix = hexadecimal ? 16 : 10;
    if (hexadecimal) {
      digits++;
    }
    long number = 0;
    int end = digits;
    while (end < text.length()) {
      char c = text.charAt(end);
      int digit = c < 128 ? Character.digit(c, radix) : -1;
      if (digit < 0) {
        break;
      }
      number = Math.min(number * radix + digit, Integer.MAX_VALUE);
      end++;
    }
    if (end == digits) {
      out.append("&#");
      return start + 2;
    }
    out.append(numeric(number));
    return end < text.length() && text.charAt(end) == ';' ? end + 1 : end;
  }

  private static boolean isLetterOrDigit(char c) {
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
  }

  private static void load() {
    try (InputStream in = HtmlEntities.class.getResourceAsStream("html-entities.tsv");
        BufferedReader lines =
            new BufferedReader(new InputStreamReader(in, StandardCharsets.US_ASCII))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        int tab = line.indexOf('\t');
        StringBuilder value = new StringBuilder(2);
        for (String point : line.substring(tab + 1).split(" ", -1)) {
          value.appendCodePoint(Integer.parseInt(point, 16));
        }
        boolean bare = line.charAt(tab - 1) == '*';
        String name = line.substring(0, bare ? tab - 1 : tab);
        NAMED.put(name, value.toString());
        if (bare) {
          WITHOUT_SEMICOLON.add(name);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read html-entities.tsv from the class path", e);
    }
  }
}
