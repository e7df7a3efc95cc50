package dev.distillery.core.run;

import java.util.Arrays;

/** How a job ended, as its process tells its caller. The numbers are a contract with schedulers. */
public enum ExitCode {
  /** Done. */
  DONE(0),
  /** Something that nobody foresaw: a defect. */
  UNEXPECTED(1),
  /** The command line is wrong. */
  USAGE(2),
  /** The configuration or the input is wrong; the same call will fail again. */
  INVALID(3),
  /** A quality gate was not passed. */
  QUALITY_GATE(4),
  /** Part of the work is done: the failure ratio is over its limit, or the budget is spent. */
  PARTIAL(5),
  /** A temporary trouble: the same call may be made again. */
  TEMPORARY(75),
  /** Told to end by Ctrl-C, SIGINT; the run goes on when its command is given again. */
  INTERRUPTED(130),
  /** Told to end by SIGTERM; the run goes on when its command is given again. */
  TERMINATED(143);

  private final int code;

  ExitCode(int code) {
    this.code = code;
  }

  /**
   * The run's status in its summary and record: {@code done}, {@code partial} or {@code failed}.
   */
  public String status() {
    return switch (this) {
      case DONE -> "done";
      case PARTIAL, TEMPORARY, INTERRUPTED, TERMINATED -> "partial";
      case UNEXPECTED, USAGE, INVALID, QUALITY_GATE -> "failed";
    };
  }

  /** The constant of an exit status; what is none of ours is a defect. */
  public static ExitCode of(int code) {
    return Arrays.stream(values())
        .filter(value -> value.code == code)
        .findFirst()
        .orElse(UNEXPECTED);
  }

  /** The process's exit status. */
  public int code() {
    return code;
  }
}
