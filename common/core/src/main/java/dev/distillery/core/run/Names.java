package dev.distillery.core.run;

import java.util.List;

/** Names in a message: as many as anybody reads. */
public final class Names {
  private Names() {}

  /** A list, as {@code [a, b] and 3 more} where it has more names than so many. */
  public static String first(int most, List<String> names) {
    return names.size() <= most
        ? names.toString()
        : names.subList(0, most) + " and " + (names.size() - most) + " more";
  }
}
