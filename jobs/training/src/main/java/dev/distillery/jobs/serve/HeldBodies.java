package dev.distillery.jobs.serve;

import java.util.concurrent.atomic.AtomicLong;

/** How many bytes of bodies lie in memory, those that still come among them. */
final class HeldBodies {
  /** Bytes of all connections together. */
  static final long MOST = 8L * WholeRequests.MOST_BODY;

  private final AtomicLong held = new AtomicLong();

  /** Counts bytes that are there in any case. */
  void hold(long bytes) {
    held.addAndGet(bytes);
  }

  /** Counts bytes, where there is room for them. */
  boolean take(long bytes) {
    if (held.addAndGet(bytes) <= MOST) {
      return true;
    }
    free(bytes);
    return false;
  }

  void free(long bytes) {
    held.addAndGet(-bytes);
  }
}
