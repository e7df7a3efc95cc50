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
  private static final Pattern LIKE = Pattern.compile("[\\[\uff3b][^\\p{L}\\p{N}]{0,8}[\\[\uff3b]");

  /** What may stand behind a verdict that stands alone: no marks of quotation. */
  private static final Pattern EMPHASIS = Pattern.compile("[\\s*_.]*");

  /** What may stand before it: that, and a label of a word, as in MT-bench's "Rating: [[5]]". */
  private static final Pattern LABEL =
      Pattern.compile(
          "(?i)[\\s*_.]*(?:(?:(?:my|final|overall) ){0,2}[\\p{L}\\p{M}]{1,20}[:\uff1a])?[\\s*_.]*");

  private VerdictReader() {}

  /**
   * Reads a reply.
   *
   * @param marker a verdict; its first group is what was decided
   * @param shown the prompt and the answers that were judged
   * @param whole whether the reply surely is
   * @return what was decided; empty where that cannot be read
   */
  static Optional<String> read(String reply, Pattern marker, List<String> shown, boolean whole) {
    boolean alone = !whole || shown.stream().anyMatch(text -> LIKE.matcher(text).find());
    String all = reply.stripTrailing();
    String text = alone ? all.substring(all.lastIndexOf('\n') + 1) : all;
    return marker
        .matcher(text)
        .results()
        .reduce((first, second) -> second)
        .filter(last -> !alone || isAlone(last, text, shown))
        .map(last -> last.group(1));
  }

  private static boolean isAlone(MatchResult found, String line, List<String> shown) {
    String before = line.substring(0, found.start());
    boolean behind = EMPHASIS.matcher(line.substring(found.end())).matches();
    return behind
        && (EMPHASIS.matcher(before).matches()
            || (LABEL.matcher(before).matches()
                && shown.stream().noneMatch(text -> text.contains(line.strip()))));
  }
}
