package dev.distillery.cli;

import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.ProgressListener;
import dev.distillery.core.run.RunId;
import dev.distillery.core.run.RunSummary;
import dev.distillery.core.run.Summary;
import dev.distillery.spark.job.Job;
import dev.distillery.spark.job.JobCall;
import dev.distillery.spark.job.ProcessStop;
import java.io.PrintStream;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One job from the command line: the command line over the recipe over the defaults, everything
 * that is wrong listed before Spark starts, and the summary as the last line of standard output.
 */
final class JobCommand<O extends Record, S extends Summary> {
  private final Job<O, S> job;
  private final CommandArguments<O> arguments;
  private final PrintStream out;
  private final PrintStream err;
  private final ProgressListener progress;
  private final Clock clock;

  JobCommand(
      Job<O, S> job,
      CommandArguments<O> arguments,
      PrintStream out,
      PrintStream err,
      ProgressListener progress,
      Clock clock) {
    this.job = job;
    this.arguments = arguments;
    this.out = out;
    this.err = err;
    this.progress = progress;
    this.clock = clock;
  }

  ExitCode run(List<String> args) {
    OptionsBinder<O> binder = arguments.binder();
    Map<String, List<String>> given = arguments.read(args);
    given.computeIfAbsent("run-id", name -> List.of(RunId.create(clock)));
    binder.warnings(given).forEach(warning -> err.println("[" + job.name() + "] " + warning));
    O options = binder.bind(given);
    Signals.endWith(job.runOptions(options).exitOnSignal().map(ExitCode::of));
    JobCall<O, S> call = JobCall.of(job, options);
    call.lookForInputs();
    String runId = given.get("run-id").get(0);
    try (ProcessStop.Held printed = ProcessStop.PROCESS.hold()) {
      return run(call, args, runId);
    }
  }

  private ExitCode run(JobCall<O, S> call, List<String> args, String runId) {
    S summary;
    try {
      summary =
          job.needsSpark()
              ? Sessions.with(job.name() + " " + runId, spark -> call.run(spark, progress))
              : call.run(progress);
    } catch (JobException e) {
      out.println(RunSummary.failed(job.name(), runId, e, 0).toJson());
      throw e.saying(withCommand(e.exitCode(), e.getMessage(), args, runId));
    } catch (RuntimeException | Error e) {
      var unexpected = new JobException(ExitCode.UNEXPECTED, e.toString(), e);
      out.println(RunSummary.failed(job.name(), runId, unexpected, 0).toJson());
      throw e;
    }
    out.println(summary.toJson());
    ExitCode code = summary.run().exitCode();
    if (code != ExitCode.DONE) {
      Frame.print(err, job.name(), code, withCommand(code, summary.run().message(), args, runId));
    }
    return code;
  }

  /** What went wrong, and the command that goes on, where the same one does. */
  private String withCommand(
      ExitCode code, @Nullable String message, List<String> args, String runId) {
    return switch (code) {
      case TEMPORARY, INTERRUPTED, TERMINATED ->
          message
              + (String.valueOf(message).endsWith("to go on") ? ": " : "; to go on: ")
              + CommandArguments.again(job.name(), args, runId);
      case DONE, UNEXPECTED, USAGE, INVALID, QUALITY_GATE, PARTIAL -> String.valueOf(message);
    };
  }
}
