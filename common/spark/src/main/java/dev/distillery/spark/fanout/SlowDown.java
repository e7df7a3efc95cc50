package dev.distillery.spark.fanout;

import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.LongSupplier;

/**
 * Slows a whole run down when its server asks for it, and speeds it up again: multiplicative
 * decrease of the requests at once, a pause for as long as the server says, fast increase until
 * near to where the server last refused, and additive increase from there. Not safe for use by
 * several threads.
 *
 * <p>A single server error says little; only when a quarter of the latest answers are errors does
 * the run slow down for them.
 */
final class SlowDown {
  private static final double ERROR_SHARE = 0.25;
  private static final double ERROR_WEIGHT = 0.02;
  private static final double NEAR = 0.85;
  private static final long MEMORY_MILLIS = 60_000;
  private static final long FIRST_PAUSE_MILLIS = 500;
  private static final long LONGEST_PAUSE_MILLIS = 60_000;
  private static final long DECREASE_INTERVAL_MILLIS = 1000;

  private final int ceiling;
  private final LongSupplier clockMillis;
  private double window;
  private double refusedAt;
  private double errorShare;
  private long nextDecrease;
  private long pausedUntil;
  private OptionalLong refusedSince = OptionalLong.empty();
  private int pauses;

  SlowDown(int ceiling, LongSupplier clockMillis) {
    this.ceiling = ceiling;
    this.clockMillis = clockMillis;
    this.window = ceiling;
    this.refusedAt = ceiling;
    this.nextDecrease = clockMillis.getAsLong();
    this.pausedUntil = nextDecrease;
  }

  /** An answer came. */
  void succeeded() {
    // Limits are by the minute: what was refused before that says nothing of now.
    boolean remembered = clockMillis.getAsLong() < nextDecrease + MEMORY_MILLIS;
    double near = remembered ? NEAR * refusedAt : ceiling;
    window = Math.min(ceiling, window + (window < near ? 1 : 1 / window));
    errorShare -= errorShare * ERROR_WEIGHT;
    refusedSince = OptionalLong.empty();
    pauses = 0;
  }

  /** The server is in trouble and does not say for how long. */
  void failed() {
    errorShare += (1 - errorShare) * ERROR_WEIGHT;
    if (errorShare > ERROR_SHARE && decrease()) {
      errorShare = 0;
    }
  }

  /** The server says wait, for a time that it may name. */
  void refused(Optional<Duration> retryAfter) {
    long now = clockMillis.getAsLong();
    if (refusedSince.isEmpty()) {
      refusedSince = OptionalLong.of(now);
    }
    boolean fresh = now >= pausedUntil;
    if (fresh) {
      decrease();
      pauses++;
    }
    long backoff =
        Math.min(LONGEST_PAUSE_MILLIS, FIRST_PAUSE_MILLIS << Math.min(10, Math.max(0, pauses - 1)));
    long pause = retryAfter.map(Duration::toMillis).orElse(fresh ? backoff : 0L);
    pause(pause);
  }

  /** Nothing may be sent for so long. */
  void pause(long millis) {
    pausedUntil = Math.max(pausedUntil, clockMillis.getAsLong() + millis);
  }

  private boolean decrease() {
    long now = clockMillis.getAsLong();
    if (now < nextDecrease) {
      return false;
    }
    refusedAt = window;
    window = Math.max(1, window / 2);
    nextDecrease = now + DECREASE_INTERVAL_MILLIS;
    return true;
  }

  /** Requests at once that the run may have now. */
  int window() {
    return (int) window;
  }

  /** Milliseconds in which nothing may be sent; 0 when it may. */
  long pauseMillis() {
    return Math.max(0, pausedUntil - clockMillis.getAsLong());
  }

  /**
   * Milliseconds since which the server has only refused, the pause that it asks for included; 0
   * when it answers.
   */
  long refusingMillis() {
    return refusedSince.isEmpty()
        ? 0
        : Math.max(pausedUntil, clockMillis.getAsLong()) - refusedSince.getAsLong();
  }
}
