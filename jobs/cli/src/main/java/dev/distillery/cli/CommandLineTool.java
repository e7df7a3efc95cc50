package dev.distillery.cli;

import dev.distillery.core.run.Command;
import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Nearest;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.ProgressListener;
import dev.distillery.spark.job.Job;
import java.io.PrintStream;
import java.time.Clock;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import java.util.TreeMap;
import org.apache.spark.deploy.SparkHadoopUtil;

/**
 * Reads the command's first word and hands over. Prints what a job throws in a frame and turns it
 * into an exit code.
 */
final class CommandLineTool {
  private final PrintStream out;
  private final PrintStream err;
  private final ProgressListener progress;
  private final Clock clock;
  private final TreeMap<String, Command<?>> commands = new TreeMap<>();

  /**
   * @param progress is told how far jobs are
   */
  CommandLineTool(PrintStream out, PrintStream err, ProgressListener progress, Clock clock) {
    this.out = out;
    this.err = err;
    this.progress = progress;
    this.clock = clock;
    for (Job<?, ?> job : ServiceLoader.load(Job.class)) {
      commands.put(job.name(), job);
    }
    var pipeline = new PipelineCommand(commands, err, progress, clock);
    for (PlainCommand<?> command : List.of(new ShowCommand(), new RunsCommand(), pipeline)) {
      commands.put(command.name(), command);
    }
  }

  /** Runs one command; returns its exit code. */
  int run(String[] args) {
    String command = args.length == 0 ? "--help" : args[0];
    try {
      return dispatch(command, Arrays.asList(args).subList(Math.min(1, args.length), args.length))
          .code();
    } catch (JobException e) {
      Frame.print(err, command, e.exitCode(), String.valueOf(e.getMessage()));
      if (e.exitCode() == ExitCode.UNEXPECTED && e.getCause() != null) {
        e.printStackTrace(err);
      }
      return e.exitCode().code();
    } catch (RuntimeException | Error e) {
      // An error too must end the process: a native thread may keep it alive.
      Frame.print(
          err, command, ExitCode.UNEXPECTED, e.getClass().getSimpleName() + ": " + e.getMessage());
      e.printStackTrace(err);
      return ExitCode.UNEXPECTED.code();
    }
  }

  private ExitCode dispatch(String word, List<String> rest) {
    if (List.of("--help", "-h", "help", "list").contains(word)) {
      usage();
      return ExitCode.DONE;
    }
    if (word.equals("commands")) {
      commands.values().forEach(command -> out.println(needs(command)));
      return ExitCode.DONE;
    }
    Command<?> command = commands.get(word);
    if (command == null) {
      throw JobException.usage(
          List.of("Unknown job '" + word + "'" + Nearest.hint(word, commands.keySet())));
    }
    return run(command, rest);
  }

  private <O extends Record> ExitCode run(Command<O> command, List<String> rest) {
    var arguments = new CommandArguments<>(command, commands.keySet());
    if (rest.contains("--help") || rest.contains("-h")) {
      out.print(arguments.help());
      return ExitCode.DONE;
    }
    // Before any file system is opened: each is opened once.
    StoreRetries.bound(SparkHadoopUtil.get().conf());
    if (command instanceof Job<O, ?> job) {
      return new JobCommand<>(job, arguments, out, err, progress, clock).run(rest);
    }
    O options = arguments.binder().bind(arguments.read(rest));
    return ((PlainCommand<O>) command).run(options, out);
  }

  /** A line of the list that the launcher reads: what a command needs of it. */
  private static String needs(Command<?> command) {
    boolean waits = OptionsBinder.of(command.optionsType()).names().contains("teacher");
    return command.name()
        + (command.needsSpark() ? " spark" : " plain")
        + (waits ? " waits" : " computes")
        + (command instanceof PipelineCommand ? " all" : "");
  }

  /** All commands, by name. */
  Collection<Command<?>> commands() {
    return commands.values();
  }

  private void usage() {
    out.println("distillery <job> [options] [-- spark options]");
    out.println();
    int width =
        commands.keySet().stream().map(String::length).max(Comparator.naturalOrder()).orElse(4);
    commands.forEach(
        (name, command) -> out.printf("  %-" + width + "s  %s%n", name, command.purpose()));
    out.println();
    out.println("distillery <job> --help tells a job's options, tables and an example.");
  }
}
