package dev.distillery.cli;

import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.NativeWork;
import dev.distillery.spark.job.ProcessStop;
import dev.distillery.spark.job.ProcessStop.Cause;
import dev.distillery.spark.job.RunStop;
import java.io.IOException;
import java.io.PrintStream;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.spark.util.SignalUtils;

/**
 * What SIGTERM and Ctrl-C do to a job: the first lets it come to its end, a second ends the process
 * at once. What comes within a second of the first is the first: {@code timeout}, and whoever else
 * signals a process and then its group, tells a job twice.
 */
final class Signals {
  private static final long ONE_SIGNAL_NANOS = TimeUnit.SECONDS.toNanos(1);

  private static final long START = System.nanoTime();

  /** Nanoseconds behind {@link #START} when the first came; 0 before it. */
  private static final AtomicLong FIRST = new AtomicLong();

  private static volatile Optional<ExitCode> chosen = Optional.empty();

  private Signals() {}

  /**
   * Takes the signals over, for the rest of the process's life.
   *
   * @param err where a person is told
   */
  static void handle(String command, ProcessStop process, PrintStream err) {
    process.toldOfSignals(run -> force(command, run, err));
    take("TERM", command, Cause.SIGTERM, process, err);
    take("INT", command, Cause.SIGINT, process, err);
  }

  /** The exit code that a user has chosen for a process that a signal ends. */
  static void endWith(Optional<ExitCode> code) {
    chosen = code;
  }

  private static void take(
      String signal, String command, Cause cause, ProcessStop process, PrintStream err) {
    SignalUtils.register(
        signal,
        () -> {
          ExitCode code = chosen.orElse(cause.exitCode());
          long now = System.nanoTime() - START + 1;
          if (!FIRST.compareAndSet(0, now)) {
            if (now - FIRST.get() > ONE_SIGNAL_NANOS) {
              end(code);
            }
          } else if (!process.request(cause)) {
            Frame.print(
                err, command, code, "Stopped by " + cause.words() + " before any work was done");
            end(code);
          }
          return true;
        });
  }

  private static void force(String command, RunStop run, PrintStream err) {
    Frame.print(
        err,
        command,
        run.exitCode(),
        run.words()
            + ", and ended by force, as the job did not end by itself in time; give the run id "
            + run.runId()
            + " again to go on");
    end(run.exitCode());
  }

  /** Ends the process without any more work, and without a crash of what native code does. */
  private static void end(ExitCode code) {
    if (NativeWork.atWork()) {
      try {
        new ProcessBuilder("kill", "-KILL", "" + ProcessHandle.current().pid()).start().waitFor();
      } catch (IOException e) {
        // There is no such command here.
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    Runtime.getRuntime().halt(code.code());
  }
}
