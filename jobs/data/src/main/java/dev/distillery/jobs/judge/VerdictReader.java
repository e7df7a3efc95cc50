package dev.distillery.jobs.judge;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * Finds the verdict in a judge's prose: the last one that is the judge's own. What it quotes of the
 * answers is not, and where that cannot be told there is none.
 */
final class VerdictReader {
  /** So many characters beside a marker that stand so in an answer too make it a quotation. */
  private static final int SHARED = 8;

  /** Farther from a marker nothing is compared. */
  private static final int FAR = 80;

  /** Earlier markers of a reply are not looked at. */
  private static final int MOST = 64;

  /** What may stand behind the verdict of a reply that was cut. */
  private static final Pattern CLOSING = Pattern.compile("[\\s.!*_`\"')]*");

  private static final String OPENING_QUOTES = "\"'`“‘«";
  private static final String CLOSING_QUOTES = "\"'`”’»";

  private VerdictReader() {}

  /**
   * Reads a reply.
   *
   * @param marker a verdict; its first group is what was decided
   * @param cut whether the reply ended at its length: then only a verdict at its end counts
   * @param answers what was judged
   * @return what was decided; empty where that cannot be read
   */
  static Optional<String> read(String reply, Pattern marker, boolean cut, List<String> answers) {
    List<MatchResult> all = marker.matcher(reply).results().toList();
    var own = new ArrayList<MatchResult>();
    for (MatchResult found : all.subList(Math.max(0, all.size() - MOST), all.size())) {
      if (answers.stream().noneMatch(answer -> isQuoted(found, reply, answer))) {
        own.add(found);
      }
    }
    if (own.isEmpty()) {
      return Optional.empty();
    }
    MatchResult last = own.get(own.size() - 1);
    if (cut && !CLOSING.matcher(reply.substring(last.end())).matches()) {
      return Optional.empty();
    }
    boolean contested = own.stream().anyMatch(found -> !found.group(1).equals(last.group(1)));
    boolean borrowed = answers.stream().anyMatch(answer -> answer.contains(last.group()));
    return contested && borrowed ? Optional.empty() : Optional.of(last.group(1));
  }

  /** Whether the answer has the marker, and the reply shows it as the answer's. */
  private static boolean isQuoted(MatchResult found, String reply, String answer) {
    int at = answer.indexOf(found.group());
    if (at < 0) {
      return false;
    }
    if (standsInQuotes(found, reply)) {
      return true;
    }
    for (; at >= 0; at = answer.indexOf(found.group(), at + 1)) {
      int behind = at + found.group().length();
      if (before(reply, found.start(), answer, at) + after(reply, found.end(), answer, behind)
          >= SHARED) {
        return true;
      }
    }
    return false;
  }

  private static boolean standsInQuotes(MatchResult found, String reply) {
    int line = reply.lastIndexOf('\n', found.start()) + 1;
    if (reply.substring(line, found.start()).stripLeading().startsWith(">")) {
      return true;
    }
    int quote = found.start() == 0 ? -1 : OPENING_QUOTES.indexOf(reply.charAt(found.start() - 1));
    return quote >= 0
        && found.end() < reply.length()
        && CLOSING_QUOTES.indexOf(reply.charAt(found.end())) >= 0;
  }

  /** Letters and digits that the two lines share right before a place. */
  private static int before(String reply, int inReply, String answer, int inAnswer) {
    int shared = 0;
    for (int i = 1; i <= Math.min(FAR, Math.min(inReply, inAnswer)); i++) {
      char c = reply.charAt(inReply - i);
      if (c != answer.charAt(inAnswer - i) || c == '\n') {
        break;
      }
      shared += Character.isLetterOrDigit(c) ? 1 : 0;
    }
    return shared;
  }

  /** Letters and digits that the two lines share right behind a place. */
  private static int after(String reply, int inReply, String answer, int inAnswer) {
    int shared = 0;
    int most = Math.min(FAR, Math.min(reply.length() - inReply, answer.length() - inAnswer));
    for (int i = 0; i < most; i++) {
      char c = reply.charAt(inReply + i);
      if (c != answer.charAt(inAnswer + i) || c == '\n') {
        break;
      }
      shared += Character.isLetterOrDigit(c) ? 1 : 0;
    }
    return shared;
  }
}
