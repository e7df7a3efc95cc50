package dev.distillery.core.run;

import java.util.List;
import java.util.Optional;

/**
 * A job that ends for a reason that its user can understand and act on. The command line prints the
 * message in a frame, without a stack trace, and ends with the exit code.
 */
public final class JobException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Causes that are followed; a chain may lead back into itself. */
  private static final int MOST_CAUSES = 50;

  private final ExitCode exitCode;

  public JobException(ExitCode exitCode, String message) {
    super(message);
    this.exitCode = exitCode;
  }

  public JobException(ExitCode exitCode, String message, Throwable cause) {
    super(message, cause);
    this.exitCode = exitCode;
  }

  /** The configuration or the input is wrong: {@link ExitCode#INVALID}. */
  public static JobException invalid(String message) {
    return new JobException(ExitCode.INVALID, message);
  }

  /** The exception of this kind that a failure was caused by, as Spark wraps those of its tasks. */
  public static Optional<JobException> within(Throwable failure) {
    int depth = 0;
    for (Throwable at = failure; at != null && depth < MOST_CAUSES; at = at.getCause()) {
      if (at instanceof JobException known) {
        return Optional.of(known);
      }
      depth++;
    }
    return Optional.empty();
  }

  /** Several things are wrong at once; all are listed. */
  public static JobException invalid(List<String> violations) {
    return invalid(listed(violations));
  }

  /** The command line is wrong: {@link ExitCode#USAGE}. */
  public static JobException usage(List<String> violations) {
    return new JobException(ExitCode.USAGE, listed(violations));
  }

  /** The same end in other words. */
  public JobException saying(String message) {
    var other = new JobException(exitCode, message, getCause());
    other.setStackTrace(getStackTrace());
    return other;
  }

  public ExitCode exitCode() {
    return exitCode;
  }

  /** One violation as it is, several as a list with a line each. */
  private static String listed(List<String> violations) {
    return violations.size() == 1
        ? violations.get(0)
        : violations.size() + " problems:\n  - " + String.join("\n  - ", violations);
  }
}
