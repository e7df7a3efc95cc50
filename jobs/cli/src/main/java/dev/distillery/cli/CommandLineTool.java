package dev.distillery.cli;

import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Nearest;
import dev.distillery.spark.job.Job;
import java.io.PrintStream;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import java.util.TreeMap;

/**
 * Reads the command's first word and hands over. Prints what a job throws in a frame and turns it
 * into an exit code.
 */
final class CommandLineTool {
  private static final String RULE = "-".repeat(72);

  private final PrintStream out;
  private final PrintStream err;
  private final Clock clock;
  private final TreeMap<String, Job<?>> jobs = new TreeMap<>();

  CommandLineTool(PrintStream out, PrintStream err, Clock clock) {
    this.out = out;
    this.err = err;
    this.clock = clock;
    for (Job<?> job : ServiceLoader.load(Job.class)) {
      jobs.put(job.name(), job);
    }
  }

  /** Runs one command; returns its exit code. */
  int run(String[] args) {
    String command = args.length == 0 ? "--help" : args[0];
    try {
      return dispatch(command, Arrays.asList(args).subList(Math.min(1, args.length), args.length))
          .code();
    } catch (JobException e) {
      frame(command, e.exitCode(), String.valueOf(e.getMessage()));
      if (e.exitCode() == ExitCode.UNEXPECTED) {
        e.printStackTrace(err);
      }
      return e.exitCode().code();
    } catch (RuntimeException | Error e) {
      // An error too must end the process: a native thread may keep it alive.
      frame(command, ExitCode.UNEXPECTED, e.getClass().getSimpleName() + ": " + e.getMessage());
      e.printStackTrace(err);
      return ExitCode.UNEXPECTED.code();
    }
  }

  private ExitCode dispatch(String command, List<String> rest) {
    return switch (command) {
      case "--help", "-h", "help", "list" -> {
        usage();
        yield ExitCode.DONE;
      }
      case "show" -> new ShowCommand(out).run(rest);
      default -> {
        Job<?> job = jobs.get(command);
        if (job == null) {
          var known = new ArrayList<>(jobs.keySet());
          known.addAll(List.of("show", "list"));
          throw JobException.usage(
              List.of("Unknown job '" + command + "'" + Nearest.hint(command, known)));
        }
        yield new JobCommand<>(job, List.copyOf(jobs.keySet()), out, err, clock).run(rest);
      }
    };
  }

  private void usage() {
    out.println("distillery <job> [options] [-- spark options]");
    out.println();
    int width = jobs.keySet().stream().map(String::length).max(Comparator.naturalOrder()).orElse(4);
    jobs.forEach(
        (name, job) -> out.printf("  %-" + Math.max(width, 4) + "s  %s%n", name, job.purpose()));
    out.printf(
        "  %-" + Math.max(width, 4) + "s  %s%n",
        "show",
        "Print a table's schema, its run, and some rows.");
    out.println();
    out.println("distillery <job> --help tells a job's options, tables and an example.");
  }

  private void frame(String command, ExitCode code, String message) {
    err.println(RULE);
    err.println("distillery " + command + ": " + message);
    err.println("(exit " + code.code() + ")");
    err.println(RULE);
    err.flush();
  }
}
