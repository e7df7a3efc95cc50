package dev.distillery.core.text;

import java.math.BigDecimal;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** How near a written answer comes to a right one. */
public final class AnswerMatch {
  private static final Pattern NUMBER =
      Pattern.compile(
          "(?<![\\p{L}\\p{N}.])[-−]?(?:\\d{1,3}(?:,\\d{3}){1,20}+|\\d{1,400}+)(?:\\.\\d{1,400}+)?");
  private static final Pattern ARTICLE =
      Pattern.compile("\\b(?:a|an|the)\\b", Pattern.UNICODE_CHARACTER_CLASS);
  private static final Pattern SPACE = Pattern.compile("\\s+", Pattern.UNICODE_CHARACTER_CLASS);

  /** ASCII's, as Python's string.punctuation. */
  private static final Pattern PUNCTUATION = Pattern.compile("[!-/:-@\\[-`{-~]");

  private AnswerMatch() {}

  /** Equal but for white space at both ends. */
  public static boolean trimmed(String answer, String right) {
    return Whitespace.strip(answer).equals(Whitespace.strip(right));
  }

  /** The last number of a text, signs and thousands' commas understood. */
  public static Optional<BigDecimal> lastNumber(String text) {
    Matcher number = NUMBER.matcher(text);
    Optional<BigDecimal> last = Optional.empty();
    while (number.find()) {
      String digits = number.group().replace(",", "").replace('−', '-');
      last = Optional.of(new BigDecimal(digits));
    }
    return last;
  }

  /** Whether both have a last number, and it is the same in value: 7.0 is 7. */
  public static boolean numbers(String answer, String right) {
    Optional<BigDecimal> found = lastNumber(answer);
    Optional<BigDecimal> wanted = lastNumber(right);
    return found.isPresent() && wanted.isPresent() && found.get().compareTo(wanted.get()) == 0;
  }

  /** Exact match as SQuAD's script counts it: lower case, punctuation and articles left out. */
  public static boolean squad(String answer, String right) {
    return words(answer).equals(words(right));
  }

  /**
   * F1 of two bags of words as SQuAD's script counts it: lower case, punctuation and articles left
   * out. Two texts without a word are equal.
   */
  public static double f1(String answer, String right) {
    List<String> found = words(answer);
    List<String> wanted = words(right);
    if (found.isEmpty() || wanted.isEmpty()) {
      return found.equals(wanted) ? 1 : 0;
    }
    Map<String, Integer> left = new HashMap<>();
    wanted.forEach(word -> left.merge(word, 1, Integer::sum));
    int common = 0;
    for (String word : found) {
      if (left.getOrDefault(word, 0) > 0) {
        left.merge(word, -1, Integer::sum);
        common++;
      }
    }
    if (common == 0) {
      return 0;
    }
    double precision = (double) common / found.size();
    double recall = (double) common / wanted.size();
    return 2 * precision * recall / (precision + recall);
  }

  /** The words that SQuAD's script compares. */
  public static List<String> words(String text) {
    String plain = PUNCTUATION.matcher(text.toLowerCase(Locale.ROOT)).replaceAll("");
    return Stream.of(SPACE.split(ARTICLE.matcher(plain).replaceAll(" "), -1))
        .filter(word -> !word.isEmpty())
        .toList();
  }
}
