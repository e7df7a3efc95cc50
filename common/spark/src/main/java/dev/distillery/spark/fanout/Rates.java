package dev.distillery.spark.fanout;

import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.LongSupplier;

/** A run's limits per minute, in requests and in tokens. Not safe for use by several threads. */
final class Rates {
  private final Optional<RateWindow> requests;
  private final Optional<RateWindow> tokens;

  Rates(FanoutLimits limits, LongSupplier clockMillis) {
    this.requests = window(limits.requestsPerMinute(), clockMillis);
    this.tokens = window(limits.tokensPerMinute(), clockMillis);
  }

  private static Optional<RateWindow> window(OptionalLong perMinute, LongSupplier clockMillis) {
    return perMinute.isPresent()
        ? Optional.of(new RateWindow(perMinute.getAsLong(), clockMillis))
        : Optional.empty();
  }

  /** Whether there is any limit. */
  boolean limited() {
    return requests.isPresent() || tokens.isPresent();
  }

  /** Whether a request of that worst case may go now. */
  boolean admit(Spend worst) {
    return requests.map(window -> window.admits(1)).orElse(true)
        && tokens.map(window -> window.admits(worst.tokens())).orElse(true);
  }

  /** Lets a request go; gives back the place to hand to {@link #correct}. */
  long take(Spend worst) {
    requests.ifPresent(window -> window.take(1));
    return tokens.map(window -> window.take(worst.tokens())).orElse(0L);
  }

  /** Puts what was really used in the place of the worst case. */
  void correct(long place, Spend worst, Spend used) {
    tokens.ifPresent(window -> window.correct(place, worst.tokens(), used.tokens()));
  }

  /** Whether less waits than a part of what may go in a second, or nothing at all. */
  boolean wantMore(Spend waiting, int part) {
    return waiting.requests() == 0
        || (requests.map(all -> part * waiting.requests() < all.secondsWorth()).orElse(true)
            && tokens.map(all -> part * waiting.tokens() < all.secondsWorth()).orElse(true));
  }
}
