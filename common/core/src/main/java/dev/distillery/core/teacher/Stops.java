package dev.distillery.core.teacher;

import java.util.List;

/** Ends a text where the first of its stop texts begins. */
final class Stops {
  private Stops() {}

  /** Where the earliest stop text begins, or -1. Empty stop texts are passed over. */
  static int indexIn(CharSequence text, List<String> stops) {
    String whole = text.toString();
    int first = -1;
    for (String stop : stops) {
      int at = stop.isEmpty() ? -1 : whole.indexOf(stop);
      if (at >= 0 && (first < 0 || at < first)) {
        first = at;
      }
    }
    return first;
  }
}
