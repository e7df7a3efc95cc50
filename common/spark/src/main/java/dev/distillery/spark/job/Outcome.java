package dev.distillery.spark.job;

import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.Summary;
import java.util.Optional;

/**
 * How a job's own part of a run ended. Only what is done is published; whatever else keeps its
 * ledger and its summary, and shows no rows.
 *
 * @param exitCode {@link ExitCode#DONE}, or why the job stopped
 * @param message why it stopped and what to do; empty where it is done
 * @param summary counts so far, made over {@link JobRun#summary}; the frame tells the rest
 * @param rows where the rows of the input went; every job that reads or writes tables tells it
 * @param <S> the job's summary
 */
public record Outcome<S extends Summary>(
    ExitCode exitCode, String message, S summary, Optional<RowAccount> rows) {

  /** The end of a run that has written its tables. */
  public static <S extends Summary> Outcome<S> done(S summary, RowAccount rows) {
    return new Outcome<>(ExitCode.DONE, "", summary, Optional.of(rows));
  }

  /** The end of a dry run, or of a job that neither reads nor writes tables. */
  public static <S extends Summary> Outcome<S> done(S summary) {
    return new Outcome<>(ExitCode.DONE, "", summary, Optional.empty());
  }

  /** The end of a run that may go on when it is given the same id again, or that has failed. */
  public static <S extends Summary> Outcome<S> stopped(
      ExitCode exitCode, String message, S summary) {
    return new Outcome<>(exitCode, message, summary, Optional.empty());
  }

  /** The same end, with what is known of the rows so far. */
  public Outcome<S> with(RowAccount soFar) {
    return new Outcome<>(exitCode, message, summary, Optional.of(soFar));
  }

  /** The same end by another code. */
  Outcome<S> endingWith(ExitCode other) {
    return new Outcome<>(other, message, summary, rows);
  }
}
