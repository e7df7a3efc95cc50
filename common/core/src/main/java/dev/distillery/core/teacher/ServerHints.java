package dev.distillery.core.teacher;

import java.net.http.HttpHeaders;
import java.time.Clock;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads what a server says in headers of waiting and of limits. What makes no sense is absent. */
final class ServerHints {
  /** A server that asks for more is taken at its word up to this. */
  private static final Duration LONGEST_WAIT = Duration.ofDays(1);

  private static final Pattern RESET_PART = Pattern.compile("(\\d{1,9}(?:\\.\\d{1,9})?)(ms|h|m|s)");

  private ServerHints() {}

  /**
   * How long to wait: {@code Retry-After-Ms}, else {@code Retry-After} as seconds (a fraction too)
   * or as an RFC 1123 date; between 0 and a day.
   */
  static Optional<Duration> retryAfter(HttpHeaders headers, Clock clock) {
    Optional<Duration> wait =
        headers.firstValue("Retry-After-Ms").flatMap(value -> number(value, 1e-3));
    if (wait.isEmpty()) {
      wait =
          headers
              .firstValue("Retry-After")
              .flatMap(value -> number(value, 1).or(() -> untilDate(value, clock)));
    }
    return wait.map(w -> w.compareTo(LONGEST_WAIT) > 0 ? LONGEST_WAIT : w);
  }

  /** {@code X-Should-Retry}: the server's own word on another attempt. */
  static Optional<Boolean> shouldRetry(HttpHeaders headers) {
    return headers
        .firstValue("X-Should-Retry")
        .map(value -> value.strip().toLowerCase(Locale.ROOT))
        .filter(value -> value.equals("true") || value.equals("false"))
        .map(Boolean::valueOf);
  }

  /** {@code x-ratelimit-remaining-*} and {@code x-ratelimit-reset-*}. */
  static RateLimits limits(HttpHeaders headers) {
    return new RateLimits(
        remaining(headers, "requests"),
        remaining(headers, "tokens"),
        reset(headers, "requests"),
        reset(headers, "tokens"));
  }

  private static long remaining(HttpHeaders headers, String what) {
    return headers
        .firstValue("x-ratelimit-remaining-" + what)
        .filter(value -> value.matches("\\d{1,18}"))
        .map(Long::parseLong)
        .orElse(-1L);
  }

  /** A reset is written as {@code 1s}, {@code 6m0s}, {@code 20ms}, or as bare seconds. */
  private static Optional<Duration> reset(HttpHeaders headers, String what) {
    return headers
        .firstValue("x-ratelimit-reset-" + what)
        .flatMap(value -> number(value, 1).or(() -> duration(value.strip())));
  }

  private static Optional<Duration> duration(String text) {
    Matcher part = RESET_PART.matcher(text);
    double seconds = 0;
    int end = 0;
    while (part.find() && part.start() == end) {
      double unit =
          switch (part.group(2)) {
            case "h" -> 3600;
            case "m" -> 60;
            case "s" -> 1;
            default -> 1e-3;
          };
      seconds += unit * Double.parseDouble(part.group(1));
      end = part.end();
    }
    return end == 0 || end < text.length() ? Optional.empty() : Optional.of(ofSeconds(seconds));
  }

  private static Optional<Duration> number(String text, double unit) {
    return text.strip().matches("\\d{1,12}(\\.\\d{1,9})?")
        ? Optional.of(ofSeconds(unit * Double.parseDouble(text.strip())))
        : Optional.empty();
  }

  private static Optional<Duration> untilDate(String text, Clock clock) {
    try {
      Instant date =
          ZonedDateTime.parse(text.strip(), DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
      Duration wait = Duration.between(clock.instant(), date);
      return Optional.of(wait.isNegative() ? Duration.ZERO : wait);
    } catch (DateTimeException e) {
      return Optional.empty();
    }
  }

  private static Duration ofSeconds(double seconds) {
    return Duration.ofMillis(Math.round(seconds * 1000));
  }
}
