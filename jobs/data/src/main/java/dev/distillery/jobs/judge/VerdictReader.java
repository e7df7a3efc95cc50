package dev.distillery.jobs.judge;

import java.util.List;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * Finds the verdict in a judge's prose: the last one. Where what the judge was shown holds the like
 * of a verdict too, the judge may be quoting it: then only one that stands alone on the reply's
 * last line counts.
 */
final class VerdictReader {
  /** What a verdict of any form begins with, however it is spaced or escaped. */
  private static final Pattern LIKE = Pattern.compile("[\\[\uff3b]\\P{Alnum}*[\\[\uff3b]");

  /** What may stand beside a verdict that stands alone: no marks of quotation. */
  private static final Pattern EMPHASIS = Pattern.compile("[\\s*_.]*");

  private VerdictReader() {}

  /**
   * Reads a reply.
   *
   * @param marker a verdict; its first group is what was decided
   * @param shown the prompt and the answers that were judged
   * @return what was decided; empty where that cannot be read
   */
  static Optional<String> read(String reply, Pattern marker, List<String> shown) {
    boolean alone = shown.stream().anyMatch(text -> LIKE.matcher(text).find());
    String whole = reply.stripTrailing();
    String text = alone ? whole.substring(whole.lastIndexOf('\n') + 1) : whole;
    return marker
        .matcher(text)
        .results()
        .reduce((first, second) -> second)
        .filter(last -> !alone || isAlone(last, text))
        .map(last -> last.group(1));
  }

  private static boolean isAlone(MatchResult found, String line) {
    String beside = line.substring(0, found.start()) + line.substring(found.end());
    return EMPHASIS.matcher(beside).matches();
  }
}
