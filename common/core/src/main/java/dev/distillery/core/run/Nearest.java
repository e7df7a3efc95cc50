package dev.distillery.core.run;

import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;

/** Finds the known name that somebody probably meant. */
public final class Nearest {
  private Nearest() {}

  /**
   * The known name with the smallest edit distance, if that is small enough to be a slip: at most a
   * third of the word, and 1 at least.
   */
  public static Optional<String> to(String word, Collection<String> known) {
    int limit = Math.max(1, word.length() / 3);
    return known.stream()
        .min(
            Comparator.<String>comparingInt(name -> distance(word, name))
                .thenComparing(Comparator.naturalOrder()))
        .filter(name -> distance(word, name) <= limit);
  }

  /** The end of a message: {@code "; did you mean X?"}, or what is known where nothing is near. */
  public static String hint(String word, Collection<String> known) {
    String question = question(word, known);
    return !question.isEmpty() || known.size() > 12
        ? question
        : "; known: " + String.join(", ", known);
  }

  /** The end of a message: {@code "; did you mean X?"}, or nothing where nothing is near. */
  static String question(String word, Collection<String> known) {
    return to(word, known).map(name -> "; did you mean " + name + "?").orElse("");
  }

  /** What to say of an option's value that is none of the known words; empty where it is one. */
  public static Optional<String> expected(String option, String value, Collection<String> known) {
    return known.contains(value)
        ? Optional.empty()
        : Optional.of(
            "Option "
                + option
                + ": expected one of "
                + String.join(", ", known)
                + ", found '"
                + value
                + "'"
                + question(value, known));
  }

  /** Levenshtein's distance. */
  private static int distance(String a, String b) {
    int[] previous = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      previous[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int[] current = new int[b.length() + 1];
      current[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int substitution = previous[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        current[j] = Math.min(substitution, Math.min(previous[j], current[j - 1]) + 1);
      }
      previous = current;
    }
    return previous[b.length()];
  }
}
