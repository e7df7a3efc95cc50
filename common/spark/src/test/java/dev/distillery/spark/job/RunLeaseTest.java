package dev.distillery.spark.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Two drivers that want one run, with every step at the store and every wait as a point where the
 * other may come between. Whatever the order, they are never sure at the same moment.
 */
@Timeout(120)
class RunLeaseTest {
  private static final DriverIdentity HERE = new DriverIdentity("h", "boot-1", "pid:[1]", 1, 5);

  /** A process number that no process has. */
  private static final long NOBODY = 1L << 40;

  private enum Before {
    NOTHING,
    /** The mark of a process that is known to be dead. */
    DEAD_HERE,
    /** The mark of a driver elsewhere, which is dead, as only time can tell. */
    DEAD_ELSEWHERE
  }

  @ParameterizedTest
  @EnumSource(names = {"NOTHING", "DEAD_HERE"})
  void ofTwoTakersExactlyOneHoldsInEveryInterleavingOfTheirSteps(Before before) {
    var choices = new ArrayList<Integer>();
    int orders = 0;
    do {
      var model = new Model(before, true, 0);
      var step = new AtomicInteger();
      model.play(
          free -> {
            int at = step.getAndIncrement();
            if (at == choices.size()) {
              choices.add(0);
            }
            return choices.get(at);
          });
      assertThat(model.took).as("choices " + choices).isEqualTo(1);
      orders++;
    } while (next(choices));
    assertThat(orders).isGreaterThan(50);
  }

  @ParameterizedTest
  @EnumSource
  void twoDriversAreNeverSureAtOnceHoweverTheyStall(Before before) {
    int taken = 0;
    for (int seed = 0; seed < 400; seed++) {
      var random = new SplittableRandom(seed);
      // One of them may stall while the other goes on for a long time.
      int bias = 1 + random.nextInt(20);
      var model = new Model(before, before == Before.DEAD_HERE, 12);
      model.play(free -> random.nextInt(bias + 1) == 0 ? 1 : 0);
      taken += model.took;
    }
    assertThat(taken).isGreaterThanOrEqualTo(400);
  }

  @Test
  void aLiveDriverElsewhereIsFoundByItsRenewals() {
    var marks = new Store();
    var time = new VirtualTime();
    RunLease other = take(marks, new DriverIdentity("far", "boot-2", "pid:[1]", 1, 5), time);
    var watching =
        new RunLease.Time(
            time.clock().millis(),
            millis -> {
              time.now += millis;
              other.renew();
            });
    assertThatThrownBy(() -> RunLease.take(marks, "r", HERE, Map.of(), watching, said -> {}))
        .isInstanceOfSatisfying(
            JobException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.TEMPORARY))
        .hasMessageContaining("Another driver works on the run r: process 1 on far");
    assertThat(other.sure()).isTrue();
  }

  @Test
  void aDriverOfAnotherNamespaceWithTheSameHostAndNumberIsNotTakenForDead() {
    var marks = new Store();
    var time = new VirtualTime();
    take(marks, new DriverIdentity("h", "boot-1", "pid:[2]", NOBODY, 5), time);
    long before = time.now;
    take(marks, HERE, time);
    assertThat(time.now - before).isGreaterThan(RunLease.EXPIRY.toMillis());
  }

  @Test
  void aHolderThatCouldNotRenewIsUnsureForGood() {
    var marks = new Store();
    var time = new VirtualTime();
    RunLease lease = take(marks, HERE, time);
    time.now += RunLease.EXPIRY.toMillis() * 2 / 3 - 1;
    assertThat(lease.sure()).isTrue();
    time.now += 1;
    assertThat(lease.sure()).isFalse();
    lease.renew();
    assertThat(lease.sure()).isFalse();
    assertThatThrownBy(lease::check).hasMessageContaining("could not renew its lease");
  }

  @Test
  void anotherOwnersMarkEndsALease() {
    var marks = new Store();
    RunLease lease = take(marks, HERE, new VirtualTime());
    marks.texts.put(2L, "{\"owner\":\"x\"}");
    assertThatThrownBy(lease::check).isInstanceOf(JobException.class);
    lease.close();
    assertThat(marks.texts).containsOnlyKeys(2L);
  }

  private static RunLease take(LeaseMarks marks, DriverIdentity identity, VirtualTime time) {
    return RunLease.take(marks, "r", identity, Map.of(), time.clock(), said -> {});
  }

  /** The next way through a tree of choices between two; false where all were taken. */
  private static boolean next(List<Integer> choices) {
    while (!choices.isEmpty() && choices.get(choices.size() - 1) == 1) {
      choices.remove(choices.size() - 1);
    }
    if (choices.isEmpty()) {
      return false;
    }
    choices.set(choices.size() - 1, 1);
    return true;
  }

  private static final class VirtualTime {
    long now;

    RunLease.Time clock() {
      return new RunLease.Time(() -> now, millis -> now += millis);
    }
  }

  private static class Store implements LeaseMarks {
    final Map<Long, String> texts = new HashMap<>();

    @Override
    public NavigableSet<Long> numbers() {
      return new TreeSet<>(texts.keySet());
    }

    @Override
    public Optional<String> read(long number) {
      return Optional.ofNullable(texts.get(number));
    }

    @Override
    public boolean create(long number, String text) {
      return texts.putIfAbsent(number, text) == null;
    }

    @Override
    public void replace(long number, String text) {
      texts.put(number, text);
    }

    @Override
    public void delete(long number) {
      texts.remove(number);
    }

    @Override
    public boolean exclusive() {
      return true;
    }
  }

  /** Two drivers on threads of their own, of which one moves at a time, from step to step. */
  private static final class Model {
    final Store store = new Store();
    final VirtualTime time = new VirtualTime();
    final List<Driver> drivers = new ArrayList<>();
    final int renewals;
    int took;

    /**
     * @param oneMachine whether each can see that the other's process lives
     */
    Model(Before before, boolean oneMachine, int renewals) {
      this.renewals = renewals;
      switch (before) {
        case NOTHING -> {}
        case DEAD_HERE ->
            take(store, new DriverIdentity("h", "boot-1", "pid:[1]", NOBODY, 5), time);
        case DEAD_ELSEWHERE ->
            take(store, new DriverIdentity("far", "boot-2", "pid:[1]", 1, 5), time);
      }
      drivers.add(new Driver("boot-1"));
      drivers.add(new Driver(oneMachine ? "boot-1" : "boot-3"));
    }

    /**
     * @param choose which of two moves next
     */
    void play(IntUnaryOperator choose) {
      drivers.forEach(Driver::start);
      while (true) {
        List<Driver> free = drivers.stream().filter(driver -> !driver.ended).toList();
        if (free.isEmpty()) {
          return;
        }
        free.get(free.size() == 1 ? 0 : choose.applyAsInt(free.size())).step();
        long sure = drivers.stream().filter(Driver::sure).count();
        assertThat(sure).as("drivers that are sure").isLessThanOrEqualTo(1);
      }
    }

    /** Takes the run, renews it some times, and gives it back. */
    private final class Driver {
      final SynchronousQueue<Boolean> go = new SynchronousQueue<>();
      final SynchronousQueue<Boolean> stopped = new SynchronousQueue<>();
      final DriverIdentity identity;
      RunLease lease;
      boolean ended;

      Driver(String boot) {
        DriverIdentity alive = DriverIdentity.ofThisProcess();
        this.identity = new DriverIdentity("h", boot, "pid:[1]", alive.pid(), alive.startedAt());
      }

      void start() {
        var unused =
            CompletableFuture.runAsync(
                this::work,
                task -> {
                  var thread = new Thread(task, "driver");
                  thread.setDaemon(true);
                  thread.start();
                });
      }

      boolean sure() {
        return lease != null && lease.sure();
      }

      void step() {
        pass(go);
        await(stopped);
      }

      private void work() {
        await(go);
        try {
          RunLease mine =
              RunLease.take(
                  new Gated(),
                  "r",
                  identity,
                  Map.of(),
                  new RunLease.Time(
                      () -> time.now,
                      millis -> {
                        gate();
                        time.now += millis;
                      }),
                  said -> {});
          lease = mine;
          took++;
          for (int i = 0; i < renewals; i++) {
            gate();
            time.now += 5000;
            mine.renew();
          }
          if (renewals > 0) {
            lease = null;
            mine.close();
          }
        } catch (JobException e) {
          assertThat(e.exitCode()).isEqualTo(ExitCode.TEMPORARY);
        } finally {
          ended = true;
          pass(stopped);
        }
      }

      /** A point at which the other may move. */
      private void gate() {
        pass(stopped);
        await(go);
      }

      private final class Gated implements LeaseMarks {
        @Override
        public NavigableSet<Long> numbers() {
          gate();
          return store.numbers();
        }

        @Override
        public Optional<String> read(long number) {
          gate();
          return store.read(number);
        }

        @Override
        public boolean create(long number, String text) {
          gate();
          return store.create(number, text);
        }

        @Override
        public void replace(long number, String text) {
          gate();
          store.replace(number, text);
        }

        @Override
        public void delete(long number) {
          gate();
          store.delete(number);
        }

        @Override
        public boolean exclusive() {
          return true;
        }
      }
    }

    private static void pass(SynchronousQueue<Boolean> queue) {
      try {
        queue.put(true);
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }

    private static void await(SynchronousQueue<Boolean> queue) {
      try {
        queue.take();
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }
  }
}
