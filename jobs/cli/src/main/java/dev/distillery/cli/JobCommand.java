package dev.distillery.cli;

import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.JobSummary;
import dev.distillery.core.run.Nearest;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.Recipe;
import dev.distillery.core.run.RunId;
import dev.distillery.spark.job.Job;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.fs.Path;
import org.apache.spark.deploy.SparkHadoopUtil;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/**
 * One job from the command line: the command line over the recipe over the defaults, everything
 * that is wrong listed before Spark starts, and the summary as the last line of standard output.
 */
final class JobCommand<O extends Record> {
  private final Job<O> job;
  private final List<String> jobs;
  private final PrintStream out;
  private final PrintStream err;
  private final Clock clock;
  private final OptionsBinder<O> binder;

  JobCommand(Job<O> job, List<String> jobs, PrintStream out, PrintStream err, Clock clock) {
    this.job = job;
    this.jobs = jobs;
    this.out = out;
    this.err = err;
    this.clock = clock;
    this.binder = OptionsBinder.of(job.optionsType());
  }

  ExitCode run(List<String> args) {
    CommandLine commandLine = commandLine();
    if (args.contains("--help") || args.contains("-h")) {
      commandLine.usage(out);
      return ExitCode.DONE;
    }
    Map<String, List<String>> given = read(commandLine, args);
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

  private CommandLine commandLine() {
    CommandSpec spec = CommandSpec.create().name("distillery " + job.name());
    spec.usageMessage()
        .description(job.purpose())
        .customSynopsis("distillery " + job.name() + " [options] [-- spark options]")
        .footer(("\n" + job.manual().strip()).replace("%", "%%"))
        .sortOptions(false)
        .width(100);
    binder.addTo(spec);
    return new CommandLine(spec)
        .setUnmatchedArgumentsAllowed(true)
        .setTrimQuotes(false)
        .setExpandAtFiles(false);
  }

  private Map<String, List<String>> read(CommandLine commandLine, List<String> args) {
    ParseResult parsed;
    try {
      parsed = commandLine.parseArgs(args.toArray(String[]::new));
    } catch (ParameterException e) {
      throw JobException.usage(List.of(String.valueOf(e.getMessage())));
    }
    List<String> options = binder.names().stream().map(name -> "--" + name).toList();
    var violations = new ArrayList<String>();
    for (String unmatched : parsed.unmatched()) {
      String name = unmatched.replaceFirst("=.*", "");
      violations.add(
          unmatched.startsWith("-")
              ? "Unknown option '" + name + "'" + Nearest.hint(name, options)
              : "Unexpected word '" + unmatched + "': every value follows an option");
    }
    var fromCommandLine = new LinkedHashMap<String, List<String>>();
    for (OptionSpec option : parsed.matchedOptions()) {
      fromCommandLine.put(
          option.longestName().substring(2), List.copyOf(option.originalStringValues()));
    }
    var given = new LinkedHashMap<String, List<String>>();
    List<String> recipes = fromCommandLine.getOrDefault("config", List.of());
    for (String recipe : recipes) {
      given.putAll(Recipe.read(recipe, readRecipe(recipe), job.name(), jobs, binder.knownNames()));
    }
    given.putAll(fromCommandLine);
    if (!violations.isEmpty()) {
      violations.addAll(binder.violations(given));
      throw JobException.usage(violations);
    }
    return given;
  }

  /** A recipe by path or URI, or one of those that are packaged, by name. */
  private static String readRecipe(String recipe) {
    try (var packaged = JobCommand.class.getResourceAsStream("/recipes/" + recipe + ".yaml")) {
      if (packaged != null) {
        return new String(packaged.readAllBytes(), StandardCharsets.UTF_8);
      }
      Path path = new Path(recipe);
      try (var in = path.getFileSystem(SparkHadoopUtil.get().conf()).open(path)) {
        return new String(in.readNBytes(1 << 20), StandardCharsets.UTF_8);
      }
    } catch (FileNotFoundException e) {
      throw JobException.invalid(
          "Option --config: no file at '" + recipe + "', and no packaged recipe of that name");
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read " + recipe + ": " + e.getMessage(), e);
    }
  }
}
