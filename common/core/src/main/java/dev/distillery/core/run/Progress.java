package dev.distillery.core.run;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.Timer;
import java.util.TimerTask;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Tells how far a job is: an update when a phase starts, at most one every {@code interval} while
 * it goes on, or as rarely as the listener wants them, and one when it ends. Safe for use by
 * several threads.
 */
public final class Progress {
  /** Where nothing changes, a line now and then says that the job lives. */
  private static final Duration HEARTBEAT = Duration.ofSeconds(15);

  private final String job;
  private final ProgressListener listener;
  private final Clock clock;
  private final Duration interval;

  private String phase = "";
  private String unit = "";
  private OptionalLong total = OptionalLong.empty();
  private Instant phaseStart = Instant.EPOCH;
  private Instant lastLine = Instant.EPOCH;
  private String lastState = "";
  private long firstDone;

  /**
   * @param job part of every update
   * @param interval least time between two updates of one phase
   */
  public Progress(String job, ProgressListener listener, Clock clock, Duration interval) {
    this.job = job;
    this.listener = listener;
    this.clock = clock;
    this.interval = interval;
  }

  /** Progress by the system's clock, an update every two seconds at most. */
  public Progress(String job, ProgressListener listener) {
    this(job, listener, Clock.systemUTC(), Duration.ofSeconds(2));
  }

  /** Progress on standard error. */
  public static Progress onStandardError(String job) {
    return new Progress(job, ProgressListener.standardError());
  }

  /** One line that stands by itself. */
  public synchronized void say(String line) {
    listener.update(new ProgressListener.Update(job, "", 0, OptionalLong.empty(), "", line));
  }

  /**
   * Begins a phase whose size is known or not; {@code done} may be above 0 where a run is resumed.
   */
  public synchronized void start(
      String newPhase, String newUnit, OptionalLong newTotal, long done) {
    phase = newPhase;
    unit = newUnit;
    total = newTotal;
    phaseStart = clock.instant();
    lastLine = phaseStart;
    firstDone = done;
    tell(done, "");
  }

  /**
   * Tells how far the phase is, if it is time for a line; {@code detail} holds errors, cost and the
   * like.
   */
  public synchronized void update(long done, String detail) {
    Instant now = clock.instant();
    Duration quiet = Duration.between(lastLine, now);
    Duration wanted = listener.distance(Duration.between(phaseStart, now));
    String state = done + detail;
    boolean due = !state.equals(lastState) || quiet.compareTo(HEARTBEAT) >= 0;
    if (due && quiet.compareTo(interval) >= 0 && quiet.compareTo(wanted) >= 0) {
      lastLine = now;
      lastState = state;
      tell(done, detail);
    }
  }

  /**
   * Tells how far the phase is by itself, from a thread of its own, until it is closed.
   *
   * @param done what is done now; asked from that thread
   * @param detail errors, cost and the like; asked from that thread
   */
  public Ticking follow(LongSupplier done, Supplier<String> detail) {
    var timer = new Timer("distillery-progress", true);
    timer.schedule(
        new TimerTask() {
          @Override
          public void run() {
            update(done.getAsLong(), detail.get());
          }
        },
        interval.toMillis(),
        Math.max(1, interval.toMillis() / 4));
    return timer::cancel;
  }

  /** Ends what {@link #follow} began. */
  @FunctionalInterface
  public interface Ticking extends AutoCloseable {
    @Override
    void close();
  }

  /** Ends the phase with a line. */
  public synchronized void finish(long done, String detail) {
    tell(done, detail);
  }

  private void tell(long done, String detail) {
    listener.update(new ProgressListener.Update(job, phase, done, total, unit, line(done, detail)));
  }

  private String line(long done, String detail) {
    double seconds = Duration.between(phaseStart, clock.instant()).toMillis() / 1000.0;
    double rate = seconds > 0 ? (done - firstDone) / seconds : 0;
    var text = new StringBuilder(phase).append(": ").append(done);
    if (total.isPresent()) {
      text.append('/').append(total.getAsLong());
    }
    text.append(' ').append(unit);
    if (rate > 0) {
      text.append(String.format(Locale.ROOT, ", %.1f/s", rate));
      if (total.isPresent() && total.getAsLong() > done) {
        text.append(", ").append(human((total.getAsLong() - done) / rate)).append(" left");
      }
    }
    if (!detail.isEmpty()) {
      text.append(", ").append(detail);
    }
    return text.toString();
  }

  /** A time as a person reads it: {@code 45 s}, {@code 3 min 20 s}, {@code 2 h 5 min}. */
  static String human(double seconds) {
    long whole = Math.round(seconds);
    if (whole < 60) {
      return whole + " s";
    }
    return whole < 3600
        ? whole / 60 + " min " + whole % 60 + " s"
        : whole / 3600 + " h " + whole % 3600 / 60 + " min";
  }
}
