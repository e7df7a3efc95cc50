package dev.distillery.spark.fanout;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class SlowDownTest {
  private final AtomicLong clock = new AtomicLong(-5_000_000);
  private final SlowDown slowDown = new SlowDown(64, clock::get);

  @Test
  void doesNotPauseAtTheStart() {
    assertThat(slowDown.pauseMillis()).isZero();
    assertThat(slowDown.window()).isEqualTo(64);
    assertThat(slowDown.refusingMillis()).isZero();
  }

  @Test
  void waitsAsLongAsTheServerSaysAndHalvesOnceForABurst() {
    for (int i = 0; i < 10; i++) {
      slowDown.refused(Optional.of(Duration.ofSeconds(3)));
    }
    assertThat(slowDown.pauseMillis()).isEqualTo(3000);
    assertThat(slowDown.window()).isEqualTo(32);
  }

  @Test
  void waitsLongerEachTimeWhereTheServerDoesNotSayHowLong() {
    slowDown.refused(Optional.empty());
    assertThat(slowDown.pauseMillis()).isEqualTo(500);
    clock.addAndGet(500);
    slowDown.refused(Optional.empty());
    assertThat(slowDown.pauseMillis()).isEqualTo(1000);
    for (int i = 0; i < 20; i++) {
      clock.addAndGet(60_000);
      slowDown.refused(Optional.empty());
    }
    assertThat(slowDown.pauseMillis()).isEqualTo(60_000);
    assertThat(slowDown.window()).isEqualTo(1);
  }

  @Test
  void comesBackFastUntilNearWhereItWasRefusedAndThenSlowly() {
    slowDown.refused(Optional.of(Duration.ofSeconds(1)));
    assertThat(successesUntil(54)).isEqualTo(22);
    assertThat(successesUntil(64)).isBetween(9 * 54, 10 * 64);
  }

  @Test
  void forgetsAfterAMinuteWhereItWasRefused() {
    for (int i = 0; i < 6; i++) {
      slowDown.refused(Optional.of(Duration.ofSeconds(1)));
      clock.addAndGet(1000);
    }
    assertThat(slowDown.window()).isEqualTo(1);
    clock.addAndGet(61_000);
    assertThat(successesUntil(64)).isEqualTo(63);
  }

  private int successesUntil(int window) {
    int successes = 0;
    while (slowDown.window() < window) {
      slowDown.succeeded();
      successes++;
    }
    return successes;
  }

  @Test
  void takesNoNoticeOfAFewErrorsButSlowsDownWhenTheyAreMany() {
    for (int i = 0; i < 2000; i++) {
      if (i % 10 == 0) {
        slowDown.failed();
      } else {
        slowDown.succeeded();
      }
    }
    assertThat(slowDown.window()).isEqualTo(64);
    for (int i = 0; i < 25; i++) {
      slowDown.failed();
    }
    assertThat(slowDown.window()).isEqualTo(32);
  }

  @Test
  void tellsSinceWhenTheServerOnlyRefuses() {
    slowDown.refused(Optional.of(Duration.ofSeconds(5)));
    clock.addAndGet(20_000);
    assertThat(slowDown.refusingMillis()).isEqualTo(20_000);
    slowDown.refused(Optional.of(Duration.ofSeconds(100)));
    assertThat(slowDown.refusingMillis()).isEqualTo(120_000);
    slowDown.succeeded();
    assertThat(slowDown.refusingMillis()).isZero();
  }
}
