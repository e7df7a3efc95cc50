package dev.distillery.core.run;

import java.io.PrintStream;
import java.util.OptionalLong;

/**
 * Is told how far a job is, one call at a time but from any thread. It should return at once and
 * must not throw.
 */
@FunctionalInterface
public interface ProgressListener {
  void update(Update update);

  /**
   * One thing that a job has to tell.
   *
   * @param job the job's name
   * @param phase what it does; empty for a line that stands by itself
   * @param done units done of the phase
   * @param total units of the phase, where they are known
   * @param unit what is counted
   * @param line all of it as a person reads it, with rate, time left, errors and cost
   */
  record Update(
      String job, String phase, long done, OptionalLong total, String unit, String line) {}

  /** Prints each update as a line behind the job's name. */
  static ProgressListener on(PrintStream out) {
    return update -> {
      out.println("[" + update.job() + "] " + update.line());
      out.flush();
    };
  }

  /** What the command line uses. */
  static ProgressListener standardError() {
    return on(System.err);
  }
}
