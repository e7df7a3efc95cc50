package dev.distillery.spark.fanout;

import dev.distillery.core.teacher.Price;
import dev.distillery.core.teacher.RateLimits;
import dev.distillery.core.teacher.Teacher;
import dev.distillery.core.teacher.TeacherException;
import dev.distillery.core.teacher.TeacherReply;
import dev.distillery.core.teacher.TeacherRequest;
import dev.distillery.core.teacher.TokenEstimator;
import dev.distillery.spark.fanout.Wire.Answer;
import dev.distillery.spark.fanout.Wire.Ask;
import dev.distillery.spark.fanout.Wire.Ending;
import dev.distillery.spark.fanout.Wire.Exchange;
import dev.distillery.spark.fanout.Wire.Settlement;
import dev.distillery.spark.fanout.Wire.Signal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One task's way to the teacher: takes requests from its partition, asks the driver for leases a
 * little ahead of need, keeps as many requests with the teacher as it has slots, and brings each
 * end into the ledger. The teacher's replies and the driver's answers come from other threads; all
 * else happens on the task's own, which waits for neither while it has something to send.
 */
final class Lane {
  /** How a task ended. */
  record Report(long done, long failed) implements java.io.Serializable {}

  /** The task's line to the driver. */
  interface Driver {
    Answer exchange(Exchange message);
  }

  private static final int LEAST_AHEAD = 8;
  private static final int MOST_AHEAD = 256;
  private static final int MOST_WAITING = 1024;
  private static final long LONGEST_HINT_MILLIS = 60_000;
  private static final long SETTLE_MILLIS = 100;
  private static final long HEARTBEAT_MILLIS = 500;
  private static final long FIRST_POLL_MILLIS = 2;
  private static final long LONGEST_POLL_MILLIS = 50;

  private static final class Work {
    final TeacherRequest request;
    final long mostPrompt;
    final long mostCompletion;
    int attempts;
    int tries;
    int failures;
    int lost;
    long readyAt;
    long leaseUntil;
    long sentAt;

    Work(TeacherRequest request, TokenEstimator tokens) {
      this.request = request;
      this.mostPrompt = tokens.mostPromptTokens(request);
      this.mostCompletion = tokens.mostCompletionTokens(request);
    }
  }

  /** Something that came from another thread, for the task's own to take up. */
  private sealed interface Event {
    /** How an attempt at a request ended. */
    record Ended(Work work, @Nullable TeacherReply reply, @Nullable Throwable failure)
        implements Event {}

    /** What the driver said to the question of that time. */
    record Said(long asked, @Nullable Answer answer, @Nullable Throwable failure)
        implements Event {}
  }

  private final String run;
  private final String name;
  private final Driver driver;
  private final Teacher teacher;
  private final LedgerWriter ledger;
  private final RetryPolicy retry;
  private final Optional<Price> price;
  private final TokenEstimator tokens;
  private final Iterator<TeacherRequest> input;
  private final Consumer<Completion> sink;
  private final BooleanSupplier cancelled;
  private final LongSupplier clockMillis;
  private final Executor exchanger;

  private final LinkedBlockingQueue<Event> events = new LinkedBlockingQueue<>();
  private final PriorityQueue<Work> waiting =
      new PriorityQueue<>(Comparator.comparingLong(work -> work.readyAt));
  private final Map<String, Work> asked = new HashMap<>();
  private final ArrayDeque<Work> ready = new ArrayDeque<>();
  private final ArrayList<Ask> asks = new ArrayList<>();
  private final ArrayList<Settlement> settlements = new ArrayList<>();
  private final ArrayList<String> returned = new ArrayList<>();
  private int inFlight;
  private int slots;
  private long pausedUntil;
  private long lastExchange;
  private long poll = FIRST_POLL_MILLIS;
  private boolean urgent = true;
  private boolean asking;
  private long sequence;
  private boolean known = true;
  private @Nullable FanoutStop stop;
  private long done;
  private long failed;

  Lane(
      String run,
      String name,
      Driver driver,
      Teacher teacher,
      LedgerWriter ledger,
      Wire.Welcome welcome,
      Iterator<TeacherRequest> input,
      Consumer<Completion> sink,
      BooleanSupplier cancelled,
      LongSupplier clockMillis,
      Executor exchanger) {
    this.run = run;
    this.name = name;
    this.driver = driver;
    this.teacher = teacher;
    this.ledger = ledger;
    this.retry = welcome.retry();
    this.price = Optional.ofNullable(welcome.price());
    this.tokens = TokenEstimator.of(welcome.settings().model());
    this.input = input;
    this.sink = sink;
    this.cancelled = cancelled;
    this.clockMillis = clockMillis;
    this.exchanger = exchanger;
  }

  /**
   * Asks for everything in the partition, until it is done or the run stops. What is in flight at a
   * stop is waited for: it is paid.
   */
  Report run() throws InterruptedException {
    try {
      askForAll();
    } catch (RuntimeException | InterruptedException e) {
      keepWhatCame(e);
      throw e;
    }
    for (Work work : ready) {
      settlements.add(settlement(work, Ending.UNSENT, false, Signal.NEUTRAL, Optional.empty(), ""));
    }
    ledger.close();
    sayLast();
    if (!known) {
      throw new IllegalStateException(
          "The driver has given task " + name + " up; its replies are in the ledger");
    }
    return new Report(done, failed);
  }

  private void askForAll() throws InterruptedException {
    while (true) {
      if (stopping()) {
        if (inFlight == 0 && !asking) {
          return;
        }
      } else {
        lookAhead();
        sendReady();
        if (inFlight == 0 && !asking && asked.isEmpty() && ready.isEmpty() && waiting.isEmpty()) {
          return;
        }
      }
      long now = clockMillis.getAsLong();
      if (!asking && now >= exchangeDue()) {
        askDriver(now);
      }
      ledger.tick();
      Event event = events.poll(Math.max(1, nextTurn() - now), TimeUnit.MILLISECONDS);
      for (; event != null; event = events.poll()) {
        handle(event);
      }
    }
  }

  /** The task dies, as when its driver is gone: what has come so far is paid, and is kept. */
  private void keepWhatCame(Exception cause) {
    try {
      for (Event event = events.poll(); event != null; event = events.poll()) {
        if (event instanceof Event.Ended) {
          handle(event);
        }
      }
      ledger.close();
    } catch (RuntimeException e) {
      cause.addSuppressed(e);
    }
  }

  private boolean stopping() {
    return stop != null || !known || cancelled.getAsBoolean();
  }

  private boolean wantsMore() {
    return asked.size() + ready.size() <= ahead() / 2;
  }

  private int ahead() {
    return Math.max(LEAST_AHEAD, Math.min(MOST_AHEAD, slots));
  }

  /** Asks for leases when half of those ahead are used, so that one object logs several. */
  private void lookAhead() {
    if (!wantsMore()) {
      return;
    }
    long now = clockMillis.getAsLong();
    int ahead = ahead();
    while (asked.size() + ready.size() < ahead) {
      Work work = waiting.peek();
      if (work != null && work.readyAt <= now) {
        waiting.remove();
      } else if (waiting.size() < MOST_WAITING && input.hasNext()) {
        work = new Work(input.next(), tokens);
      } else {
        return;
      }
      asked.put(work.request.requestId(), work);
      asks.add(new Ask(work.request.requestId(), work.mostPrompt, work.mostCompletion));
      urgent = true;
    }
  }

  private void sendReady() {
    long now = clockMillis.getAsLong();
    if (now < pausedUntil) {
      return;
    }
    while (inFlight < slots && !ready.isEmpty()) {
      Work work = ready.remove();
      if (now > work.leaseUntil) {
        asked.put(work.request.requestId(), work);
        returned.add(work.request.requestId());
        urgent = true;
        continue;
      }
      inFlight++;
      work.attempts++;
      work.sentAt = now;
      var unused =
          teacher
              .send(work.request)
              .whenComplete((reply, failure) -> events.add(new Event.Ended(work, reply, failure)));
    }
  }

  private void handle(Event event) {
    if (event instanceof Event.Said said) {
      asking = false;
      if (said.answer() == null) {
        throw said.failure() instanceof RuntimeException known
            ? known
            : new IllegalStateException(said.failure());
      }
      apply(said.asked(), said.answer());
    } else if (event instanceof Event.Ended ended) {
      inFlight--;
      if (ended.reply() != null) {
        answered(ended.work(), ended.reply());
      } else {
        failed(ended.work(), teacherException(ended.failure()));
      }
    }
  }

  private void answered(Work work, TeacherReply reply) {
    int promptTokens = reply.promptTokens();
    int completionTokens = reply.completionTokens();
    boolean counted = promptTokens >= 0 && completionTokens >= 0;
    long billedPrompt = counted ? promptTokens : work.mostPrompt;
    long billedCompletion = counted ? completionTokens : work.mostCompletion;
    Optional<Double> cost =
        price.map(
            known ->
                known
                    .costUsd(billedPrompt, reply.cachedPromptTokens(), billedCompletion)
                    .doubleValue());
    finish(
        new Completion(
            work.request.requestId(),
            work.request.rowId(),
            work.request.model(),
            RequestCodec.prompt(work.request),
            RequestCodec.params(work.request),
            true,
            Optional.of(reply.finishReason()),
            Optional.of(reply.text()),
            promptTokens,
            reply.cachedPromptTokens(),
            completionTokens,
            cost,
            work.attempts,
            work.lost,
            reply.httpStatus(),
            clockMillis.getAsLong() - work.sentAt,
            Optional.empty(),
            Instant.now()));
    settlements.add(
        new Settlement(
            work.request.requestId(),
            Ending.ANSWERED,
            true,
            billedPrompt,
            reply.cachedPromptTokens(),
            billedCompletion,
            Signal.HEALTHY,
            pauseMillis(reply.limits()),
            ""));
  }

  /** The time until a server's window is full again, where it says that nothing is left in it. */
  private static long pauseMillis(RateLimits limits) {
    long requests =
        limits.remainingRequests() == 0
            ? limits.resetRequests().map(Duration::toMillis).orElse(-1L)
            : -1;
    long tokens =
        limits.remainingTokens() == 0
            ? limits.resetTokens().map(Duration::toMillis).orElse(-1L)
            : -1;
    return Math.min(LONGEST_HINT_MILLIS, Math.max(requests, tokens));
  }

  private void failed(Work work, TeacherException failure) {
    work.failures++;
    if (!RetryPolicy.saysWait(failure)) {
      work.tries++;
    }
    Ending ending = ending(failure);
    if (ending == Ending.UNCERTAIN) {
      work.lost++;
    }
    Signal signal = signal(failure);
    urgent |= signal == Signal.REFUSING || signal == Signal.FATAL;
    boolean again = retry.mayRetry(failure, work.tries);
    boolean finalState = !again && signal != Signal.FATAL;
    settlements.add(
        settlement(work, ending, finalState, signal, failure.retryAfter(), failure.getMessage()));
    if (again) {
      var random = new SplittableRandom(31L * work.request.requestId().hashCode() + work.failures);
      work.readyAt =
          clockMillis.getAsLong() + RetryPolicy.delay(failure, work.failures, random).toMillis();
      waiting.add(work);
    } else if (finalState) {
      failed++;
      finish(
          new Completion(
              work.request.requestId(),
              work.request.rowId(),
              work.request.model(),
              RequestCodec.prompt(work.request),
              RequestCodec.params(work.request),
              false,
              Optional.empty(),
              Optional.empty(),
              -1,
              0,
              -1,
              Optional.empty(),
              work.attempts,
              work.lost,
              failure.httpStatus(),
              clockMillis.getAsLong() - work.sentAt,
              Optional.of(Ledger.error(failure)),
              Instant.now()));
    }
  }

  private void finish(Completion completion) {
    done++;
    ledger.append(Ledger.toJson(completion));
    sink.accept(completion);
  }

  private static Settlement settlement(
      Work work,
      Ending ending,
      boolean finalState,
      Signal signal,
      Optional<Duration> retryAfter,
      @Nullable String message) {
    return new Settlement(
        work.request.requestId(),
        ending,
        finalState,
        0,
        0,
        0,
        signal,
        retryAfter.map(Duration::toMillis).orElse(-1L),
        message == null ? "" : message);
  }

  private static Ending ending(TeacherException failure) {
    return switch (failure.category()) {
      case TIMEOUT, CONNECTION, MALFORMED_REPLY -> Ending.UNCERTAIN;
      case RATE_LIMITED,
          SERVER_ERROR,
          UNREACHABLE,
          BAD_REQUEST,
          CONTEXT_LENGTH,
          AUTHENTICATION,
          INSUFFICIENT_QUOTA,
          UNKNOWN_MODEL,
          NOT_RECORDED ->
          Ending.FREE;
    };
  }

  private static Signal signal(TeacherException failure) {
    if (failure.fatal()) {
      return Signal.FATAL;
    }
    if (RetryPolicy.saysWait(failure)) {
      return Signal.REFUSING;
    }
    return failure.retryable() ? Signal.FAILING : Signal.NEUTRAL;
  }

  private static TeacherException teacherException(@Nullable Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    if (cause instanceof TeacherException known) {
      return known;
    }
    // A defect in a teacher must not take the run down: it is this request's failure.
    return new TeacherException(
        TeacherException.Category.BAD_REQUEST, 0, Optional.empty(), String.valueOf(cause));
  }

  /** Asks on another thread; one question at a time. */
  private void askDriver(long now) {
    Exchange question = question(false);
    asking = true;
    exchanger.execute(
        () -> {
          try {
            events.add(new Event.Said(now, driver.exchange(question), null));
          } catch (RuntimeException | Error e) {
            events.add(new Event.Said(now, null, e));
          }
        });
  }

  private void sayLast() {
    long now = clockMillis.getAsLong();
    apply(now, driver.exchange(question(true)));
  }

  private Exchange question(boolean last) {
    int demand = input.hasNext() ? Integer.MAX_VALUE / 2 : inFlight + asked.size() + ready.size();
    var question =
        new Exchange(
            run,
            name,
            ++sequence,
            teacher.maxConcurrency(),
            inFlight,
            ready.size(),
            demand,
            List.copyOf(asks),
            List.copyOf(settlements),
            List.copyOf(returned),
            ledger.durable(),
            last);
    asks.clear();
    settlements.clear();
    returned.clear();
    urgent = false;
    return question;
  }

  private void apply(long askedAt, Answer answer) {
    lastExchange = clockMillis.getAsLong();
    poll = answer.leases().isEmpty() ? Math.min(LONGEST_POLL_MILLIS, poll * 2) : FIRST_POLL_MILLIS;
    known = answer.known();
    stop = answer.stop();
    slots = answer.slots();
    pausedUntil = askedAt + answer.pauseMillis();
    for (String id : answer.leases()) {
      Work work = asked.remove(id);
      if (work != null) {
        // From before the question: the driver let it go later than that by any clock.
        work.leaseUntil = askedAt + answer.leaseMillis();
        ready.add(work);
      }
    }
  }

  private long exchangeDue() {
    if (urgent) {
      return lastExchange;
    }
    boolean starving = !asked.isEmpty() && inFlight + ready.size() < Math.max(1, slots);
    if (starving || (slots == 0 && !ready.isEmpty())) {
      return lastExchange + poll;
    }
    return lastExchange
        + (settlements.isEmpty() && asked.isEmpty() ? HEARTBEAT_MILLIS : SETTLE_MILLIS);
  }

  private long nextTurn() {
    // The driver's answer ends the waiting as well.
    long next =
        asking
            ? clockMillis.getAsLong() + HEARTBEAT_MILLIS
            : Math.min(exchangeDue(), lastExchange + HEARTBEAT_MILLIS);
    if (!waiting.isEmpty() && wantsMore()) {
      next = Math.min(next, waiting.peek().readyAt);
    }
    return ready.isEmpty() || pausedUntil <= lastExchange ? next : Math.min(next, pausedUntil);
  }
}
