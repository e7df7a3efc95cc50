package dev.distillery.spark.fanout;

import dev.distillery.spark.fanout.Wire.Answer;
import dev.distillery.spark.fanout.Wire.Ask;
import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the driver knows of one task; a page of its {@link RunBook}. */
final class LaneShare {
  /** Leave to send one request once. */
  static final class Lease {
    enum State {
      RESERVED,
      LOGGED,
      OUT
    }

    final Ask ask;
    final Spend worst;
    State state = State.RESERVED;
    long tokenSlot;

    Lease(Ask ask, Spend worst) {
      this.ask = ask;
      this.worst = worst;
    }
  }

  final String name;
  final String place;
  final String executor;

  /** Requests for which a lease is wanted, in their order. */
  final ArrayDeque<Ask> asked = new ArrayDeque<>();

  final Map<String, Lease> leases = new LinkedHashMap<>();

  /** Leases that may go. */
  final ArrayDeque<Lease> logged = new ArrayDeque<>();

  /** Worst cases of the leases that have not gone. */
  Spend waiting = Spend.NONE;

  long lastSeen;
  long sequence = -1;
  @Nullable Answer lastAnswer;
  int slots;
  int inFlight;
  int ready;
  int demand;
  int teacherConcurrency = Integer.MAX_VALUE;
  long finished;
  long durable;

  LaneShare(String name, String place, String executor, long now) {
    this.name = name;
    this.place = place;
    this.executor = executor;
    this.lastSeen = now;
  }

  /** Requests that this task may have with the teacher at this moment. */
  int held() {
    return Math.max(slots, inFlight);
  }

  /** Leases that this task could use at once. */
  int room() {
    return Math.max(0, slots - inFlight - ready);
  }
}
