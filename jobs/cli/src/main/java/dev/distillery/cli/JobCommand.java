package dev.distillery.cli;

import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.JobSummary;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.RunId;
import dev.distillery.spark.job.Job;
import java.io.PrintStream;
import java.time.Clock;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * One job from the command line: the command line over the recipe over the defaults, everything
 * that is wrong listed before Spark starts, and the summary as the last line of standard output.
 */
final class JobCommand<O extends Record> {
  private final Job<O> job;
  private final CommandArguments<O> arguments;
  private final PrintStream out;
  private final PrintStream err;
  private final Clock clock;

  JobCommand(
      Job<O> job, CommandArguments<O> arguments, PrintStream out, PrintStream err, Clock clock) {
    this.job = job;
    this.arguments = arguments;
    this.out = out;
    this.err = err;
    this.clock = clock;
  }

  ExitCode run(List<String> args) {
    OptionsBinder<O> binder = arguments.binder();
    Map<String, List<String>> given = arguments.read(args);
    given.computeIfAbsent("run-id", name -> List.of(RunId.create(clock)));
    binder.warnings(given).forEach(warning -> err.println("[" + job.name() + "] " + warning));
    O options = binder.bind(given);
    job.check(options);
    String runId = given.get("run-id").get(0);
    JobSummary summary;
    try {
      summary = Sessions.with(job.name() + " " + runId, spark -> job.run(spark, options));
    } catch (JobException e) {
      out.println(failed(runId, e));
      throw e;
    } catch (RuntimeException | Error e) {
      out.println(failed(runId, new JobException(ExitCode.UNEXPECTED, e.toString(), e)));
      throw e;
    }
    out.println(summary);
    return switch (summary.status()) {
      case "done", "dry-run" -> ExitCode.DONE;
      default -> ending(summary);
    };
  }

  /** A run that stopped tells its exit code in its summary. */
  private ExitCode ending(JobSummary summary) {
    Object code = summary.members().get("exit_code");
    ExitCode exit =
        Arrays.stream(ExitCode.values())
            .filter(value -> Integer.valueOf(value.code()).equals(code))
            .findFirst()
            .orElse(ExitCode.UNEXPECTED);
    err.println("[" + job.name() + "] " + summary.members().get("message"));
    return exit;
  }

  private JobSummary failed(String runId, JobException e) {
    return new JobSummary(
        job.name(),
        runId,
        e.exitCode().status(),
        Map.of(),
        Map.of(),
        Map.of(),
        Map.of("message", String.valueOf(e.getMessage()), "exit_code", e.exitCode().code()),
        0);
  }
}
