package dev.distillery.core.teacher;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

/**
 * What a server says, beside its answer, of the caller's limits. Hints only: servers leave them
 * out, or send -1 or 0.
 *
 * @param remainingRequests requests left in the server's window; -1 where it does not say
 * @param remainingTokens tokens left in the server's window; -1 where it does not say
 * @param resetRequests until the window of requests is full again
 * @param resetTokens until the window of tokens is full again
 */
public record RateLimits(
    long remainingRequests,
    long remainingTokens,
    Optional<Duration> resetRequests,
    Optional<Duration> resetTokens) {

  /** The server said nothing. */
  public static final RateLimits NONE = new RateLimits(-1, -1, Optional.empty(), Optional.empty());

  public RateLimits {
    Objects.requireNonNull(resetRequests, "resetRequests");
    Objects.requireNonNull(resetTokens, "resetTokens");
  }
}
