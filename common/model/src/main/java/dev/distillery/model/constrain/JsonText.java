package dev.distillery.model.constrain;

import java.util.Arrays;

/**
 * A string: RFC 8259, section 7, in whole UTF-8 (RFC 3629) and with surrogates escaped in pairs
 * only. Its length is counted in code points, each as it begins.
 */
final class JsonText implements JsonRule {
  /** Inside, between two characters. */
  static final int BODY = 1;

  /** As a length: no bound. */
  static final long UNBOUNDED = Long.MAX_VALUE;

  private static final int START = 0;
  private static final int END = 2;
  private static final int ESCAPE = 3;

  /** So many bytes of a character to come. */
  private static final int REST_1 = 4;

  private static final int REST_2 = 5;
  private static final int REST_3 = 6;

  /** Behind E0, ED, F0 and F4 not every byte may follow. */
  private static final int AFTER_E0 = 7;

  private static final int AFTER_ED = 8;
  private static final int AFTER_F0 = 9;
  private static final int AFTER_F4 = 10;

  /** So many digits of an escape to come. */
  private static final int HEX_1 = 11;

  private static final int HEX_2 = 12;
  private static final int HEX_3 = 13;
  private static final int HEX_4 = 14;

  /** Behind an escape's D, where surrogates begin. */
  private static final int AFTER_D = 15;

  private static final int HIGH_2 = 16;
  private static final int HIGH_1 = 17;
  private static final int LOW = 18;
  private static final int LOW_ESCAPE = 19;
  private static final int LOW_U = 20;
  private static final int LOW_D = 21;
  private static final int STATES = 22;

  private static final byte[][] NEXT = table();

  private final long least;
  private final long most;

  /**
   * @param least code points
   * @param most code points; {@link #UNBOUNDED}
   */
  JsonText(long least, long most) {
    this.least = least;
    this.most = most;
  }

  private static byte[][] table() {
    byte[][] next = new byte[STATES][256];
    for (byte[] row : next) {
      Arrays.fill(row, (byte) -1);
    }
    set(next, START, '"', '"', BODY);
    set(next, BODY, 0x20, 0x7F, BODY);
    set(next, BODY, '"', '"', END);
    set(next, BODY, '\\', '\\', ESCAPE);
    set(next, BODY, 0xC2, 0xDF, REST_1);
    set(next, BODY, 0xE1, 0xEF, REST_2);
    set(next, BODY, 0xE0, 0xE0, AFTER_E0);
    set(next, BODY, 0xED, 0xED, AFTER_ED);
    set(next, BODY, 0xF0, 0xF0, AFTER_F0);
    set(next, BODY, 0xF1, 0xF3, REST_3);
    set(next, BODY, 0xF4, 0xF4, AFTER_F4);
    set(next, REST_1, 0x80, 0xBF, BODY);
    set(next, REST_2, 0x80, 0xBF, REST_1);
    set(next, REST_3, 0x80, 0xBF, REST_2);
    set(next, AFTER_E0, 0xA0, 0xBF, REST_1);
    set(next, AFTER_ED, 0x80, 0x9F, REST_1);
    set(next, AFTER_F0, 0x90, 0xBF, REST_2);
    set(next, AFTER_F4, 0x80, 0x8F, REST_2);
    for (char escaped : "\"\\/bfnrt".toCharArray()) {
      set(next, ESCAPE, escaped, escaped, BODY);
    }
    set(next, ESCAPE, 'u', 'u', HEX_4);
    hex(next, HEX_4, 0, 15, HEX_3);
    hex(next, HEX_4, 13, 13, AFTER_D);
    hex(next, HEX_3, 0, 15, HEX_2);
    hex(next, HEX_2, 0, 15, HEX_1);
    hex(next, HEX_1, 0, 15, BODY);
    hex(next, AFTER_D, 0, 7, HEX_2);
    hex(next, AFTER_D, 8, 11, HIGH_2);
    hex(next, HIGH_2, 0, 15, HIGH_1);
    hex(next, HIGH_1, 0, 15, LOW);
    set(next, LOW, '\\', '\\', LOW_ESCAPE);
    set(next, LOW_ESCAPE, 'u', 'u', LOW_U);
    hex(next, LOW_U, 13, 13, LOW_D);
    hex(next, LOW_D, 12, 15, HEX_2);
    return next;
  }

  private static void set(byte[][] next, int state, int from, int to, int then) {
    Arrays.fill(next[state], from, to + 1, (byte) then);
  }

  private static void hex(byte[][] next, int state, int from, int to, int then) {
    for (int digit = from; digit <= to; digit++) {
      char lower = Character.forDigit(digit, 16);
      next[state][lower] = (byte) then;
      next[state][Character.toUpperCase(lower)] = (byte) then;
    }
  }

  /**
   * Code points of some bytes that may stand inside a string as they are; -1 where they may not.
   */
  static int plainPoints(byte[] bytes) {
    int state = BODY;
    int points = 0;
    for (byte b : bytes) {
      points += state == BODY ? 1 : 0;
      state = NEXT[state][b & 0xFF];
      if (state < 0 || state == END || state == ESCAPE) {
        return -1;
      }
    }
    return state == BODY ? points : -1;
  }

  /** Whether bytes that began between two characters end there. */
  static boolean wholeCharacters(byte[] bytes) {
    int state = BODY;
    for (byte b : bytes) {
      int next = b >= 0 ? BODY : NEXT[state][b & 0xFF];
      if (next < 0 || (b >= 0 && state != BODY)) {
        return false;
      }
      state = next;
    }
    return state == BODY;
  }

  /** Code points that may still begin. */
  long room(Reading reading) {
    return most == UNBOUNDED ? UNBOUNDED : most - reading.count();
  }

  @Override
  public String needs() {
    return "\"\\0cdu";
  }

  @Override
  public void next(Reading reading, int b, Readings into) {
    int state = NEXT[reading.at()][b];
    if (state < 0) {
      return;
    }
    if (state == END) {
      if (reading.count() >= least) {
        into.end(reading.below());
      }
    } else if (reading.at() != BODY) {
      into.add(reading.to(state, reading.count()));
    } else if (reading.count() < most) {
      into.add(reading.to(state, counted(reading.count())));
    }
  }

  /** Where nothing is bounded above, no more is counted than is asked for. */
  private long counted(long count) {
    return most == UNBOUNDED ? Math.min(least, count + 1) : count + 1;
  }
}
