package dev.distillery.datasets.read;

import java.io.Serializable;

/**
 * What a stretch of JSON does to the state that it is entered in, without knowing that state: the
 * means by which one document is split over tasks. Stretches compose, so tasks scan one each and
 * the driver tells every task the state it begins in.
 *
 * <p>A backslash is taken to escape the next byte wherever it stands; outside of strings valid JSON
 * has none. Then the two states that a stretch can be entered in (inside or outside of a string)
 * stay opposite to each other through all of it, and one pass with two bracket counts serves both.
 * Whether the first byte is escaped matters for that byte alone.
 *
 * @param bytes the stretch's length
 * @param last its last byte; a space where it is empty
 * @param plain its effect where its first byte is not escaped
 * @param escaped its effect where it is
 */
public record JsonScan(long bytes, byte last, Effect plain, Effect escaped)
    implements Serializable {

  /**
   * What a stretch does, once it is known whether its first byte is escaped.
   *
   * @param flips whether an odd number of quotes was passed
   * @param depthOutside brackets opened less those closed, if entered outside of a string
   * @param depthInside the same, if entered inside of one
   * @param endsEscaped whether the last byte is a backslash that escapes what follows
   */
  public record Effect(boolean flips, long depthOutside, long depthInside, boolean endsEscaped)
      implements Serializable {
    private static final Effect NONE = new Effect(false, 0, 0, false);
    private static final Effect ESCAPED = new Effect(false, 0, 0, true);
  }

  /** Few bytes do: one look passes over all others. */
  private static final boolean[] MATTERS = new boolean[256];

  static {
    for (char c : "\\\"{}[]".toCharArray()) {
      MATTERS[c] = true;
    }
  }

  /** The effect of no bytes. */
  public static final JsonScan EMPTY = new JsonScan(0, (byte) ' ', Effect.NONE, Effect.ESCAPED);

  /** The effect of {@code buffer[0, length)}. */
  public static JsonScan of(byte[] buffer, int length) {
    if (length == 0) {
      return EMPTY;
    }
    byte last = buffer[length - 1];
    int meeting = meeting(buffer, length);
    if (meeting == length) {
      return new JsonScan(length, last, scan(buffer, 0, length), scan(buffer, 1, length));
    }
    Effect rest = scan(buffer, meeting, length);
    return new JsonScan(
        length,
        last,
        compose(scan(buffer, 0, meeting), rest),
        compose(scan(buffer, 1, meeting), rest));
  }

  /**
   * The first byte that both readings, that with the first byte escaped and that without, take for
   * unescaped: at once, but after a run of backslashes. The length where there is none.
   */
  private static int meeting(byte[] buffer, int length) {
    int plain = 0;
    int escaped = 1;
    while (plain != escaped && plain < length && escaped < length) {
      if (plain < escaped) {
        plain += buffer[plain] == '\\' ? 2 : 1;
      } else {
        escaped += buffer[escaped] == '\\' ? 2 : 1;
      }
    }
    return plain == escaped ? plain : length;
  }

  private static Effect scan(byte[] buffer, int from, int length) {
    boolean flipped = false;
    long[] depth = new long[2];
    long open = 0;
    int i = from;
    for (; i < length; i++) {
      byte b = buffer[i];
      if (!MATTERS[b & 0xFF]) {
        continue;
      }
      if (b == '\\') {
        i++;
      } else if (b == '"') {
        depth[flipped ? 1 : 0] += open;
        open = 0;
        flipped = !flipped;
      } else if (b == '{' || b == '[') {
        open++;
      } else if (b == '}' || b == ']') {
        open--;
      }
    }
    depth[flipped ? 1 : 0] += open;
    return new Effect(flipped, depth[0], depth[1], i > length);
  }

  /** The effect of this stretch and then {@code next}. */
  public JsonScan then(JsonScan next) {
    return new JsonScan(
        Math.addExact(bytes, next.bytes),
        next.bytes == 0 ? last : next.last,
        compose(plain, plain.endsEscaped ? next.escaped : next.plain),
        compose(escaped, escaped.endsEscaped ? next.escaped : next.plain));
  }

  private static Effect compose(Effect first, Effect second) {
    return new Effect(
        first.flips ^ second.flips,
        first.depthOutside + (first.flips ? second.depthInside : second.depthOutside),
        first.depthInside + (first.flips ? second.depthOutside : second.depthInside),
        second.endsEscaped);
  }

  /** The state after this stretch, entered in {@code state}. */
  public JsonState apply(JsonState state) {
    Effect effect = state.escaped() ? escaped : plain;
    boolean inString = state.inString() ^ effect.flips;
    boolean inWord = bytes == 0 ? state.inWord() : !inString && JsonState.isWord(last);
    return new JsonState(
        inString,
        effect.endsEscaped,
        inWord,
        state.depth() + (state.inString() ? effect.depthInside : effect.depthOutside));
  }
}
