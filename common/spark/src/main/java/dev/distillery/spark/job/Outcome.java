package dev.distillery.spark.job;

import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.Figures;

/**
 * How a job's body ended. Only what is done is published; whatever else keeps its ledger and its
 * figures, and shows no rows.
 *
 * @param exitCode {@link ExitCode#DONE}, or why the job stopped
 * @param message why it stopped and what to do; empty where it is done
 * @param figures counts so far
 */
public record Outcome(ExitCode exitCode, String message, Figures figures) {
  public static Outcome done(Figures figures) {
    return new Outcome(ExitCode.DONE, "", figures);
  }

  public static Outcome stopped(ExitCode exitCode, String message, Figures figures) {
    return new Outcome(exitCode, message, figures);
  }
}
