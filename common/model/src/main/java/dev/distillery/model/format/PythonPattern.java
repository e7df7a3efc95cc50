package dev.distillery.model.format;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * A regular expression of Python's {@code re} out of an adapter's file, over names of modules. What
 * Python and Java read differently is refused by name. Patterns are untrusted, so the steps of a
 * match are bounded.
 */
final class PythonPattern {
  private static final int MOST_CHARACTERS = 4096;
  private static final int MOST_STEPS = 1 << 20;

  /**
   * Ways through a pattern that read no character: at the end of a name those are not counted as
   * steps.
   */
  private static final double MOST_WAYS = 1 << 20;

  /**
   * Ways through a group as far as it is read: a branch has the product of those of its groups, and
   * branches add up.
   *
   * @param earlier of the branches before
   * @param branch of the one that is read
   */
  private record Ways(double earlier, double branch) {
    double sum() {
      return earlier + branch;
    }
  }

  private final String text;
  private final Pattern pattern;

  private PythonPattern(String text, Pattern pattern) {
    this.text = text;
    this.pattern = pattern;
  }

  /**
   * @throws IllegalArgumentException naming the pattern and what of it is not read
   */
  static PythonPattern of(String text) {
    if (text.length() > MOST_CHARACTERS) {
      throw new IllegalArgumentException(
          "The pattern '%s' is longer than %s characters"
              .formatted(ModelJson.abbreviate(text), MOST_CHARACTERS));
    }
    try {
      return new PythonPattern(text, Pattern.compile(translated(text)));
    } catch (PatternSyntaxException e) {
      throw unread(text, e.getDescription());
    }
  }

  private static IllegalArgumentException unread(String text, String why) {
    return new IllegalArgumentException(
        "The pattern '%s' is not read: %s".formatted(ModelJson.abbreviate(text), why));
  }

  private static String translated(String text) {
    var out = new StringBuilder();
    boolean inClass = false;
    Deque<Ways> groups = new ArrayDeque<>(List.of(new Ways(0, 1)));
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      char next = i + 1 < text.length() ? text.charAt(i + 1) : 0;
      if (c == '\\') {
        boolean shorthand = "dDwWsSbB".indexOf(next) >= 0;
        if (next == 0 || (!shorthand && Character.isLetterOrDigit(next))) {
          throw unread(text, "it uses \\" + (next == 0 ? "" : next));
        }
        out.append(c).append(next);
        i++;
      } else if (inClass) {
        if (c == '[' || (c == '&' && next == '&')) {
          throw unread(text, "it uses " + c + " within brackets");
        }
        inClass = c != ']';
        out.append(c);
      } else if (c == '|') {
        groups.push(new Ways(groups.pop().sum(), 1));
        out.append(c);
      } else if (c == ')' && groups.size() > 1) {
        double within = groups.pop().sum() * ("?*+{".indexOf(next) >= 0 && next != 0 ? 2 : 1);
        Ways around = groups.pop();
        groups.push(new Ways(around.earlier(), around.branch() * within));
        out.append(c);
      } else if (c == '(' && next == '?') {
        groups.push(new Ways(0, 1));
        String rest = text.substring(i + 2);
        if (rest.startsWith("P<")) {
          out.append("(?<");
          i += 3;
        } else if (rest.matches("(?s)([:=!]|<[=!]).*")) {
          out.append(c);
        } else {
          throw unread(text, "it uses (?" + rest.substring(0, Math.min(1, rest.length())));
        }
      } else {
        if (c == '(') {
          groups.push(new Ways(0, 1));
        }
        inClass = c == '[';
        if (inClass && (next == ']' || text.startsWith("^]", i + 1))) {
          throw unread(text, "it has ] first within brackets");
        }
        out.append(c);
      }
    }
    if (groups.getFirst().sum() > MOST_WAYS) {
      throw unread(text, "it has too many alternatives in a row");
    }
    return out.toString();
  }

  /** Whether the whole of a name matches, as {@code re.fullmatch}. */
  boolean matches(String name) {
    return bounded(() -> matcher(name).matches(), name);
  }

  /** Whether a name begins with a match, as {@code re.match}. */
  boolean begins(String name) {
    return bounded(() -> matcher(name).lookingAt(), name);
  }

  private boolean bounded(BooleanSupplier match, String name) {
    try {
      return match.getAsBoolean();
    } catch (StackOverflowError e) {
      throw unread(text, "it nests too deep to match " + ModelJson.abbreviate(name));
    }
  }

  /** A matcher over a name; it ends with an exception where it takes too long. */
  Matcher matcher(String name) {
    return pattern.matcher(new Bounded(name, 0, name.length(), new int[1], text));
  }

  /** A name whose characters may be looked at so many times. */
  @SuppressWarnings("ArrayRecordComponent") // The steps are counted over all views of a name.
  private record Bounded(String name, int from, int to, int[] steps, String pattern)
      implements CharSequence {
    @Override
    public int length() {
      return to - from;
    }

    @Override
    public char charAt(int index) {
      if (++steps[0] > MOST_STEPS) {
        throw unread(pattern, "it takes too long to match " + name);
      }
      return name.charAt(from + index);
    }

    @Override
    public CharSequence subSequence(int start, int end) {
      return new Bounded(name, from + start, from + end, steps, pattern);
    }

    @Override
    public String toString() {
      return name.substring(from, to);
    }
  }
}
