package dev.distillery.model.template;

import java.util.Arrays;
import java.util.List;

/**
 * A text that knows where each of its characters comes from: the template, or a source that the
 * caller has numbered. Cutting and joining keep that; what rewrites a text makes all of it come
 * from its source, so that what a user said is never taken for the template's.
 */
public final class Text {
  /** The origin of what the template itself says. */
  public static final int TEMPLATE = 0;

  /** Set in the origin of what stands between {@code generation} and {@code endgeneration}. */
  public static final int GENERATION = 1 << 30;

  static final Text EMPTY = new Text("", new int[0], new int[0]);

  private final String value;
  private final int[] ends; // (runs): where each run of one origin ends
  private final int[] origins; // (runs)

  private Text(String value, int[] ends, int[] origins) {
    this.value = value;
    this.ends = ends;
    this.origins = origins;
  }

  /** A text of the template. */
  static Text of(String value) {
    return of(value, TEMPLATE);
  }

  /** A text of one origin. */
  public static Text of(String value, int origin) {
    return value.isEmpty()
        ? EMPTY
        : new Text(value, new int[] {value.length()}, new int[] {origin});
  }

  /** The characters. */
  public String value() {
    return value;
  }

  /** Number of runs: stretches of one origin, none of them empty. */
  public int runs() {
    return ends.length;
  }

  /** Where a run ends, in chars. */
  public int end(int run) {
    return ends[run];
  }

  /** Where a run comes from. */
  public int origin(int run) {
    return origins[run];
  }

  /** What stands in [from, to), in chars. */
  Text cut(int from, int to) {
    if (from <= 0 && to >= value.length()) {
      return this;
    }
    if (from >= to) {
      return EMPTY;
    }
    int first = 0;
    while (ends[first] <= from) {
      first++;
    }
    int last = first;
    while (ends[last] < to) {
      last++;
    }
    int[] cutEnds = Arrays.copyOfRange(ends, first, last + 1);
    for (int i = 0; i < cutEnds.length; i++) {
      cutEnds[i] = Math.min(cutEnds[i], to) - from;
    }
    return new Text(
        value.substring(from, to), cutEnds, Arrays.copyOfRange(origins, first, last + 1));
  }

  /** Another spelling of this: origins stay where the length does. */
  Text rewritten(String spelling) {
    return spelling.length() == value.length()
        ? new Text(spelling, ends, origins)
        : of(spelling, foreign());
  }

  /** The first origin that is not the template. */
  int foreign() {
    for (int origin : origins) {
      if ((origin & ~GENERATION) != TEMPLATE) {
        return origin;
      }
    }
    return TEMPLATE;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Text text && value.equals(text.value);
  }

  @Override
  public int hashCode() {
    return value.hashCode();
  }

  @Override
  public String toString() {
    return value;
  }

  /** Puts texts one behind the other. */
  static final class Builder {
    private final StringBuilder value = new StringBuilder();
    private int[] ends = new int[8];
    private int[] origins = new int[8];
    private int runs;
    private int flags;

    /** What comes from now on has these bits in its origin. */
    void flag(int bits) {
      flags = bits;
    }

    int flags() {
      return flags;
    }

    int length() {
      return value.length();
    }

    Builder add(Text text) {
      int before = value.length();
      value.append(text.value);
      for (int i = 0; i < text.ends.length; i++) {
        run(before + text.ends[i], text.origins[i] | flags);
      }
      return this;
    }

    private void run(int end, int origin) {
      if (runs > 0 && origins[runs - 1] == origin) {
        ends[runs - 1] = end;
        return;
      }
      if (runs == ends.length) {
        ends = Arrays.copyOf(ends, 2 * runs);
        origins = Arrays.copyOf(origins, 2 * runs);
      }
      ends[runs] = end;
      origins[runs++] = origin;
    }

    Text build() {
      return runs == 0
          ? EMPTY
          : new Text(value.toString(), Arrays.copyOf(ends, runs), Arrays.copyOf(origins, runs));
    }
  }

  static Text join(List<Text> parts) {
    Builder builder = new Builder();
    parts.forEach(builder::add);
    return builder.build();
  }
}
