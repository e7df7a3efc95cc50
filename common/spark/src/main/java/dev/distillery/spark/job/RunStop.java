package dev.distillery.spark.job;

import dev.distillery.core.run.ExitCode;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Whether one run is to end, and what becomes of its work then: parts that end by themselves and
 * keep what came ({@link #endsItself}) get the time of grace; all else, and they after it, is
 * broken off. Safe for use by several threads.
 */
public final class RunStop implements AutoCloseable {
  /** What is broken off gets so long to come to its end. */
  static final Duration LAST = Duration.ofSeconds(15);

  /** A part that has learnt that the grace is over needs a moment to keep its books. */
  private static final Duration SETTLING = Duration.ofSeconds(2);

  private static final long TICK_MILLIS = 100;

  /** Work that ends by itself once the run is to end, or that may be broken off then. */
  @FunctionalInterface
  public interface Part extends AutoCloseable {
    @Override
    void close();
  }

  private final ProcessStop process;
  private final String runId;
  private final Duration grace;
  private final Optional<ExitCode> exitCode;
  private final Runnable breakOff;
  private final LongSupplier millis;
  private ProcessStop.@Nullable Cause cause;
  private @Nullable Thread breakable;
  private boolean interrupted;
  private int endingThemselves;

  /** Whether such a part was at work when the run was told; what follows it may be done too. */
  private boolean endsItself;

  private long begun;
  private volatile boolean brokenOff;
  private volatile Runnable lastWords = () -> {};
  private boolean closed;

  private RunStop(
      ProcessStop process,
      String runId,
      Duration grace,
      Optional<ExitCode> exitCode,
      Runnable breakOff,
      LongSupplier millis) {
    this.process = process;
    this.runId = runId;
    this.grace = grace;
    this.exitCode = exitCode;
    this.breakOff = breakOff;
    this.millis = millis;
  }

  /**
   * That of a run, until it is closed.
   *
   * @param exitCode of a run that was stopped; empty where the cause says it
   * @param breakOff ends what Spark does for the run; called again and again
   */
  static RunStop of(
      ProcessStop process,
      String runId,
      Duration grace,
      Optional<ExitCode> exitCode,
      Runnable breakOff) {
    return of(
        process,
        runId,
        grace,
        exitCode,
        breakOff,
        () -> TimeUnit.NANOSECONDS.toMillis(System.nanoTime()));
  }

  /** As above, by any clock. */
  static RunStop of(
      ProcessStop process,
      String runId,
      Duration grace,
      Optional<ExitCode> exitCode,
      Runnable breakOff,
      LongSupplier millis) {
    var stop = new RunStop(process, runId, grace, exitCode, breakOff, millis);
    process.register(stop);
    return stop;
  }

  /** Whether the run is to end. */
  public synchronized boolean requested() {
    return cause != null;
  }

  /** Whether the time of grace is over, so that nothing is waited for any more. */
  public synchronized boolean expired() {
    return cause != null && millis.getAsLong() - begun >= grace.toMillis();
  }

  /** Whether what is at work was ended from outside. */
  boolean brokenOff() {
    return brokenOff;
  }

  /** Parts that end by themselves are told first that the grace is over. */
  private synchronized boolean mayBreakOff() {
    boolean mayEndItself = endsItself || endingThemselves > 0;
    return cause != null
        && (!mayEndItself || millis.getAsLong() - begun >= grace.plus(SETTLING).toMillis());
  }

  /** Whether the run should have ended by now, whatever it does. */
  synchronized boolean overdue() {
    return cause != null && millis.getAsLong() - begun >= grace.plus(LAST).toMillis();
  }

  public String runId() {
    return runId;
  }

  /** How the run ends. */
  public synchronized ExitCode exitCode() {
    return exitCode.orElseGet(() -> Objects.requireNonNull(cause).exitCode());
  }

  /** What has ended the run, as the beginning of a sentence. */
  public synchronized String words() {
    return "Stopped by " + Objects.requireNonNull(cause).words();
  }

  /**
   * A part that looks at {@link #requested} and ends by itself, keeping what came: it is broken off
   * only where it outlasts the grace.
   */
  public Part endsItself() {
    synchronized (this) {
      endingThemselves++;
    }
    return () -> {
      synchronized (this) {
        endingThemselves--;
      }
    };
  }

  /** A part of this thread's work that may be interrupted; what comes after it is not. */
  Part breakable() {
    synchronized (this) {
      breakable = Thread.currentThread();
    }
    return () -> {
      synchronized (this) {
        breakable = null;
        if (interrupted) {
          var unused = Thread.interrupted();
          interrupted = false;
        }
      }
    };
  }

  /** What is left to do for a run that does not come to its end. */
  void lastWords(Runnable record) {
    lastWords = record;
  }

  /** The run is to end: a thread of its own sees to it. */
  synchronized void begin(ProcessStop.Cause why) {
    if (cause != null || closed) {
      return;
    }
    cause = why;
    begun = millis.getAsLong();
    endsItself = endingThemselves > 0;
    var thread = new Thread(this::watch, "distillery-stop-" + runId);
    thread.setDaemon(true);
    thread.start();
  }

  private void watch() {
    boolean forced = false;
    while (!isClosed()) {
      if (mayBreakOff()) {
        brokenOff = true;
        breakOff.run();
        interruptOnce();
      }
      if (!forced && overdue()) {
        forced = true;
        try {
          lastWords.run();
        } finally {
          process.force(this);
        }
      }
      try {
        Thread.sleep(TICK_MILLIS);
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  private synchronized boolean isClosed() {
    return closed;
  }

  private synchronized void interruptOnce() {
    if (breakable != null && !interrupted) {
      interrupted = true;
      breakable.interrupt();
    }
  }

  /** The run has come to its end and is recorded. */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
    }
    process.unregister(this);
  }
}
