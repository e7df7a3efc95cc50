package dev.distillery.spark.fanout;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;

class RateWindowTest {
  private final AtomicLong clock = new AtomicLong(1_000_000);

  @Property(tries = 60, seed = "20260801")
  void holdsInEveryWindowOf60SecondsWhereverARequestIsDelayedWithinItsLease(
      @ForAll @IntRange(min = 1, max = 3000) int perMinute, @ForAll @LongRange(min = 0) long seed) {
    var random = new SplittableRandom(seed);
    var now = new AtomicLong(random.nextLong(1_000_000));
    var window = new RateWindow(perMinute, now::get);
    List<Long> sent = new ArrayList<>();
    long end = now.get() + 200_000;
    while (now.get() < end) {
      now.addAndGet(random.nextInt(100) == 0 ? random.nextInt(90_000) : 1 + random.nextInt(60));
      while (window.admits(1)) {
        window.take(1);
        sent.add(now.get() + random.nextInt(RateWindow.LEASE_MILLIS));
      }
    }
    sent.sort(Long::compare);
    for (int first = 0, last = 0; last < sent.size(); last++) {
      while (sent.get(last) - sent.get(first) >= 60_000) {
        first++;
      }
      assertThat(last - first + 1).isLessThanOrEqualTo(perMinute);
    }
  }

  @Test
  void letsNearlyTheWholeLimitThrough() {
    var window = new RateWindow(600, clock::get);
    int sent = 0;
    for (int milli = 0; milli < 600_000; milli += 20) {
      clock.addAndGet(20);
      while (window.admits(1)) {
        window.take(1);
        sent++;
      }
    }
    assertThat(sent / 10.0).isBetween(570.0, 600.0);
  }

  @Test
  void burstsForASecondAtMost() {
    var window = new RateWindow(600, clock::get);
    clock.addAndGet(300_000);
    int burst = 0;
    while (window.admits(1)) {
      window.take(1);
      burst++;
    }
    assertThat(burst).isEqualTo(10);
  }

  @Test
  void countsWhatWasReallyUsedInThePlaceOfTheWorstCase() {
    var window = new RateWindow(1000, clock::get);
    long slot = window.take(1000);
    clock.addAndGet(6000);
    assertThat(window.admits(10)).isFalse();
    window.correct(slot, 1000, 100);
    assertThat(window.admits(10)).isTrue();
    clock.addAndGet(61_200);
    assertThat(window.admits(1000)).isTrue();
  }

  @Test
  void letsARequestThroughThatIsLargerThanTheLimit() {
    var window = new RateWindow(100, clock::get);
    assertThat(window.admits(5000)).isTrue();
    window.take(5000);
    clock.addAndGet(30_000);
    assertThat(window.admits(1)).isFalse();
    clock.addAndGet(31_200);
    assertThat(window.admits(5000)).isTrue();
  }
}
