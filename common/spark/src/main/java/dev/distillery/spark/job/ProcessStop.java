package dev.distillery.spark.job;

import dev.distillery.core.run.ExitCode;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.hadoop.util.ShutdownHookManager;
import org.jspecify.annotations.Nullable;

/**
 * That this process is to end. The command line tells it of signals, so that the JVM lives until
 * its runs are closed; where nobody does, as in a user's own program, the JVM's going down tells
 * it, and is held up until then. Safe for use by several threads.
 */
public final class ProcessStop {
  /** The one of this JVM. */
  public static final ProcessStop PROCESS = new ProcessStop();

  /** Above Spark's own hook, whose priority is that of the file systems' (10) and 30 more. */
  private static final int PRIORITY = 100;

  private static final long LONGEST_SECONDS = TimeUnit.HOURS.toSeconds(1);

  /** Why a process ends. */
  public enum Cause {
    SIGTERM(ExitCode.TERMINATED, "SIGTERM"),
    SIGINT(ExitCode.INTERRUPTED, "SIGINT (Ctrl-C)"),
    /** The JVM goes down, and nobody tells of signals here. */
    EXIT(ExitCode.TEMPORARY, "the end of its JVM"),
    /** The JVM goes down without a signal: Spark ends it where a task runs out of memory. */
    FATAL(
        ExitCode.UNEXPECTED,
        "the end of its JVM, most likely for lack of memory (give it more: -- --driver-memory 8g)");

    private final ExitCode exitCode;
    private final String words;

    Cause(ExitCode exitCode, String words) {
      this.exitCode = exitCode;
      this.words = words;
    }

    /** How a run ends that was stopped so. */
    public ExitCode exitCode() {
      return exitCode;
    }

    /** What it is, for a person. */
    public String words() {
      return words;
    }
  }

  /** Something that must come to its end before the JVM may. */
  @FunctionalInterface
  public interface Held extends AutoCloseable {
    @Override
    void close();
  }

  private final Runnable hook = this::holdUp;
  private final Set<Object> held = new HashSet<>();
  private final Set<RunStop> runs = new HashSet<>();
  private @Nullable Cause cause;
  private boolean anyRun;
  private boolean toldOfSignals;
  private boolean goingDown;
  private volatile Consumer<RunStop> force = run -> {};

  ProcessStop() {}

  /**
   * Tells every run of this process to end; the first cause stands.
   *
   * @return whether there has been a run, so that it is for that to end
   */
  public synchronized boolean request(Cause why) {
    if (cause == null) {
      cause = why;
      runs.forEach(run -> run.begin(why));
    }
    return anyRun;
  }

  /** Whether the JVM is going down already, so that nobody can end it in another way. */
  public synchronized boolean goingDown() {
    return goingDown;
  }

  /**
   * Somebody tells this of every signal.
   *
   * @param end ends the process under a run that has not come to its end in time
   */
  public synchronized void toldOfSignals(Consumer<RunStop> end) {
    toldOfSignals = true;
    force = end;
  }

  /** Holds up the JVM's end until the result is closed; for what comes after a run. */
  public Held hold() {
    var token = new Object();
    hold(token);
    return () -> release(token);
  }

  void register(RunStop run) {
    Cause already;
    synchronized (this) {
      runs.add(run);
      anyRun = true;
      already = cause;
    }
    hold(run);
    if (already != null) {
      run.begin(already);
    }
  }

  void unregister(RunStop run) {
    synchronized (this) {
      runs.remove(run);
    }
    release(run);
  }

  void force(RunStop run) {
    force.accept(run);
  }

  private synchronized void hold(Object token) {
    if (held.isEmpty() && !ShutdownHookManager.get().isShutdownInProgress()) {
      ShutdownHookManager.get().addShutdownHook(hook, PRIORITY, LONGEST_SECONDS, TimeUnit.SECONDS);
    }
    held.add(token);
  }

  private synchronized void release(Object token) {
    held.remove(token);
    if (held.isEmpty() && !ShutdownHookManager.get().isShutdownInProgress()) {
      ShutdownHookManager.get().removeShutdownHook(hook);
    }
    notifyAll();
  }

  private void holdUp() {
    synchronized (this) {
      var unused = request(toldOfSignals ? Cause.FATAL : Cause.EXIT);
      goingDown = true;
      try {
        while (!held.isEmpty() && runs.stream().noneMatch(RunStop::overdue)) {
          wait(100);
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
