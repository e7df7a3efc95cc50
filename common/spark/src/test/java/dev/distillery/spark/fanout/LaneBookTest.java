package dev.distillery.spark.fanout;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.teacher.Price;
import dev.distillery.core.teacher.RateLimits;
import dev.distillery.core.teacher.Sampling;
import dev.distillery.core.teacher.TeacherException;
import dev.distillery.core.teacher.TeacherException.Category;
import dev.distillery.core.teacher.TeacherReply;
import dev.distillery.core.teacher.TeacherRequest;
import dev.distillery.core.teacher.TeacherSettings;
import dev.distillery.spark.fanout.LaneBook.Work;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.LongFunction;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;

/**
 * The protocol between tasks and driver, without threads: two tasks' books and the driver's, their
 * messages, the teacher and the grant log each take their next step in an order drawn at random,
 * and what must always hold is checked at each.
 */
class LaneBookTest {
  private static final Price PRICE = new Price(new BigDecimal("1"), new BigDecimal("2"));

  @Property(tries = 300, seed = "20260801")
  void inEveryOrderOfStepsEachRequestComesToOneEndWithinTheLimits(
      @ForAll @LongRange(min = 0, max = 1L << 40) long order,
      @ForAll @IntRange(min = 1, max = 12) int concurrency,
      @ForAll @IntRange(min = 0, max = 40) int requests) {
    var model = new Model(order, limits(concurrency, OptionalLong.empty()), requests);
    model.play();
    assertThat(model.ended).hasSize(2 * requests);
    assertThat(model.driver.stopped()).isEmpty();
    assertThat(model.driver.snapshot().lost()).isZero();
    assertThat(model.driver.snapshot().spent().requests()).isEqualTo(model.sent);
  }

  @Property(tries = 300, seed = "20260801")
  void inEveryOrderOfStepsNoMoreRequestsLeaveThanTheBudgetHas(
      @ForAll @LongRange(min = 0, max = 1L << 40) long order,
      @ForAll @IntRange(min = 1, max = 12) int concurrency,
      @ForAll @IntRange(min = 1, max = 30) int budget) {
    var model = new Model(order, limits(concurrency, OptionalLong.of(budget)), 40);
    model.play();
    assertThat(model.sent).isLessThanOrEqualTo(budget);
    assertThat(model.driver.stopped()).isPresent();
    assertThat(model.driver.snapshot().spent().requests()).isEqualTo(model.sent);
  }

  @Property(tries = 30, seed = "20260801")
  void aRequestThatIsAlwaysRefusedDoesNotHoldTheRun(
      @ForAll @LongRange(min = 0, max = 1L << 40) long order,
      @ForAll @IntRange(min = 1, max = 12) int concurrency,
      @ForAll @IntRange(min = 0, max = 9) int refused) {
    var model = new Model(order, limits(concurrency, OptionalLong.empty()), 10);
    model.alwaysRefused = "a" + refused;
    model.play();
    assertThat(model.ended).hasSize(20);
    assertThat(model.driver.stopped()).isEmpty();
    assertThat(model.now).isLessThan(Duration.ofMinutes(30).toMillis());
  }

  @Test
  void holdsNoMoreLeasesThanItCanUseBeforeItKnowsHowFastTheyAreUsed() {
    var model = new Model(1, limits(4, OptionalLong.empty()), 40);
    Task task = model.tasks.get(0);
    for (int turn = 0; turn < 50; turn++) {
      model.turn(task);
      model.hearTask(task);
      model.hearDriver(task);
      model.log();
      model.now += 100;
    }
    assertThat(task.atTeacher).hasSize(4);
    assertThat(model.logged).hasSizeLessThanOrEqualTo(5);
  }

  @Test
  void whatIsHeldIsGivenBackAtOnceInALongPauseAndAtAStop() {
    for (boolean stop : new boolean[] {true, false}) {
      var model = new Model(1, limits(4, OptionalLong.empty()), 40);
      LaneBook book = model.tasks.get(0).book;
      book.lookAhead(0);
      Wire.Exchange asks = book.question(0, 0).orElseThrow();
      book.apply(0, answer(0, List.of(asks.asks().get(0).requestId()), 0, null), 1);
      // Held, since there is no slot for it.
      assertThat(book.unsent()).hasSize(1);
      assertThat(book.question(60, 0)).isPresent();
      var reason = new FanoutStop(dev.distillery.core.run.ExitCode.PARTIAL, "Enough");
      book.apply(60, answer(4, List.of(), stop ? 0 : 5000, stop ? reason : null), 61);
      assertThat(book.send(61)).isEmpty();
      assertThat(book.unsent()).isEmpty();
      Wire.Exchange back = book.question(200, 0).orElseThrow();
      assertThat(back.settlements()).hasSize(stop ? 1 : 0);
      assertThat(back.returned()).hasSize(stop ? 0 : 1);
    }
  }

  /** A server that says that nothing is left holds what is leased already, not only what comes. */
  @Test
  void aServerWithNothingLeftHoldsWhatIsLeasedAlready() {
    for (long reset : new long[] {400, 5000}) {
      var model = new Model(1, limits(4, OptionalLong.empty()), 40);
      LaneBook book = model.tasks.get(0).book;
      book.lookAhead(0);
      Wire.Exchange first = book.question(0, 0).orElseThrow();
      book.apply(0, answer(2, List.of(first.asks().get(0).requestId()), 0, null), 1);
      Work sent = book.send(1).orElseThrow();
      book.lookAhead(1);
      Wire.Exchange second = book.question(200, 0).orElseThrow();
      List<String> leased = second.asks().stream().map(Wire.Ask::requestId).toList();
      book.apply(200, answer(2, leased, 0, null), 201);
      int held = book.unsent().size();
      assertThat(held).isPositive();
      // The driver's answer to a question from before says nothing of it.
      book.lookAhead(210);
      Optional<Wire.Exchange> before = book.question(710, 0);
      assertThat(before).isPresent();
      var nothing = new RateLimits(0, 100, Optional.of(Duration.ofMillis(reset)), Optional.empty());
      var reply = new TeacherReply("text", "stop", 2, 0, 10, 200, nothing);
      var unused = book.answered(sent, reply, 711, Instant.EPOCH);
      assertThat(book.send(712)).isEmpty();
      book.apply(710, answer(2, List.of(), 0, null), 713);
      assertThat(book.send(714)).isEmpty();
      // It is said at once, so that the others hold theirs.
      Wire.Exchange told = book.question(714, 0).orElseThrow();
      assertThat(told.settlements().get(0).pauseMillis()).isEqualTo(reset);
      boolean longPause = reset > LaneBook.LONG_PAUSE_MILLIS;
      assertThat(told.returned()).hasSize(longPause ? held : 0);
      book.apply(714, answer(2, List.of(), reset, null), 715);
      assertThat(book.send(711 + reset - 1)).isEmpty();
      if (!longPause) {
        assertThat(book.send(715 + reset)).isPresent();
      }
    }
  }

  @Test
  void whatIsThoughtIsNoPartOfTheReplyWhateverTeacherTellsIt() {
    var model = new Model(1, limits(4, OptionalLong.empty()), 40);
    LaneBook book = model.tasks.get(0).book;
    book.lookAhead(0);
    Wire.Exchange asks = book.question(0, 0).orElseThrow();
    book.apply(0, answer(1, List.of(asks.asks().get(0).requestId()), 0, null), 1);
    Work sent = book.send(1).orElseThrow();
    String text = "<think>\n1. Name a sea.\n</think>\n\nName a river by </think>.";
    Completion completion =
        book.answered(
            sent, new TeacherReply(text, "stop", 2, 0, 10, 200, RateLimits.NONE), 2, Instant.EPOCH);
    assertThat(completion.text()).contains("Name a river by </think>.");
    assertThat(completion.reasoning()).contains("1. Name a sea.");
  }

  private static Wire.Answer answer(
      int slots,
      List<String> leases,
      long pause,
      @org.jspecify.annotations.Nullable FanoutStop stop) {
    return new Wire.Answer(true, slots, leases, 10_000, pause, 0, 10, false, stop);
  }

  private static FanoutLimits limits(int concurrency, OptionalLong maxRequests) {
    FanoutLimits none = FanoutLimits.ofConcurrency(concurrency);
    return new FanoutLimits(
        concurrency,
        none.requestsPerMinute(),
        none.tokensPerMinute(),
        maxRequests,
        none.maxTotalTokens(),
        none.maxCostUsd(),
        Duration.ofHours(1),
        1);
  }

  private record Question(Wire.Exchange message, long askedAt) {}

  /** A task, and what is between it and the others. */
  private static final class Task {
    final LaneBook book;
    final ArrayList<Work> atTeacher = new ArrayList<>();
    final ArrayDeque<Question> toDriver = new ArrayDeque<>();
    final ArrayDeque<LongFunction<Runnable>> toTask = new ArrayDeque<>();
    int written;
    boolean left;

    Task(LaneBook book) {
      this.book = book;
    }
  }

  private static final class Model {
    final SplittableRandom random;
    final int concurrency;
    final RunBook driver;
    final List<Task> tasks = new ArrayList<>();
    final Set<String> logged = new HashSet<>();

    /** What is granted and was not sent. */
    final Set<String> unsent = new HashSet<>();

    final Set<String> ended = new HashSet<>();
    String alwaysRefused = "";
    long now;
    int sent;

    Model(long order, FanoutLimits limits, int requests) {
      this.random = new SplittableRandom(order);
      this.concurrency = limits.concurrency();
      this.driver = new RunBook(limits, Optional.of(PRICE), Spend.NONE, () -> now);
      var settings = new TeacherSettings("memory", "m", "", "chat", Duration.ofSeconds(1), 4);
      var welcome = new Wire.Welcome(settings, "", PRICE, new RetryPolicy(3));
      for (String name : List.of("a", "b")) {
        driver.join(new Wire.Join("run", name, "place of " + name, "executor of " + name));
        var input = IntStream.range(0, requests).mapToObj(i -> request(name + i)).iterator();
        tasks.add(new Task(new LaneBook("run", name, Integer.MAX_VALUE, welcome, input)));
      }
    }

    void play() {
      for (int step = 0; tasks.stream().anyMatch(task -> !task.left); step++) {
        assertThat(step).as("steps").isLessThan(200_000);
        Task task = tasks.get(random.nextInt(2));
        switch (random.nextInt(6)) {
          case 0 -> turn(task);
          case 1 -> hearDriver(task);
          case 2 -> hearTask(task);
          case 3 -> hearTeacher(task);
          case 4 -> log();
          default -> now += random.nextInt(alwaysRefused.isEmpty() ? 40 : 400);
        }
        int flying = tasks.stream().mapToInt(t -> t.atTeacher.size()).sum();
        assertThat(flying).as("requests at once").isLessThanOrEqualTo(concurrency);
        assertThat(unsent.size())
            .as("granted and not sent, which a crash would count as paid")
            .isLessThanOrEqualTo(3 * concurrency);
      }
    }

    /** What the loop does between two events. */
    void turn(Task task) {
      if (task.left) {
        return;
      }
      if (task.book.stopped() ? !task.book.busy() : task.book.finished()) {
        driver.exchange(task.book.lastQuestion(task.written));
        task.left = true;
        return;
      }
      if (!task.book.stopped()) {
        task.book.lookAhead(now);
        for (var next = task.book.send(now); next.isPresent(); next = task.book.send(now)) {
          assertThat(logged).contains(next.get().request().requestId());
          assertThat(ended).doesNotContain(next.get().request().requestId());
          unsent.remove(next.get().request().requestId());
          task.atTeacher.add(next.get());
          sent++;
        }
      }
      task.book
          .question(now, task.written)
          .ifPresent(message -> task.toDriver.add(new Question(message, now)));
    }

    void hearTask(Task task) {
      Question question = task.toDriver.poll();
      if (question != null) {
        Wire.Answer answer = driver.exchange(question.message());
        // A question whose answer was lost on its way is asked again.
        assertThat(random.nextInt(4) > 0 ? answer : driver.exchange(question.message()))
            .isEqualTo(answer);
        task.toTask.add(at -> () -> task.book.apply(question.askedAt(), answer, at));
      }
    }

    void hearDriver(Task task) {
      LongFunction<Runnable> answer = task.toTask.poll();
      if (answer != null) {
        answer.apply(now).run();
      }
    }

    void hearTeacher(Task task) {
      if (task.atTeacher.isEmpty()) {
        return;
      }
      Work work = task.atTeacher.remove(random.nextInt(task.atTeacher.size()));
      boolean refused = work.request().requestId().equals(alwaysRefused);
      int draw = refused ? 1 : random.nextInt(20);
      if (draw > 2) {
        end(
            task,
            task.book.answered(
                work,
                new TeacherReply("text", "stop", 2, 0, 10, 200, RateLimits.NONE),
                now,
                Instant.EPOCH));
        return;
      }
      Category category =
          List.of(Category.SERVER_ERROR, Category.RATE_LIMITED, Category.BAD_REQUEST).get(draw);
      var failure = new TeacherException(category, 0, Optional.empty(), "Not now");
      task.book.failed(work, failure, now, Instant.EPOCH).ifPresent(end -> end(task, end));
    }

    void end(Task task, Completion completion) {
      assertThat(ended.add(completion.requestId())).as("ends once").isTrue();
      task.written++;
    }

    void log() {
      driver.takeVoids().forEach(unused -> unsent.remove(unused.requestId()));
      for (RunBook.Grant grant : driver.takeGrantsToLog()) {
        logged.add(grant.requestId());
        unsent.add(grant.requestId());
      }
      driver.logged();
    }
  }

  private static TeacherRequest request(String id) {
    return new TeacherRequest(
        id, Optional.empty(), "m", Optional.of("prompt"), List.of(), Sampling.of(20), "{}");
  }
}
