package dev.distillery.spark.fanout;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.run.ExitCode;
import dev.distillery.core.teacher.Price;
import dev.distillery.spark.fanout.Wire.Answer;
import dev.distillery.spark.fanout.Wire.Ask;
import dev.distillery.spark.fanout.Wire.Ending;
import dev.distillery.spark.fanout.Wire.Exchange;
import dev.distillery.spark.fanout.Wire.Join;
import dev.distillery.spark.fanout.Wire.Settlement;
import dev.distillery.spark.fanout.Wire.Signal;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RunBookTest {
  private static final Price PRICE = new Price(new BigDecimal("1"), new BigDecimal("2"));

  private final AtomicLong clock = new AtomicLong();
  private final Map<String, Long> sequences = new HashMap<>();

  @Test
  void letsNothingGoBeforeItIsLogged() {
    RunBook book = book(FanoutLimits.ofConcurrency(4), Spend.NONE);
    join(book, "a", "p0");
    assertThat(ask(book, "a", 0, "r1").leases()).isEmpty();
    assertThat(book.takeGrantsToLog()).extracting(RunBook.Grant::requestId).containsExactly("r1");
    assertThat(ask(book, "a", 0).leases()).isEmpty();
    book.logged();
    assertThat(ask(book, "a", 0).leases()).containsExactly("r1");
    assertThat(ask(book, "a", 1).leases()).isEmpty();
  }

  @Test
  void answersARepeatedQuestionAsBefore() {
    RunBook book = book(FanoutLimits.ofConcurrency(4), Spend.NONE);
    join(book, "a", "p0");
    ask(book, "a", 0, "r1");
    log(book);
    var question = exchange("a", 7, 0, List.of(), List.of(), false);
    Answer answer = book.exchange(question);
    assertThat(answer.leases()).containsExactly("r1");
    assertThat(book.exchange(question)).isEqualTo(answer);
  }

  @Test
  void sharesTheRequestsAtOnceAndNeverGivesOutMore() {
    RunBook book = book(FanoutLimits.ofConcurrency(10), Spend.NONE);
    join(book, "a", "p0");
    assertThat(ask(book, "a", 0).slots()).isEqualTo(10);
    join(book, "b", "p1");
    assertThat(ask(book, "b", 0).slots()).isZero();
    // The first has nine in flight: it holds them until they end.
    assertThat(ask(book, "a", 9).slots()).isEqualTo(5);
    assertThat(ask(book, "b", 0).slots()).isEqualTo(1);
    assertThat(ask(book, "a", 3).slots()).isEqualTo(5);
    assertThat(ask(book, "b", 1).slots()).isEqualTo(5);
  }

  @Test
  void stopsOnlyWhenWhatIsInFlightCannotFreeTheBudgetAnyMore() {
    RunBook book = book(tokens(300), Spend.NONE);
    join(book, "a", "p0");
    ask(book, "a", 0, "r1", "r2", "r3");
    log(book);
    // Each may take 110 tokens: two fit.
    assertThat(ask(book, "a", 0).leases()).containsExactly("r1", "r2");
    settle(book, "a", answered("r1", 10, 20));
    log(book);
    assertThat(ask(book, "a", 1).leases()).containsExactly("r3");
    settle(book, "a", answered("r2", 10, 100), answered("r3", 10, 90));
    assertThat(book.stopped()).isEmpty();
    Answer last = ask(book, "a", 0, "r4");
    assertThat(last.stop()).isNotNull();
    assertThat(book.stopped().orElseThrow().exitCode()).isEqualTo(ExitCode.PARTIAL);
    assertThat(book.stopped().orElseThrow().message())
        .contains("--max-total-tokens", "240 are used");
  }

  @Test
  void holdsACostLimitByTheWorstCaseAndCountsWhatEarlierAttemptsSpent() {
    FanoutLimits none = FanoutLimits.ofConcurrency(10);
    var limits =
        new FanoutLimits(
            10,
            OptionalLong.empty(),
            OptionalLong.empty(),
            OptionalLong.empty(),
            OptionalLong.empty(),
            Optional.of(new BigDecimal("0.001")),
            none.maxWait(),
            1);
    // A request may cost 10 * 1 + 100 * 2 millionths of a dollar; 400 are spent, so two fit.
    RunBook book = book(limits, new Spend(3, 500, 400_000));
    join(book, "a", "p0");
    ask(book, "a", 0, "r1", "r2", "r3");
    log(book);
    assertThat(ask(book, "a", 0).leases()).containsExactly("r1", "r2");
    assertThat(book.snapshot().spent().nanos()).isEqualTo(400_000);
  }

  @Test
  void countsATimeoutAtItsWorstAndARefusalAsARequestThatCostNothing() {
    RunBook book = book(FanoutLimits.ofConcurrency(4), Spend.NONE);
    join(book, "a", "p0");
    ask(book, "a", 0, "r1", "r2");
    log(book);
    ask(book, "a", 0);
    settle(
        book,
        "a",
        failed("r1", Ending.UNCERTAIN, Signal.FAILING),
        failed("r2", Ending.FREE, Signal.FAILING));
    assertThat(book.snapshot().spent()).isEqualTo(new Spend(2, 110, 210_000));
  }

  @Test
  void takesASilentTaskForDeadAndItsLeasesForLost() {
    RunBook book = book(FanoutLimits.ofConcurrency(4), Spend.NONE);
    join(book, "a", "p0");
    ask(book, "a", 0, "r1");
    log(book);
    ask(book, "a", 0);
    for (int waited = 0; waited <= RunBook.SILENCE_MILLIS; waited += 500) {
      assertThat(book.snapshot().lost()).isZero();
      clock.addAndGet(500);
      book.look();
    }
    clock.addAndGet(1);
    assertThat(book.snapshot().lost()).isEqualTo(1);
    assertThat(book.snapshot().spent().requests()).isEqualTo(1);
    assertThat(ask(book, "a", 1).known()).isFalse();
    assertThat(book.aLaneDied()).isTrue();
  }

  @Test
  void itsOwnPauseIsNotItsTasksSilence() {
    RunBook book = book(FanoutLimits.ofConcurrency(4), Spend.NONE);
    join(book, "a", "p0");
    join(book, "b", "p1");
    ask(book, "a", 0, "r1");
    ask(book, "b", 0, "r2");
    log(book);
    ask(book, "a", 0);
    ask(book, "b", 0);
    // The driver stands still; the tasks' messages wait in its inbox, and b's is taken up first.
    clock.addAndGet(3L * RunBook.SILENCE_MILLIS);
    assertThat(ask(book, "b", 1).known()).isTrue();
    assertThat(ask(book, "a", 1).known()).isTrue();
    assertThat(book.snapshot().lost()).isZero();
  }

  @Test
  void raisesItsWorstCaseToWhatTheServerCounts() {
    RunBook book = book(tokens(1000), Spend.NONE);
    join(book, "a", "p0");
    ask(book, "a", 0, "r1");
    log(book);
    ask(book, "a", 0);
    // Estimated at 10 tokens of prompt, the server counted 200: the next may be as many.
    settle(book, "a", answered("r1", 200, 100));
    ask(book, "a", 0, "r2", "r3", "r4");
    log(book);
    assertThat(ask(book, "a", 0).leases()).containsExactly("r2", "r3");
  }

  @Test
  void failuresOfEarlierAttemptsCountInTheRatioOfTheRun() {
    FanoutLimits none = FanoutLimits.ofConcurrency(4);
    var limits =
        new FanoutLimits(
            4,
            none.requestsPerMinute(),
            none.tokensPerMinute(),
            none.maxRequests(),
            none.maxTotalTokens(),
            none.maxCostUsd(),
            none.maxWait(),
            0.1);
    RunBook book = book(limits, Spend.NONE);
    book.expect(100);
    book.resume(20, 10);
    assertThat(book.stopped()).isEmpty();
    book.resume(1, 1);
    assertThat(book.stopped().orElseThrow().exitCode()).isEqualTo(ExitCode.PARTIAL);
    assertThat(book.stopped().orElseThrow().message())
        .startsWith("11 of 100 requests failed for good");
  }

  @Test
  void grantsNothingMoreOnceTheRunIsNotSurelyItsOwn() {
    RunBook book = book(FanoutLimits.ofConcurrency(4), Spend.NONE);
    var reason =
        new java.util.concurrent.atomic.AtomicReference<Optional<FanoutStop>>(Optional.empty());
    book.stopWhen(reason::get);
    join(book, "a", "p0");
    ask(book, "a", 0, "r1", "r2");
    log(book);
    reason.set(Optional.of(new FanoutStop(ExitCode.TEMPORARY, "Not sure")));
    Answer answer = ask(book, "a", 0);
    assertThat(answer.leases()).isEmpty();
    assertThat(answer.slots()).isZero();
    assertThat(answer.stop()).isEqualTo(new FanoutStop(ExitCode.TEMPORARY, "Not sure"));
  }

  @Test
  void givesUpTheEarlierAttemptAtAPartition() {
    RunBook book = book(FanoutLimits.ofConcurrency(4), Spend.NONE);
    join(book, "a", "p0");
    ask(book, "a", 4, "r1");
    join(book, "b", "p0");
    assertThat(ask(book, "a", 4).known()).isFalse();
    assertThat(ask(book, "b", 0).slots()).isEqualTo(4);
  }

  @Test
  void stopsWithTemporaryWhenTheServerRefusesForLongerThanAllowed() {
    FanoutLimits none = FanoutLimits.ofConcurrency(4);
    var limits =
        new FanoutLimits(
            4,
            none.requestsPerMinute(),
            none.tokensPerMinute(),
            none.maxRequests(),
            none.maxTotalTokens(),
            none.maxCostUsd(),
            Duration.ofSeconds(30),
            1);
    RunBook book = book(limits, Spend.NONE);
    join(book, "a", "p0");
    for (int i = 0; i < 40 && book.stopped().isEmpty(); i++) {
      ask(book, "a", 0, "r" + i);
      log(book);
      ask(book, "a", 0);
      settle(book, "a", failed("r" + i, Ending.FREE, Signal.REFUSING));
      clock.addAndGet(Math.max(1, book.snapshot().pauseMillis()));
    }
    assertThat(book.stopped().orElseThrow().exitCode()).isEqualTo(ExitCode.TEMPORARY);
    assertThat(clock.get()).isBetween(15_000L, 63_000L);
  }

  @Test
  void pacesRequestsOverAllTasksTogether() {
    FanoutLimits none = FanoutLimits.ofConcurrency(1000);
    var limits =
        new FanoutLimits(
            1000,
            OptionalLong.of(600),
            none.tokensPerMinute(),
            none.maxRequests(),
            none.maxTotalTokens(),
            none.maxCostUsd(),
            none.maxWait(),
            1);
    RunBook book = book(limits, Spend.NONE);
    int sent = 0;
    for (int lane = 0; lane < 4; lane++) {
      join(book, "l" + lane, "p" + lane);
      ask(
          book,
          "l" + lane,
          0,
          IntStream.range(0, 400).mapToObj(i -> "r" + i).toArray(String[]::new));
    }
    for (int turn = 0; clock.get() < 60_000; turn++) {
      // Tasks of unequal speed: the first asks four times as often as the last.
      clock.addAndGet(25);
      log(book);
      for (int lane = 0; lane < 4; lane++) {
        if (turn % (lane + 1) == 0) {
          List<String> leases = ask(book, "l" + lane, 0).leases();
          sent += leases.size();
          settle(
              book,
              "l" + lane,
              leases.stream().map(id -> answered(id, 1, 1)).toArray(Settlement[]::new));
        }
      }
    }
    assertThat(sent).isBetween(570, 600);
  }

  @Test
  void grantsNoFurtherAheadThanTheRatesNeed() {
    FanoutLimits none = FanoutLimits.ofConcurrency(64);
    for (long[] perMinute : new long[][] {{300, 1_000_000_000}, {1_000_000, 5 * 60 * 110}}) {
      var limits =
          new FanoutLimits(
              64,
              OptionalLong.of(perMinute[0]),
              OptionalLong.of(perMinute[1]),
              none.maxRequests(),
              none.maxTotalTokens(),
              none.maxCostUsd(),
              none.maxWait(),
              1);
      RunBook book = book(limits, Spend.NONE);
      for (int lane = 0; lane < 4; lane++) {
        join(book, "l" + lane, "p" + lane);
        ask(
            book,
            "l" + lane,
            0,
            IntStream.range(0, 64).mapToObj(i -> "r" + i).toArray(String[]::new));
      }
      // Five a second: what is granted and not sent when the driver dies counts as paid.
      assertThat(book.takeGrantsToLog()).hasSize(5);
    }
  }

  @Test
  void aTaskThatStandsStillDoesNotHoldTheOthersFromTheRate() {
    FanoutLimits none = FanoutLimits.ofConcurrency(64);
    var limits =
        new FanoutLimits(
            64,
            OptionalLong.of(60),
            none.tokensPerMinute(),
            none.maxRequests(),
            none.maxTotalTokens(),
            none.maxCostUsd(),
            none.maxWait(),
            1);
    RunBook book = book(limits, Spend.NONE);
    join(book, "still", "p0");
    join(book, "b", "p1");
    // The slots are shared.
    ask(book, "b", 32);
    ask(book, "still", 0, "s1", "s2", "s3");
    log(book);
    ask(book, "b", 0, "b1", "b2", "b3");
    int sent = 0;
    for (int turn = 0; turn < 100; turn++) {
      clock.addAndGet(100);
      log(book);
      List<String> leases = ask(book, "b", 0, "b" + (turn + 4)).leases();
      sent += leases.size();
      settle(book, "b", leases.stream().map(id -> answered(id, 1, 1)).toArray(Settlement[]::new));
    }
    // One a second, and the first at once or when the other's turn has passed.
    assertThat(sent).isBetween(8, 11);
  }

  @Test
  void aTaskWithoutASlotHoldsNoLease() {
    RunBook book = book(FanoutLimits.ofConcurrency(4), Spend.NONE);
    for (int lane = 0; lane < 16; lane++) {
      join(book, "l" + lane, "p" + lane);
      ask(book, "l" + lane, 0, "r" + lane);
    }
    assertThat(book.takeGrantsToLog()).hasSizeLessThanOrEqualTo(4);
  }

  @Test
  void whatIsGrantedBeforeALongPauseIsVoidUntilItEnds() {
    RunBook book = book(FanoutLimits.ofConcurrency(4), Spend.NONE);
    join(book, "a", "p0");
    ask(book, "a", 0, "r1", "r2", "r3");
    log(book);
    assertThat(ask(book, "a", 0, "r4").leases()).containsExactly("r1", "r2", "r3");
    log(book);
    book.exchange(
        new Exchange(
            "run",
            "a",
            next("a"),
            Integer.MAX_VALUE,
            0,
            0,
            10,
            List.of(),
            List.of(
                new Settlement(
                    "r1", Ending.FREE, false, 0, 0, 0, Signal.REFUSING, 30_000, "Not now")),
            List.of("r2", "r3"),
            0,
            false));
    assertThat(book.takeVoids())
        .containsExactlyInAnyOrder(
            new RunBook.Unused("r1", true),
            new RunBook.Unused("r2", false),
            new RunBook.Unused("r3", false),
            new RunBook.Unused("r4", false));
    assertThat(ask(book, "a", 0).leases()).isEmpty();
    assertThat(book.takeGrantsToLog()).isEmpty();
    assertThat(book.snapshot().spent().requests()).isEqualTo(1);
    clock.addAndGet(30_000);
    ask(book, "a", 0);
    log(book);
    assertThat(ask(book, "a", 0).leases()).containsExactlyInAnyOrder("r2", "r3", "r4");
  }

  @Test
  void theFirstRequestGoesAloneUntilItHasAnEndOrASecondHasPassed() {
    for (boolean ends : new boolean[] {true, false}) {
      RunBook book = book(FanoutLimits.ofConcurrency(8), Spend.NONE);
      book.letTheFirstGoAlone();
      join(book, "a", "p0");
      join(book, "b", "p1");
      assertThat(ask(book, "a", 0, "r1").slots()).isEqualTo(1);
      log(book);
      assertThat(ask(book, "a", 0).leases()).containsExactly("r1");
      assertThat(ask(book, "b", 0, "r2").slots()).isZero();
      if (ends) {
        settle(
            book,
            "a",
            new Settlement("r1", Ending.FREE, false, 0, 0, 0, Signal.OTHER_FORM, -1, ""));
        // Other tasks' teachers hear of what it has taught.
        assertThat(ask(book, "b", 0).otherForm()).isTrue();
      } else {
        clock.addAndGet(RunBook.FIRST_ALONE_MILLIS);
      }
      assertThat(ask(book, "b", 0).slots()).isGreaterThan(1);
    }
  }

  private RunBook book(FanoutLimits limits, Spend before) {
    return new RunBook(limits, Optional.of(PRICE), before, clock::get);
  }

  private static void join(RunBook book, String lane, String place) {
    book.join(new Join("run", lane, place, "executor of " + lane));
  }

  private static void log(RunBook book) {
    book.takeGrantsToLog();
    book.logged();
  }

  /** Requests of 10 tokens that may be answered with 100. */
  private Answer ask(RunBook book, String lane, int inFlight, String... ids) {
    List<Ask> asks = List.of(ids).stream().map(id -> new Ask(id, 10, 100)).toList();
    return book.exchange(exchange(lane, next(lane), inFlight, asks, List.of(), false));
  }

  private void settle(RunBook book, String lane, Settlement... settlements) {
    book.exchange(exchange(lane, next(lane), 0, List.of(), List.of(settlements), false));
  }

  private long next(String lane) {
    return sequences.merge(lane, 1L, Long::sum);
  }

  private static Exchange exchange(
      String lane,
      long sequence,
      int inFlight,
      List<Ask> asks,
      List<Settlement> settlements,
      boolean last) {
    return new Exchange(
        "run",
        lane,
        sequence,
        Integer.MAX_VALUE,
        inFlight,
        0,
        1_000_000,
        asks,
        settlements,
        List.of(),
        0,
        last);
  }

  private static Settlement answered(String id, int read, int written) {
    return new Settlement(id, Ending.ANSWERED, true, read, 0, written, Signal.HEALTHY, -1, "");
  }

  private static Settlement failed(String id, Ending ending, Signal signal) {
    return new Settlement(id, ending, false, 0, 0, 0, signal, -1, "");
  }

  private static FanoutLimits tokens(long most) {
    FanoutLimits none = FanoutLimits.ofConcurrency(10);
    return new FanoutLimits(
        10,
        OptionalLong.empty(),
        OptionalLong.empty(),
        OptionalLong.empty(),
        OptionalLong.of(most),
        Optional.empty(),
        none.maxWait(),
        1);
  }
}
