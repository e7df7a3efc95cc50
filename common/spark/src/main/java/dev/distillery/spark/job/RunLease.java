package dev.distillery.spark.job;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.spark.warehouse.Warehouse;
import java.time.Duration;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * The right of one driver to work on a run.
 *
 * <p>Drivers leave marks with rising numbers; the highest is the holder's, which renews it. A mark
 * is created so that one of several drivers succeeds, and nobody but its owner changes it. A driver
 * that finds another's mark watches it, for {@link #EXPIRY} by its own clock: a mark that is
 * renewed meanwhile is alive, and this driver ends with exit 75; one that is not is passed by the
 * next number. Where the mark's process is known to be dead, the next number is taken at once. A
 * holder that could not renew for two thirds of that time may not act any more, and never again: so
 * two drivers are never sure at once, and no clocks of two machines are compared.
 */
final class RunLease implements AutoCloseable {
  static final Duration EXPIRY = Duration.ofSeconds(60);

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration RENEWAL = Duration.ofSeconds(10);
  private static final int MOST_TURNS = 100;

  /**
   * The passing of time.
   *
   * @param sleeper waits; a test may do other things meanwhile
   */
  record Time(LongSupplier millis, Sleeper sleeper) {
    static final Time SYSTEM =
        new Time(() -> TimeUnit.NANOSECONDS.toMillis(System.nanoTime()), Thread::sleep);

    /** Waits. */
    @FunctionalInterface
    interface Sleeper {
      void sleep(long millis) throws InterruptedException;
    }

    long now() {
      return millis.getAsLong();
    }
  }

  private final LeaseMarks marks;
  private final String runId;
  private final Time time;
  private final ObjectNode content;
  private final String owner;
  private long number;
  private long renewals;
  private volatile long renewedAt;
  private volatile boolean lost;
  private boolean closed;
  private @Nullable ScheduledExecutorService renewal;

  private RunLease(LeaseMarks marks, String runId, Time time, ObjectNode content) {
    this.marks = marks;
    this.runId = runId;
    this.time = time;
    this.content = content;
    this.owner = UUID.randomUUID().toString();
    content.put("owner", owner);
  }

  /**
   * Takes the run id, or finds that another driver has it.
   *
   * @param decisiveOptions are kept in the mark, so that a driver that resumes after a crash can
   *     compare
   * @param say tells a person that this takes a while
   */
  static RunLease take(
      Warehouse warehouse,
      String runId,
      Map<String, String> decisiveOptions,
      Consumer<String> say) {
    RunLease lease =
        take(
            LeaseMarks.in(warehouse, runId),
            runId,
            DriverIdentity.ofThisProcess(),
            decisiveOptions,
            Time.SYSTEM,
            say);
    lease.renewByItself();
    return lease;
  }

  /** As above, of any marks and by any time; the caller renews. */
  static RunLease take(
      LeaseMarks marks,
      String runId,
      DriverIdentity identity,
      Map<String, String> decisiveOptions,
      Time time,
      Consumer<String> say) {
    ObjectNode content = JSON.createObjectNode();
    identity.write(content);
    content.set("decisive_options", JSON.valueToTree(decisiveOptions));
    var lease = new RunLease(marks, runId, time, content);
    for (int turn = 0; turn < MOST_TURNS; turn++) {
      NavigableSet<Long> numbers = marks.numbers();
      long next = 1;
      if (!numbers.isEmpty()) {
        Optional<String> mark = marks.read(numbers.last());
        if (mark.isEmpty()) {
          continue;
        }
        lease.passOver(numbers.last(), mark.get(), identity, say);
        next = numbers.last() + 1;
      }
      if (lease.takeNumber(next)) {
        return lease;
      }
    }
    throw new JobException(
        ExitCode.TEMPORARY, "Many drivers want the run " + runId + "; try again later");
  }

  /** The mark of a run's latest driver, live or left by one that died. */
  static Optional<JsonNode> find(Warehouse warehouse, String runId) {
    LeaseMarks marks = LeaseMarks.in(warehouse, runId);
    NavigableSet<Long> numbers = marks.numbers();
    return numbers.isEmpty() ? Optional.empty() : marks.read(numbers.last()).map(RunLease::parse);
  }

  /** Returns once the mark's driver is dead, or silent for as long as one may be. */
  private void passOver(long other, String mark, DriverIdentity identity, Consumer<String> say) {
    switch (identity.state(parse(mark))) {
      case DEAD -> {
        return;
      }
      case ALIVE -> throw refused(parse(mark));
      case UNKNOWN ->
          say.accept(
              "A driver on "
                  + parse(mark).path("host").asText("another machine")
                  + " has, or had, this run: looking for up to "
                  + EXPIRY.toSeconds()
                  + " s whether it lives");
    }
    long since = time.now();
    while (time.now() - since <= EXPIRY.toMillis()) {
      sleep(EXPIRY.toMillis() / 30);
      Optional<String> now = marks.read(other);
      if (now.isEmpty()) {
        return;
      }
      if (!now.get().equals(mark)) {
        throw refused(parse(now.get()));
      }
    }
  }

  private boolean takeNumber(long next) {
    number = next;
    long before = time.now();
    if (!marks.create(number, text())) {
      return false;
    }
    if (!marks.exclusive()) {
      // Two may have created it: the later one's text stays, and is there after a pause.
      sleep(EXPIRY.toMillis() / 20);
      Optional<String> mark = marks.read(number);
      if (mark.isPresent() && !isOurs(mark.get())) {
        throw refused(parse(mark.get()));
      }
    }
    NavigableSet<Long> numbers = marks.numbers();
    if (!numbers.isEmpty() && numbers.last() > number) {
      // A driver passed us before we had looked again: it saw what was here before.
      Optional<String> other = marks.read(numbers.last());
      marks.delete(number);
      other.ifPresent(
          mark -> {
            throw refused(parse(mark));
          });
      return false;
    }
    renewedAt = before;
    numbers.headSet(number).forEach(marks::delete);
    return sure();
  }

  /** Whether no other driver can have the run now. Asks nobody, and never becomes true again. */
  boolean sure() {
    if (time.now() - renewedAt >= EXPIRY.toMillis() * 2 / 3) {
      lost = true;
    }
    return !lost;
  }

  /**
   * Makes sure that the run is still this driver's, before something that others would see.
   *
   * @throws JobException with {@link ExitCode#TEMPORARY} where it is not, as after a pause
   */
  synchronized void check() {
    renew();
    if (!sure()) {
      throw lostIt();
    }
  }

  /** What a driver says that has lost its run. */
  JobException lostIt() {
    return new JobException(
        ExitCode.TEMPORARY,
        "This driver could not renew its lease of the run "
            + runId
            + " for too long, so another may work on it now; what was paid is in the ledger: run"
            + " the same command again");
  }

  /** Renews the mark, or finds that it is lost. */
  synchronized void renew() {
    if (closed || !sure()) {
      return;
    }
    long before = time.now();
    NavigableSet<Long> numbers = marks.numbers();
    boolean ours =
        !numbers.isEmpty()
            && numbers.last() == number
            && marks.read(number).filter(this::isOurs).isPresent();
    if (!ours) {
      lost = true;
      return;
    }
    renewals++;
    marks.replace(number, text());
    // After a pause in between, another may have passed; then this is the mark of a dead driver.
    if (sure()) {
      renewedAt = before;
    }
  }

  /** Who holds the run, for a person: process and host. */
  String driver() {
    return driver(content);
  }

  /** Whose mark it is, for a person. */
  static String driver(JsonNode mark) {
    return mark.path("pid").asLong() + "@" + mark.path("host").asText();
  }

  private void renewByItself() {
    ScheduledExecutorService thread =
        Executors.newSingleThreadScheduledExecutor(
            runnable -> {
              var daemon = new Thread(runnable, "distillery-run-lease");
              daemon.setDaemon(true);
              return daemon;
            });
    renewal = thread;
    var unused =
        thread.scheduleWithFixedDelay(
            this::renewIfItCan, RENEWAL.toMillis(), RENEWAL.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void renewIfItCan() {
    try {
      renew();
    } catch (RuntimeException e) {
      // A failed renewal is made good by the next one; the mark lives through several.
      LoggerFactory.getLogger(RunLease.class)
          .warn("Cannot renew the run's lease: {}", e.toString());
    }
  }

  private String text() {
    content.put("renewals", renewals);
    return content.toString();
  }

  private boolean isOurs(String mark) {
    return parse(mark).path("owner").asText().equals(owner);
  }

  private static JsonNode parse(String mark) {
    try {
      return JSON.readTree(mark);
    } catch (JsonProcessingException e) {
      return JSON.createObjectNode();
    }
  }

  private JobException refused(JsonNode mark) {
    return refused(runId, mark);
  }

  /** What a driver says that finds another one on the run. */
  static JobException refused(String runId, JsonNode mark) {
    return new JobException(
        ExitCode.TEMPORARY,
        "Another driver works on the run "
            + runId
            + ": process "
            + mark.path("pid").asLong()
            + " on "
            + mark.path("host").asText()
            + "; wait for its end, or give another --run-id");
  }

  private void sleep(long millis) {
    try {
      time.sleeper().sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new JobException(ExitCode.TEMPORARY, "Interrupted while waiting for the run " + runId);
    }
  }

  /** Stops renewing and takes the mark away. */
  @Override
  public void close() {
    if (renewal != null) {
      renewal.shutdown();
    }
    synchronized (this) {
      closed = true;
      if (marks.read(number).filter(this::isOurs).isPresent()) {
        marks.delete(number);
      }
    }
  }
}
