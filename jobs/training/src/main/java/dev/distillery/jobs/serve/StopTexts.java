package dev.distillery.jobs.serve;

import java.util.List;

/** How much of a text is certain while it is written and a stop text may begin in it. */
final class StopTexts {
  private final List<String> stops;
  private final int longest;

  StopTexts(List<String> stops) {
    this.stops = List.copyOf(stops);
    this.longest = stops.stream().mapToInt(String::length).max().orElse(0);
  }

  /**
   * Characters of the text that stay whatever is written next: those before a stop text, and before
   * what may be the beginning of one.
   *
   * @param known characters of which this was said before
   */
  int certain(CharSequence text, int known) {
    String tail = text.subSequence(Math.max(0, known - longest), text.length()).toString();
    int before = text.length() - tail.length();
    int certain = tail.length();
    for (String stop : stops) {
      int whole = tail.indexOf(stop);
      if (whole >= 0) {
        certain = Math.min(certain, whole);
      }
      for (int begin = Math.max(0, tail.length() - stop.length() + 1); begin < certain; begin++) {
        if (tail.regionMatches(begin, stop, 0, tail.length() - begin)) {
          certain = begin;
        }
      }
    }
    return Math.max(known, before + certain);
  }
}
