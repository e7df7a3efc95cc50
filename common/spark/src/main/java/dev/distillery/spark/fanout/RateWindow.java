package dev.distillery.spark.fanout;

import java.util.Arrays;
import java.util.function.LongSupplier;

/**
 * A limit per minute that holds in every window of 60 seconds, wherever it begins, with bursts of
 * one second's worth at most.
 *
 * <p>What is taken is sent within {@link #LEASE_MILLIS}. A window of 60 seconds at the server thus
 * holds what was taken in at most 60 seconds and one lease, and that sum is what is bounded. A
 * bucket of one second's worth spreads it evenly. Not safe for use by several threads.
 */
final class RateWindow {
  /** Time in which a request must be sent once it has been let go. */
  static final int LEASE_MILLIS = 1000;

  private static final int SLOT_MILLIS = 100;
  private static final int SLOTS = (60_000 + LEASE_MILLIS) / SLOT_MILLIS + 1;

  private final long perMinute;
  private final double capacity;
  private final double refillPerMilli;
  private final LongSupplier clockMillis;
  private final long[] taken = new long[SLOTS];
  private long total;
  private long newestSlot;
  private double bucket;
  private long lastRefill;

  RateWindow(long perMinute, LongSupplier clockMillis) {
    this.perMinute = perMinute;
    this.capacity = Math.max(1, perMinute / 60.0);
    this.refillPerMilli = perMinute / (60_000.0 + LEASE_MILLIS);
    this.clockMillis = clockMillis;
    this.lastRefill = clockMillis.getAsLong();
    this.newestSlot = lastRefill / SLOT_MILLIS;
    this.bucket = capacity;
  }

  /** What may go in a second; at least 1. */
  double secondsWorth() {
    return capacity;
  }

  /** Whether {@code amount} may go now. An amount above the whole limit counts as the limit. */
  boolean admits(long amount) {
    advance();
    long counted = Math.min(amount, perMinute);
    return total + counted <= perMinute && bucket >= Math.min((double) counted, capacity);
  }

  /** Takes {@code amount}; gives back the place to hand to {@link #correct}. */
  long take(long amount) {
    advance();
    long counted = Math.min(amount, perMinute);
    add(newestSlot, counted);
    bucket -= counted;
    return newestSlot;
  }

  /** Puts the amount that was really used in the place of the one that was taken. */
  void correct(long slot, long takenAmount, long usedAmount) {
    advance();
    long counted = Math.min(takenAmount, perMinute);
    if (usedAmount > counted) {
      add(newestSlot, usedAmount - counted);
    } else if (slot > newestSlot - SLOTS) {
      add(slot, usedAmount - counted);
      bucket = Math.min(capacity, bucket + counted - usedAmount);
    }
  }

  private void add(long slot, long amount) {
    taken[(int) Math.floorMod(slot, (long) SLOTS)] += amount;
    total += amount;
  }

  private void advance() {
    long now = clockMillis.getAsLong();
    bucket = Math.min(capacity, bucket + (now - lastRefill) * refillPerMilli);
    lastRefill = now;
    long slot = now / SLOT_MILLIS;
    if (slot - newestSlot >= SLOTS) {
      Arrays.fill(taken, 0);
      total = 0;
      newestSlot = slot;
    }
    while (newestSlot < slot) {
      newestSlot++;
      int index = (int) Math.floorMod(newestSlot, (long) SLOTS);
      total -= taken[index];
      taken[index] = 0;
    }
  }
}
