package dev.distillery.spark.fanout;

import dev.distillery.core.run.ExitCode;
import java.io.Serializable;

/**
 * Why a run ends before its end. What has been answered stays in the ledger.
 *
 * @param exitCode {@code PARTIAL} where a budget is spent or too many requests fail, {@code
 *     TEMPORARY} where the server refuses for too long, {@code INVALID} where every further request
 *     would fail
 * @param message what happened, and what to do
 * @param abandons whether what is in flight is not waited for; it counts as lost
 */
public record FanoutStop(ExitCode exitCode, String message, boolean abandons)
    implements Serializable {
  /** A stop that waits for what is in flight: it is paid. */
  public FanoutStop(ExitCode exitCode, String message) {
    this(exitCode, message, false);
  }

  /** The same stop, which waits no longer. */
  FanoutStop abandoning() {
    return new FanoutStop(exitCode, message, true);
  }
}
