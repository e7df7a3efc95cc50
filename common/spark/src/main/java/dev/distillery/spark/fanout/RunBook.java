package dev.distillery.spark.fanout;

import dev.distillery.core.run.ExitCode;
import dev.distillery.core.teacher.Price;
import dev.distillery.spark.fanout.LaneShare.Lease;
import dev.distillery.spark.fanout.Wire.Answer;
import dev.distillery.spark.fanout.Wire.Ask;
import dev.distillery.spark.fanout.Wire.Ending;
import dev.distillery.spark.fanout.Wire.Exchange;
import dev.distillery.spark.fanout.Wire.Settlement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The books of one run, kept by the driver: which task may send what, and what it has used.
 *
 * <p>A lease goes through these states: <i>asked</i>, until the budget has room for its worst case;
 * <i>reserved</i>, until its id is durably logged; <i>logged</i>, until rates let it go;
 * <i>out</i>, from when the task may send it until the task settles it. Nothing here waits or
 * touches a disk. Safe for use by several threads.
 */
final class RunBook {
  /** A task that is silent for so long is taken for dead. */
  static final int SILENCE_MILLIS = 30_000;

  /** Time in which a lease must be used where no rate bounds it; well below the silence. */
  static final int LEASE_MILLIS = 10_000;

  private static final int LEAST_TO_JUDGE = 100;

  /** Time in which a server says of the first request that it does not take its form. */
  static final int FIRST_ALONE_MILLIS = 1000;

  /** Two looks are seldom further apart, unless the driver itself has stood still. */
  private static final int LOOK_MILLIS = 1000;

  /** A lease as the grant log has it. */
  record Grant(String requestId, Spend worst) {}

  /**
   * A granted lease that brings no reply and cost nothing: never sent, or refused.
   *
   * @param sent whether it counts as a request
   */
  record Unused(String requestId, boolean sent) {}

  /** What a person is told while a run goes on. */
  record Snapshot(
      long done, long failed, int inFlight, int window, long pauseMillis, Spend spent, long lost) {}

  private final LongSupplier clockMillis;
  private final Optional<Price> price;
  private final FanoutLimits limits;
  private final Budget budget;
  private final SlowDown slowDown;
  private final Rates rates;
  private final Map<String, LaneShare> lanes = new HashMap<>();
  private final ArrayList<Lease> toLog = new ArrayList<>();
  private final ArrayList<Lease> beingLogged = new ArrayList<>();
  private final Map<Lease, LaneShare> owners = new HashMap<>();
  private final ArrayList<Unused> voids = new ArrayList<>();
  private @Nullable FanoutStop stop;
  private long done;
  private long failed;
  private long lost;
  private long expected;
  private boolean aLaneDied;
  private long lookedAt;
  private long endsBefore;
  private long failedBefore;
  private double promptFactor = 1;
  private double completionFactor = 1;
  private boolean firstIsAlone;
  private long firstLeftAt = -1;
  private boolean otherForm;
  private Supplier<Optional<FanoutStop>> guard = Optional::empty;

  RunBook(FanoutLimits limits, Optional<Price> price, Spend spentBefore, LongSupplier clockMillis) {
    this.limits = limits;
    this.price = price;
    this.clockMillis = clockMillis;
    this.budget = new Budget(limits, spentBefore);
    this.lookedAt = clockMillis.getAsLong();
    this.slowDown = new SlowDown(limits.concurrency(), clockMillis);
    this.rates = new Rates(limits, clockMillis);
  }

  /** A task begins. An earlier attempt at the same partition is given up. */
  synchronized void join(Wire.Join join) {
    long now = clockMillis.getAsLong();
    lanes.values().stream()
        .filter(lane -> lane.place.equals(join.place()) && !lane.name.equals(join.lane()))
        .toList()
        .forEach(this::giveUp);
    lanes.put(join.lane(), new LaneShare(join.lane(), join.place(), join.executor(), now));
  }

  /** Books what a task has used, and tells it what it may do. */
  synchronized Answer exchange(Exchange message) {
    long now = clockMillis.getAsLong();
    noteOwnPause(now);
    LaneShare lane = lanes.get(message.lane());
    if (lane == null) {
      return Answer.UNKNOWN;
    }
    if (lane.sequence == message.sequence() && lane.lastAnswer != null) {
      return lane.lastAnswer;
    }
    lane.sequence = message.sequence();
    lane.lastSeen = now;
    lane.inFlight = message.inFlight();
    lane.ready = message.ready();
    lane.demand = message.demand();
    lane.teacherConcurrency = message.teacherConcurrency();
    lane.durable = message.durable();
    giveUpTheSilent(now);
    guard.get().ifPresent(this::stop);
    message.settlements().forEach(settlement -> settle(lane, settlement));
    message.returned().forEach(id -> takeBack(lane, id));
    lane.asked.addAll(message.asks());
    stopIfRefusedTooLong();
    if (message.last()) {
      leave(lane);
      return new Answer(true, 0, List.of(), 0, 0, done - failed, open(), otherForm, stop);
    }
    List<String> leases = List.of();
    lane.slots = 0;
    if (stop == null) {
      lane.slots = share(lane);
      if (!reserve(lane)) {
        // The budget has no room for more: slots kept for it would keep others from theirs.
        lane.demand = Math.min(lane.demand, lane.leases.size());
        lane.slots = share(lane);
      }
    }
    if (stop == null) {
      leases = letGo(lane);
    } else {
      lane.slots = 0;
    }
    takeBackWhatWaitsTooLong(lane);
    lane.lastAnswer =
        new Answer(
            true,
            lane.slots,
            leases,
            rates.limited() ? RateWindow.LEASE_MILLIS : LEASE_MILLIS,
            slowDown.pauseMillis(),
            done - failed,
            open(),
            otherForm,
            stop);
    return lane.lastAnswer;
  }

  /** Leases whose ids are to be logged before they may be used; each is given out once. */
  synchronized List<Grant> takeGrantsToLog() {
    beingLogged.addAll(toLog);
    toLog.clear();
    return beingLogged.stream()
        .map(lease -> new Grant(lease.ask.requestId(), lease.worst))
        .toList();
  }

  /** The grants that were taken last are in the log. */
  synchronized void logged() {
    for (Lease lease : beingLogged) {
      LaneShare lane = owners.get(lease);
      if (lane == null) {
        voids.add(new Unused(lease.ask.requestId(), false));
        budget.settle(lease.worst, Spend.NONE);
      } else {
        lease.state = Lease.State.LOGGED;
        lane.logged.add(lease);
      }
    }
    beingLogged.clear();
  }

  /** Granted leases that brought nothing and cost nothing; each is given out once. */
  synchronized List<Unused> takeVoids() {
    var taken = List.copyOf(voids);
    voids.clear();
    return taken;
  }

  /**
   * Lets the first request go alone, until it has an end or a second has passed: what the server
   * refuses for its form, its key or its model it is to refuse once.
   */
  synchronized void letTheFirstGoAlone() {
    firstIsAlone = true;
  }

  /**
   * Nothing is granted once {@code reason} gives one; it is asked at each question and must not
   * wait.
   */
  synchronized void stopWhen(Supplier<Optional<FanoutStop>> reason) {
    guard = reason;
  }

  /** Stops the run; the first reason stands, and a later one may end the waiting. */
  synchronized void stop(FanoutStop reason) {
    if (stop == null) {
      stop = reason;
    } else if (reason.abandons()) {
      stop = stop.abandoning();
    }
  }

  synchronized Optional<FanoutStop> stopped() {
    guard.get().ifPresent(this::stop);
    return Optional.ofNullable(stop);
  }

  /** How many requests the run has in all, as far as is known; 0 where it is not. */
  synchronized void expect(long requests) {
    expected = requests;
  }

  /**
   * Ends that earlier attempts at the run have brought and that stand.
   *
   * @param failures those of them that are failures
   */
  synchronized void resume(long ends, long failures) {
    endsBefore += ends;
    failedBefore += failures;
    if (failures > 0) {
      stopIfTooManyFailed("they are of an earlier attempt at the run");
    }
  }

  /** Raises the worst cases of all requests by a factor, which the server's counts were over. */
  synchronized void raiseWorstCases(double factor) {
    promptFactor = Math.max(promptFactor, factor);
    completionFactor = Math.max(completionFactor, factor);
  }

  /** Whether a task was given up, so that replies may have been lost on their way to the ledger. */
  synchronized boolean aLaneDied() {
    return aLaneDied;
  }

  synchronized Snapshot snapshot() {
    giveUpTheSilent(clockMillis.getAsLong());
    int inFlight = lanes.values().stream().mapToInt(lane -> lane.inFlight).sum();
    return new Snapshot(
        done, failed, inFlight, slowDown.window(), slowDown.pauseMillis(), budget.spent(), lost);
  }

  /** To be called several times a second, so that the driver knows when it slept. */
  synchronized void look() {
    giveUpTheSilent(clockMillis.getAsLong());
  }

  /** Whether a call's tasks have all left. */
  synchronized boolean idle() {
    return lanes.isEmpty();
  }

  /** Gives up every task: Spark says that the stage is over. */
  synchronized void giveUpAll() {
    List.copyOf(lanes.values()).forEach(this::giveUp);
  }

  private void settle(LaneShare lane, Settlement settlement) {
    Lease lease = lane.leases.remove(settlement.requestId());
    if (lease == null) {
      return;
    }
    owners.remove(lease);
    firstIsAlone &= settlement.ending() == Ending.UNSENT;
    if (settlement.ending() == Ending.ANSWERED) {
      // A server that counts more than the estimate will do so again.
      promptFactor = above(promptFactor, settlement.promptTokens(), lease.ask.promptTokens());
      completionFactor =
          above(completionFactor, settlement.completionTokens(), lease.ask.completionTokens());
    }
    Spend used = used(lease, settlement);
    budget.settle(lease.worst, used);
    rates.correct(lease.tokenSlot, lease.worst, used);
    if (settlement.ending() == Ending.UNSENT) {
      voids.add(new Unused(settlement.requestId(), false));
    } else if (settlement.ending() == Ending.FREE && !settlement.finalState()) {
      voids.add(new Unused(settlement.requestId(), true));
    }
    if (settlement.finalState()) {
      lane.finished++;
      done++;
      if (settlement.ending() != Ending.ANSWERED) {
        failed++;
        stopIfTooManyFailed(settlement.message());
      }
    }
    switch (settlement.signal()) {
      case HEALTHY -> {
        slowDown.succeeded();
        if (settlement.pauseMillis() > 0) {
          slowDown.pause(settlement.pauseMillis());
        }
      }
      case NEUTRAL -> {}
      case OTHER_FORM -> otherForm = true;
      case FAILING -> slowDown.failed();
      case REFUSING ->
          slowDown.refused(
              settlement.pauseMillis() < 0
                  ? Optional.empty()
                  : Optional.of(Duration.ofMillis(settlement.pauseMillis())));
      case FATAL -> stop(new FanoutStop(ExitCode.INVALID, settlement.message()));
    }
  }

  private static double above(double factor, long counted, long estimated) {
    return Math.max(factor, (double) counted / Math.max(1, estimated));
  }

  private Spend used(Lease lease, Settlement settlement) {
    return switch (settlement.ending()) {
      case ANSWERED ->
          new Spend(
              1,
              settlement.promptTokens() + settlement.completionTokens(),
              Spend.nanos(
                  price,
                  settlement.promptTokens(),
                  settlement.cachedPromptTokens(),
                  settlement.completionTokens()));
      case FREE -> new Spend(1, 0, 0);
      case UNCERTAIN -> lease.worst;
      case UNSENT -> Spend.NONE;
    };
  }

  /** A lease was not used in its time; its request needs another. */
  private void takeBack(LaneShare lane, String requestId) {
    Lease lease = lane.leases.get(requestId);
    if (lease != null && lease.state == Lease.State.OUT) {
      unused(lane, lease);
    }
  }

  private void unused(LaneShare lane, Lease lease) {
    lane.leases.remove(lease.ask.requestId());
    owners.remove(lease);
    voids.add(new Unused(lease.ask.requestId(), false));
    budget.settle(lease.worst, Spend.NONE);
    lane.asked.addFirst(lease.ask);
  }

  /**
   * What is logged and cannot go is taken back: at the run's stop, in a long pause, and under rates
   * where the task has no slot for it and others could use it. In the log it would count as paid.
   */
  private void takeBackWhatWaitsTooLong(LaneShare lane) {
    boolean none = stop != null || slowDown.pauseMillis() > LaneBook.LONG_PAUSE_MILLIS;
    while (!lane.logged.isEmpty()
        && (none
            || (rates.limited()
                && !rates.wantMore(waiting(), 1)
                && lane.waiting.requests() > lane.room()))) {
      Lease lease = lane.logged.removeLast();
      waitsNoMore(lane, lease);
      unused(lane, lease);
    }
  }

  private void waitsNoMore(LaneShare lane, Lease lease) {
    lane.waiting = lane.waiting.minus(lease.worst);
  }

  /**
   * Sets the worst case of a task's requests aside, in their order, as far as the budget goes, and
   * no further ahead than slots and rates need.
   *
   * @return whether the budget had room
   */
  private boolean reserve(LaneShare lane) {
    while (!lane.asked.isEmpty() && mayWait(lane)) {
      Ask ask = lane.asked.peek();
      Spend worst =
          Spend.worst(
              price,
              (long) Math.ceil(ask.promptTokens() * promptFactor),
              (long) Math.ceil(ask.completionTokens() * completionFactor));
      if (!budget.reserve(worst)) {
        if (budget.settled()) {
          stop(new FanoutStop(ExitCode.PARTIAL, budget.lacking(worst).orElseThrow()));
        }
        return false;
      }
      lane.asked.remove();
      var lease = new Lease(ask, worst);
      lane.leases.put(ask.requestId(), lease);
      owners.put(lease, lane);
      toLog.add(lease);
      lane.waiting = lane.waiting.plus(worst);
    }
    return true;
  }

  private boolean mayWait(LaneShare lane) {
    if (lane.slots == 0 || slowDown.pauseMillis() > LaneBook.LONG_PAUSE_MILLIS) {
      return false;
    }
    if (!rates.limited()) {
      return true;
    }
    boolean room = lane.waiting.requests() < lane.room();
    return rates.wantMore(lane.waiting, lanes.size()) && rates.wantMore(waiting(), room ? 1 : 2);
  }

  /** Worst cases of what waits, but for tasks that have not been heard of for a moment. */
  private Spend waiting() {
    long now = clockMillis.getAsLong();
    Spend sum = Spend.NONE;
    for (LaneShare lane : lanes.values()) {
      sum = now - lane.lastSeen > LOOK_MILLIS ? sum : sum.plus(lane.waiting);
    }
    return sum;
  }

  /** Lets logged leases go as far as the rates allow, and not long before they can be used. */
  private List<String> letGo(LaneShare lane) {
    var leases = new ArrayList<String>();
    int room = rates.limited() ? lane.room() : Integer.MAX_VALUE;
    if (slowDown.pauseMillis() > 0) {
      return List.of();
    }
    while (leases.size() < room
        && !lane.logged.isEmpty()
        && rates.admit(lane.logged.peek().worst)) {
      Lease lease = lane.logged.remove();
      waitsNoMore(lane, lease);
      lease.state = Lease.State.OUT;
      lease.tokenSlot = rates.take(lease.worst);
      leases.add(lease.ask.requestId());
    }
    if (firstLeftAt < 0 && !leases.isEmpty()) {
      firstLeftAt = clockMillis.getAsLong();
    }
    return List.copyOf(leases);
  }

  /** Requests at once that the run may have now. */
  private int window() {
    boolean alone =
        firstIsAlone
            && (firstLeftAt < 0 || clockMillis.getAsLong() - firstLeftAt < FIRST_ALONE_MILLIS);
    return alone ? 1 : slowDown.window();
  }

  /**
   * A task's share of the requests at once: what it can use, up to the level at which all tasks
   * together fill the window, and never more than the others have left free.
   */
  private int share(LaneShare lane) {
    int free = window();
    int freeInJvm = lane.teacherConcurrency;
    for (LaneShare other : lanes.values()) {
      if (other != lane) {
        free -= other.held();
        if (other.executor.equals(lane.executor)) {
          freeInJvm -= other.held();
        }
      }
    }
    int wanted = Math.min(lane.demand, level(window()));
    return Math.max(0, Math.min(wanted, Math.min(free, freeInJvm)));
  }

  /** The least level such that tasks that take their demand up to it use the whole window. */
  private int level(int window) {
    int[] demands = lanes.values().stream().mapToInt(lane -> lane.demand).sorted().toArray();
    int left = window;
    for (int i = 0; i < demands.length; i++) {
      int lanesLeft = demands.length - i;
      if ((long) demands[i] * lanesLeft >= left) {
        return (left + lanesLeft - 1) / lanesLeft;
      }
      left -= demands[i];
    }
    return window;
  }

  private void leave(LaneShare lane) {
    for (Lease lease : lane.leases.values()) {
      owners.remove(lease);
      if (lease.state == Lease.State.OUT) {
        lost(lease);
        continue;
      }
      waitsNoMore(lane, lease);
      if (lease.state == Lease.State.LOGGED) {
        voids.add(new Unused(lease.ask.requestId(), false));
      } else if (!toLog.remove(lease)) {
        // Being logged at this moment: `logged` finds no owner and books it as unused.
        continue;
      }
      budget.settle(lease.worst, Spend.NONE);
    }
    lanes.remove(lane.name);
  }

  private void giveUp(LaneShare lane) {
    aLaneDied = true;
    done -= lane.finished - lane.durable;
    lost += lane.finished - lane.durable;
    leave(lane);
  }

  /** What this driver slept through is not its tasks' silence: their messages wait in its inbox. */
  private void noteOwnPause(long now) {
    long pause = now - lookedAt - LOOK_MILLIS;
    lookedAt = now;
    if (pause > 0) {
      lanes.values().forEach(lane -> lane.lastSeen += pause);
    }
  }

  private long open() {
    return lanes.values().stream().mapToLong(lane -> lane.demand).sum();
  }

  private void giveUpTheSilent(long now) {
    noteOwnPause(now);
    lanes.values().stream()
        .filter(lane -> now - lane.lastSeen > SILENCE_MILLIS)
        .toList()
        .forEach(this::giveUp);
  }

  /** Out of sight: it may have been sent, so at worst it is paid. */
  private void lost(Lease lease) {
    budget.settle(lease.worst, lease.worst);
    lost++;
  }

  private void stopIfTooManyFailed(String latest) {
    // Where nobody knows how many are still to come, a few failures at the start say nothing.
    long total = expected > 0 ? expected : Math.max(done + endsBefore, LEAST_TO_JUDGE);
    long failures = failed + failedBefore;
    if (failures > limits.maxFailureRatio() * total) {
      stop(
          new FanoutStop(
              ExitCode.PARTIAL,
              failures
                  + " of "
                  + total
                  + " requests failed for good, more than --max-failure-ratio "
                  + limits.maxFailureRatio()
                  + " allows; the latest: "
                  + latest));
    }
  }

  private void stopIfRefusedTooLong() {
    if (slowDown.refusingMillis() > limits.maxWait().toMillis()) {
      stop(
          new FanoutStop(
              ExitCode.TEMPORARY,
              "The server has refused every request for longer than --max-wait "
                  + limits.maxWait().toSeconds()
                  + "s allows, or asks for a longer wait; run the same command again later"));
    }
  }
}
