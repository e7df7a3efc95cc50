package dev.distillery.jobs.curate;

/**
 * Ids of a row's copies: the row's own with signs, {@code copy} and a number behind, as {@code
 * a#copy2}. An id may come from anywhere, so that it is read from its end and in one pass.
 */
final class CopyIds {
  private static final char SIGN = '#';
  private static final String COPY = "copy";

  private CopyIds() {}

  /** What stands before a copy's number. */
  static String mark(int signs) {
    return String.valueOf(SIGN).repeat(signs) + COPY;
  }

  /** The id without all that makes it a copy's, a copy's copy's too. */
  static String original(String id) {
    int end = id.length();
    for (int mark = lastSign(id, end); mark >= 0; mark = lastSign(id, end)) {
      end = firstSign(id, mark);
    }
    return id.substring(0, end);
  }

  /** How many signs stand before the number at an id's end; 0 where it is no copy's. */
  static int signs(String id) {
    int mark = lastSign(id, id.length());
    return mark < 0 ? 0 : mark + 1 - firstSign(id, mark);
  }

  /** The place of the sign before the copy's number that ends there; -1 where none does. */
  private static int lastSign(String id, int end) {
    int at = end;
    while (at > 0 && id.charAt(at - 1) >= '0' && id.charAt(at - 1) <= '9') {
      at--;
    }
    int sign = at - COPY.length() - 1;
    boolean copy = at < end && sign >= 0 && id.startsWith(COPY, sign + 1);
    return copy && id.charAt(sign) == SIGN ? sign : -1;
  }

  private static int firstSign(String id, int last) {
    int at = last;
    while (at > 0 && id.charAt(at - 1) == SIGN) {
      at--;
    }
    return at;
  }
}
