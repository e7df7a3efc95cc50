package dev.distillery.spark.fanout;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.run.ExitCode;
import dev.distillery.core.teacher.Price;
import dev.distillery.core.teacher.RateLimits;
import dev.distillery.core.teacher.Sampling;
import dev.distillery.core.teacher.Teacher;
import dev.distillery.core.teacher.TeacherException;
import dev.distillery.core.teacher.TeacherException.Category;
import dev.distillery.core.teacher.TeacherReply;
import dev.distillery.core.teacher.TeacherRequest;
import dev.distillery.core.teacher.TeacherSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A task against the driver's real books, without Spark. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class LaneTest {
  private final List<Completion> ends = new ArrayList<>();
  private final Map<String, Integer> attempts = new HashMap<>();
  private final List<String> lines = new ArrayList<>();
  private final List<String> unsent = new ArrayList<>();
  private @Nullable Function<String, CompletableFuture<TeacherReply>> behind;
  private RunBook book = book(FanoutLimits.ofConcurrency(4));

  @Test
  void bringsEveryRequestToOneEnd() throws InterruptedException {
    Lane.Report report = run(500, (id, attempt) -> reply());

    assertThat(report).isEqualTo(new Lane.Report(500, 0));
    assertThat(ends).extracting(Completion::requestId).doesNotHaveDuplicates().hasSize(500);
    assertThat(attempts.values()).containsOnly(1);
    assertThat(lines).hasSize(500);
    assertThat(book.snapshot().spent().requests()).isEqualTo(500);
    assertThat(book.snapshot().lost()).isZero();
  }

  @Test
  void triesAgainUntilItsAttemptsAreUsedAndCountsNoWaitAmongThem() throws InterruptedException {
    run(
        3,
        (id, attempt) -> {
          if (id.equals("id-1")) {
            throw failure(Category.SERVER_ERROR, 500, Optional.empty());
          }
          if (id.equals("id-2") && attempt <= 9) {
            throw failure(Category.RATE_LIMITED, 429, Optional.of(Duration.ofMillis(20)));
          }
          return reply();
        });

    Map<String, Completion> byId = new HashMap<>();
    ends.forEach(end -> byId.put(end.requestId(), end));
    assertThat(attempts).containsEntry("id-1", 3).containsEntry("id-2", 10);
    assertThat(byId.get("id-1").error()).contains("server_error: Not now");
    assertThat(byId.get("id-1").failedForNow()).isTrue();
    assertThat(byId.get("id-2").ok()).isTrue();
    assertThat(byId.get("id-2").attempts()).isEqualTo(10);
  }

  @Test
  void countsATimeoutAsPerhapsPaid() throws InterruptedException {
    run(
        1,
        (id, attempt) -> {
          if (attempt == 1) {
            throw failure(Category.TIMEOUT, 0, Optional.empty());
          }
          return reply();
        });

    assertThat(ends).singleElement().satisfies(end -> assertThat(end.lostAttempts()).isEqualTo(1));
    assertThat(book.snapshot().spent().tokens()).isGreaterThan(12 + 20);
  }

  @Test
  void stopsForAFatalFailureAndWritesNoEndForIt() throws InterruptedException {
    run(
        100,
        (id, attempt) -> {
          if (id.equals("id-5")) {
            throw failure(Category.AUTHENTICATION, 401, Optional.empty());
          }
          return reply();
        });

    assertThat(book.stopped().orElseThrow().exitCode()).isEqualTo(ExitCode.INVALID);
    assertThat(ends).extracting(Completion::requestId).doesNotContain("id-5");
    assertThat(ends.size()).isLessThan(20);
    assertThat(book.takeVoids()).extracting(RunBook.Unused::requestId).contains("id-5");
    assertThat(book.snapshot().lost()).isZero();
  }

  @Test
  void takesADefectInATeacherForTheRequestsFailure() throws InterruptedException {
    run(
        2,
        (id, attempt) -> {
          if (id.equals("id-0")) {
            throw new IllegalStateException("A defect");
          }
          return reply();
        });
    assertThat(ends).hasSize(2).anyMatch(end -> end.error().orElse("").contains("A defect"));
  }

  @Test
  void whatItHeldAndNeverSentIsLoggedWhenItsDriverDies() {
    book.join(new Wire.Join("run", "lane", "place", "executor"));
    org.assertj.core.api.Assertions.assertThatThrownBy(
            () ->
                lane(
                        4,
                        (id, attempt) -> reply(),
                        question -> {
                          if (question.sequence() > 1) {
                            throw new IllegalStateException("The driver is gone");
                          }
                          // More than it has slots for.
                          List<String> all = List.of("id-0");
                          return new Wire.Answer(true, 0, all, 10_000, 0, 0, 10, false, null);
                        })
                    .run())
        .hasMessageContaining("The driver is gone");
    assertThat(attempts).isEmpty();
    assertThat(unsent).containsExactly("id-0");
  }

  @Test
  void sendsNothingWhenTheDriverHasGivenItUp() throws InterruptedException {
    org.assertj.core.api.Assertions.assertThatThrownBy(
            () -> lane(10, (id, attempt) -> reply(), question -> Wire.Answer.UNKNOWN).run())
        .hasMessageContaining("has given task lane up");
    assertThat(attempts).isEmpty();
  }

  @Test
  void aStopWaitsForWhatIsInFlightUntilItIsToldThatTheGraceIsOver() throws Exception {
    var stop = new FanoutStop(ExitCode.TEMPORARY, "Stopped");
    var reason = new AtomicReference<Optional<FanoutStop>>(Optional.empty());
    book.stopWhen(reason::get);
    Map<String, CompletableFuture<TeacherReply>> inFlight = new ConcurrentHashMap<>();
    behind =
        id -> {
          inFlight.put(id, new CompletableFuture<>());
          if (inFlight.size() == 4) {
            // Four are with the teacher, the window: now the run is told to end.
            reason.set(Optional.of(stop));
          }
          return inFlight.get(id);
        };
    CompletableFuture<Lane.Report> lane =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return run(100, (id, attempt) -> reply());
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
            });
    while (!inFlight.keySet().containsAll(List.of("id-0", "id-1", "id-2", "id-3"))) {
      Thread.onSpinWait();
    }
    inFlight.get("id-0").complete(reply());
    while (book.snapshot().done() < 1) {
      Thread.onSpinWait();
    }
    assertThat(lane).isNotDone();
    reason.set(Optional.of(stop.abandoning()));

    assertThat(lane.get(1, TimeUnit.MINUTES)).isEqualTo(new Lane.Report(1, 0));
    assertThat(lines).hasSize(1);
    assertThat(inFlight).hasSize(4);
    assertThat(book.snapshot().lost()).isEqualTo(3);
  }

  private interface Behaviour {
    TeacherReply answer(String id, int attempt) throws TeacherException;
  }

  private Lane.Report run(int requests, Behaviour behaviour) throws InterruptedException {
    book.join(new Wire.Join("run", "lane", "place", "executor"));
    return lane(
            requests,
            behaviour,
            question -> {
              Wire.Answer answer = book.exchange(question);
              book.takeGrantsToLog();
              book.logged();
              return answer;
            })
        .run();
  }

  private Lane lane(
      int requests, Behaviour behaviour, Function<Wire.Exchange, Wire.Answer> driver) {
    var settings = new TeacherSettings("memory", "m", "", "chat", Duration.ofSeconds(1), 4);
    var welcome = new Wire.Welcome(settings, "", Price.FREE, new RetryPolicy(3));
    return new Lane(
        new LaneBook(
            "run",
            "lane",
            Integer.MAX_VALUE,
            welcome,
            IntStream.range(0, requests).mapToObj(LaneTest::request).iterator()),
        new Lane.Driver() {
          @Override
          public CompletableFuture<Wire.Answer> exchange(Wire.Exchange message) {
            return CompletableFuture.supplyAsync(() -> driver.apply(message));
          }

          @Override
          public boolean cancelled() {
            return false;
          }
        },
        new ScriptedTeacher(behaviour),
        new LedgerWriter(
            "test",
            new LedgerWriter.Sink() {
              @Override
              public void put(List<String> written) {
                lines.addAll(written);
              }

              @Override
              public void idle() {}

              @Override
              public void close() {}
            }),
        unsent::addAll,
        ends::add,
        Lane.Clocks.SYSTEM);
  }

  private RunBook book(FanoutLimits limits) {
    return new RunBook(limits, Optional.of(Price.FREE), Spend.NONE, LaneTest::clock);
  }

  private static long clock() {
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime());
  }

  private static TeacherRequest request(int number) {
    return new TeacherRequest(
        "id-" + number,
        Optional.empty(),
        "m",
        Optional.of("prompt"),
        List.of(),
        Sampling.of(20),
        "{}");
  }

  private static TeacherReply reply() {
    return new TeacherReply("text", "stop", 2, 0, 10, 200, RateLimits.NONE);
  }

  private static TeacherException failure(
      Category category, int status, Optional<Duration> retryAfter) {
    return new TeacherException(category, status, retryAfter, "Not now");
  }

  private final class ScriptedTeacher implements Teacher {
    private final Behaviour behaviour;

    ScriptedTeacher(Behaviour behaviour) {
      this.behaviour = behaviour;
    }

    @Override
    public CompletableFuture<TeacherReply> send(TeacherRequest request) {
      if (behind != null) {
        return behind.apply(request.requestId());
      }
      int attempt = attempts.merge(request.requestId(), 1, Integer::sum);
      try {
        return CompletableFuture.completedFuture(behaviour.answer(request.requestId(), attempt));
      } catch (TeacherException | IllegalStateException e) {
        return CompletableFuture.failedFuture(e);
      }
    }

    @Override
    public String preflight() {
      return "scripted";
    }

    @Override
    public int maxConcurrency() {
      return Integer.MAX_VALUE;
    }

    @Override
    public void close() {}
  }
}
