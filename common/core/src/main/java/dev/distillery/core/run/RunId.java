package dev.distillery.core.run;

import java.time.Clock;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.UUID;
import java.util.regex.Pattern;

/** Names of runs: what they may look like, and the default one. */
public final class RunId {
  /** No reader takes such a name for a date or a number, and it is a safe file name everywhere. */
  private static final Pattern VALID = Pattern.compile("[A-Za-z][A-Za-z0-9._-]{0,127}");

  private static final DateTimeFormatter STAMP =
      DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss.SSS'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);

  private RunId() {}

  /**
   * Whether the text may name a run: a letter, then up to 127 letters, digits, dots, underscores
   * and dashes.
   */
  public static boolean isValid(String text) {
    return VALID.matcher(text).matches();
  }

  /** What {@link #isValid} allows, for messages. */
  public static String rule() {
    return VALID.pattern();
  }

  /**
   * A new id: {@code r<UTC time>-<8 random hexadecimal digits>}; ids sort by the time they were
   * made.
   */
  public static String create(Clock clock) {
    return "r" + STAMP.format(clock.instant()) + "-" + UUID.randomUUID().toString().substring(0, 8);
  }
}
