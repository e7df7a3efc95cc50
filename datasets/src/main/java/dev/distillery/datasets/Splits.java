package dev.distillery.datasets;

import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What sources call their splits, under the three names of the tables. */
public final class Splits {
  private static final Pattern NAME =
      Pattern.compile("(?<![a-z])(train|test|valid|validation|val|eval|dev)(?:[0-9]*)(?![a-z])");

  private Splits() {}

  /** {@code train}, {@code validation} or {@code test}, if the phrase names one. */
  public static Optional<String> of(String phrase) {
    Matcher matcher = NAME.matcher(phrase.toLowerCase(Locale.ROOT));
    if (!matcher.find()) {
      return Optional.empty();
    }
    return switch (matcher.group(1)) {
      case "train" -> Optional.of("train");
      case "test" -> Optional.of("test");
      default -> Optional.of("validation");
    };
  }
}
