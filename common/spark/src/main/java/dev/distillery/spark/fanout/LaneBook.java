package dev.distillery.spark.fanout;

import dev.distillery.core.teacher.Price;
import dev.distillery.core.teacher.RateLimits;
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
import org.jspecify.annotations.Nullable;

/**
 * What one task decides: which requests need a lease, which may be sent, what an end means and when
 * the driver is to be asked again. {@link Lane} moves the messages. Nothing here waits, reads a
 * clock or touches a disk: times are given, in milliseconds of one clock that never goes back.
 *
 * <p>A request goes through these states: <i>asked</i>, until the driver grants a lease;
 * <i>ready</i>, until there is a slot; with the teacher; <i>waiting</i>, where it is to be tried
 * again; and its end. Not safe for use by several threads.
 */
final class LaneBook {
  private static final int MOST_AHEAD = 256;
  private static final int MOST_WAITING = 1024;
  private static final long LONGEST_HINT_MILLIS = 60_000;
  private static final long SETTLE_MILLIS = 100;
  private static final long HEARTBEAT_MILLIS = 500;

  /** A pause so long that leases are given back for it. */
  static final long LONG_PAUSE_MILLIS = 1000;

  private static final long FIRST_POLL_MILLIS = 2;
  private static final long LONGEST_POLL_MILLIS = 50;
  private static final double WEIGHT_OF_LATEST = 0.2;
  private static final double FIRST_GRANT_MILLIS = 50;
  private static final double LONGEST_GRANT_MILLIS = 1000;
  private static final long NEVER = Long.MIN_VALUE;

  /** Times between two refusals that count: a minute's limit may pass in between. */
  private static final long OTHERS_PASS_MILLIS = 10_000;

  private static final long ALONE_MILLIS = 61_000;

  /** A request on its way to an end. */
  static final class Work {
    private final TeacherRequest request;
    private final long mostPrompt;
    private final long mostCompletion;
    private int attempts;
    private int tries;
    private int failures;
    private int lost;
    private long readyAt;
    private long leaseUntil;
    private long sentAt;
    private long askedAt;
    private long answeredAtRefusal;
    private long refusalCountedAt = NEVER;

    private Work(TeacherRequest request, TokenEstimator tokens) {
      this.request = request;
      this.mostPrompt = tokens.mostPromptTokens(request);
      this.mostCompletion = tokens.mostCompletionTokens(request);
    }

    TeacherRequest request() {
      return request;
    }
  }

  private final String run;
  private final String name;
  private final int teacherConcurrency;
  private final RetryPolicy retry;
  private final Optional<Price> price;
  private final TokenEstimator tokens;
  private final Iterator<TeacherRequest> input;

  private final PriorityQueue<Work> waiting =
      new PriorityQueue<>(Comparator.comparingLong(work -> work.readyAt));
  private final Map<String, Work> asked = new HashMap<>();
  private final ArrayDeque<Work> ready = new ArrayDeque<>();
  private final ArrayList<Ask> asks = new ArrayList<>();
  private final ArrayList<Settlement> settlements = new ArrayList<>();
  private final ArrayList<String> returned = new ArrayList<>();
  private double latency;
  private double grantTime = FIRST_GRANT_MILLIS;
  private long answeredInAll;
  private long openInAll = Long.MAX_VALUE;
  private int inFlight;
  private int slots;
  private long pausedUntil;

  /** Until when a server has told this task itself that nothing is left. */
  private long heldUntil = NEVER;

  private long lastExchange;
  private long poll = FIRST_POLL_MILLIS;
  private boolean urgent = true;
  private boolean asking;
  private long sequence;
  private boolean known = true;
  private boolean otherForm;
  private @Nullable FanoutStop stop;
  private long done;
  private long failed;

  /**
   * @param teacherConcurrency requests at once that the teacher in this JVM can use
   * @param input the task's requests
   */
  LaneBook(
      String run,
      String name,
      int teacherConcurrency,
      Wire.Welcome welcome,
      Iterator<TeacherRequest> input) {
    this.run = run;
    this.name = name;
    this.teacherConcurrency = teacherConcurrency;
    this.retry = welcome.retry();
    this.price = Optional.ofNullable(welcome.price());
    this.tokens = TokenEstimator.of(welcome.settings().model());
    this.input = input;
  }

  String name() {
    return name;
  }

  /** Whether the driver knows this task; one that it has given up must send nothing more. */
  boolean known() {
    return known;
  }

  /** Whether the driver has stopped the run, or given this task up. */
  boolean stopped() {
    return stop != null || !known;
  }

  /** Whether something is on its way that must be waited for. */
  boolean busy() {
    return asking || (inFlight > 0 && !(stop != null && stop.abandons()));
  }

  /** Whether every request has come to its end. */
  boolean finished() {
    return !busy() && asked.isEmpty() && ready.isEmpty() && waiting.isEmpty() && !input.hasNext();
  }

  Lane.Report report() {
    return new Lane.Report(done, failed);
  }

  /** Asks for leases when half of those ahead are used, so that one entry logs several. */
  void lookAhead(long now) {
    if (!wantsMore()) {
      return;
    }
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
      work.askedAt = now;
      asked.put(work.request.requestId(), work);
      asks.add(new Ask(work.request.requestId(), work.mostPrompt, work.mostCompletion));
      urgent = true;
    }
  }

  private boolean wantsMore() {
    return asked.size() + ready.size() <= ahead() / 2;
  }

  /**
   * Leases that are worth holding: one for each free slot, and as many more as are used up while
   * the driver grants the next ones. What is held when a process dies may have been sent, and
   * counts as paid.
   */
  private int ahead() {
    if (slots == 0) {
      return 1;
    }
    double usedMeanwhile =
        latency > 0 ? slots * Math.min(LONGEST_GRANT_MILLIS, 2 * grantTime) / latency : 0;
    return Math.max(0, slots - inFlight)
        + (int) Math.min(Math.min(slots, MOST_AHEAD), usedMeanwhile);
  }

  private static double mean(double mean, long sample) {
    return mean + (sample - mean) * WEIGHT_OF_LATEST;
  }

  /** The next request that is to be sent now, counted as sent; empty where none may be. */
  Optional<Work> send(long now) {
    giveBack(now);
    if (now >= resumesAt() && inFlight < slots && !ready.isEmpty()) {
      Work work = ready.remove();
      inFlight++;
      work.attempts++;
      work.sentAt = now;
      return Optional.of(work);
    }
    return Optional.empty();
  }

  /** When requests may leave again, by the driver's word and by what a server said here. */
  private long resumesAt() {
    return Math.max(pausedUntil, heldUntil);
  }

  /**
   * Gives leases back that have run out, or would before a pause ends: what is held and not sent
   * when a process dies counts as paid.
   */
  private void giveBack(long now) {
    boolean longPause = resumesAt() - now > LONG_PAUSE_MILLIS;
    while (!ready.isEmpty() && (longPause || now > ready.peek().leaseUntil)) {
      Work work = ready.remove();
      asked.put(work.request.requestId(), work);
      returned.add(work.request.requestId());
      urgent = true;
    }
  }

  /** Ids of leases that are held and were surely never sent. */
  List<String> unsent() {
    return ready.stream().map(work -> work.request.requestId()).toList();
  }

  /** Whether the server is known to want requests in the other form. */
  boolean otherForm() {
    return otherForm;
  }

  /** Books a reply, as {@link TeacherReply#finished}; gives back its end. */
  Completion answered(Work work, TeacherReply given, long now, Instant wall) {
    TeacherReply reply = given.finished(work.request.sampling().stop());
    inFlight--;
    latency = latency == 0 ? Math.max(1, now - work.sentAt) : mean(latency, now - work.sentAt);
    done++;
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
    long pause = pauseMillis(reply.limits());
    if (pause > 0) {
      // What is leased already is held too, and the others hear of it at once.
      heldUntil = Math.max(heldUntil, now + pause);
      urgent = true;
    }
    settlements.add(
        new Settlement(
            work.request.requestId(),
            Ending.ANSWERED,
            true,
            billedPrompt,
            reply.cachedPromptTokens(),
            billedCompletion,
            Signal.HEALTHY,
            pause,
            ""));
    return new Completion(
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
        billedPrompt + billedCompletion,
        cost,
        work.attempts,
        work.lost,
        reply.httpStatus(),
        now - work.sentAt,
        Optional.empty(),
        wall,
        reply.reasoning(),
        reply.logprobs(),
        reply.toolCalls());
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

  /** Books a failure; gives back the request's end, where it is one. */
  Optional<Completion> failed(Work work, TeacherException failure, long now, Instant wall) {
    inFlight--;
    work.failures++;
    if (isTry(work, failure, now)) {
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
      work.readyAt = now + RetryPolicy.delay(failure, work.failures, random).toMillis();
      waiting.add(work);
    } else if (finalState) {
      done++;
      failed++;
      return Optional.of(
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
              0,
              Optional.empty(),
              work.attempts,
              work.lost,
              failure.httpStatus(),
              now - work.sentAt,
              Optional.of(Ledger.error(failure)),
              wall));
    }
    return Optional.empty();
  }

  /**
   * Whether a failure counts among the request's tries. Waiting on a server that refuses everybody
   * does not. A refusal of this request while others pass, or of the last one that is left, may be
   * for its own sake, such as its size.
   */
  private boolean isTry(Work work, TeacherException failure, long now) {
    if (failure.taught()) {
      return false;
    }
    if (!RetryPolicy.saysWait(failure)) {
      return true;
    }
    if (failure.category() != TeacherException.Category.RATE_LIMITED) {
      return false;
    }
    boolean first = work.refusalCountedAt == NEVER;
    boolean othersPass = answeredInAll > work.answeredAtRefusal;
    long between = othersPass ? OTHERS_PASS_MILLIS : ALONE_MILLIS;
    boolean counts =
        !first && (othersPass || openInAll <= 1) && now - work.refusalCountedAt >= between;
    work.answeredAtRefusal = answeredInAll;
    if (first || counts) {
      work.refusalCountedAt = now;
    }
    return counts;
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
          OTHER_FORM,
          MOVED,
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
    if (failure.taught()) {
      return failure.category() == TeacherException.Category.OTHER_FORM
          ? Signal.OTHER_FORM
          : Signal.NEUTRAL;
    }
    return failure.retryable() ? Signal.FAILING : Signal.NEUTRAL;
  }

  /** The task ends: what was let go and never sent is given back. */
  Exchange lastQuestion(long durable) {
    dropUnsent();
    return question(durable, true);
  }

  private void dropUnsent() {
    for (Work work : ready) {
      settlements.add(settlement(work, Ending.UNSENT, false, Signal.NEUTRAL, Optional.empty(), ""));
    }
    urgent |= !ready.isEmpty();
    ready.clear();
  }

  /**
   * What the driver is to be asked now; empty where it is not time, or where its answer to the
   * question before is still to come.
   *
   * @param durable replies and failures of this task that are in the ledger
   */
  Optional<Exchange> question(long now, long durable) {
    if (asking || now < exchangeDue()) {
      return Optional.empty();
    }
    asking = true;
    return Optional.of(question(durable, false));
  }

  private Exchange question(long durable, boolean last) {
    int demand = input.hasNext() ? Integer.MAX_VALUE / 2 : inFlight + asked.size() + ready.size();
    var question =
        new Exchange(
            run,
            name,
            ++sequence,
            teacherConcurrency,
            inFlight,
            ready.size(),
            demand,
            List.copyOf(asks),
            List.copyOf(settlements),
            List.copyOf(returned),
            durable,
            last);
    asks.clear();
    settlements.clear();
    returned.clear();
    urgent = false;
    return question;
  }

  /**
   * Takes up what the driver says.
   *
   * @param askedAt when it was asked
   */
  void apply(long askedAt, Answer answer, long now) {
    asking = false;
    lastExchange = now;
    poll = answer.leases().isEmpty() ? Math.min(LONGEST_POLL_MILLIS, poll * 2) : FIRST_POLL_MILLIS;
    known = answer.known();
    stop = answer.stop();
    slots = answer.slots();
    answeredInAll = answer.answered();
    openInAll = answer.open();
    otherForm |= answer.otherForm();
    pausedUntil = askedAt + answer.pauseMillis();
    for (String id : answer.leases()) {
      Work work = asked.remove(id);
      if (work != null) {
        // From before the question: the driver let it go later than that by any clock.
        work.leaseUntil = askedAt + answer.leaseMillis();
        grantTime = mean(grantTime, now - work.askedAt);
        ready.add(work);
      }
    }
    if (stop != null) {
      dropUnsent();
    }
  }

  private long exchangeDue() {
    if (urgent) {
      return lastExchange;
    }
    boolean starving = !asked.isEmpty() && inFlight + ready.size() < Math.max(1, slots);
    if (starving || (slots == 0 && !ready.isEmpty())) {
      return resumesAt() - lastExchange > LONGEST_POLL_MILLIS
          ? Math.min(resumesAt(), lastExchange + HEARTBEAT_MILLIS)
          : lastExchange + poll;
    }
    return lastExchange
        + (settlements.isEmpty() && asked.isEmpty() ? HEARTBEAT_MILLIS : SETTLE_MILLIS);
  }

  /** When there is something to do next, should no message come before. */
  long nextTurn(long now) {
    // The driver's answer ends the waiting as well.
    long next =
        asking ? now + HEARTBEAT_MILLIS : Math.min(exchangeDue(), lastExchange + HEARTBEAT_MILLIS);
    if (!waiting.isEmpty() && wantsMore()) {
      next = Math.min(next, waiting.peek().readyAt);
    }
    return ready.isEmpty() || resumesAt() <= lastExchange ? next : Math.min(next, resumesAt());
  }
}
