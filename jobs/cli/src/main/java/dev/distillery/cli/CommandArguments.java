package dev.distillery.cli;

import dev.distillery.core.run.Command;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Nearest;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.Recipe;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.hadoop.fs.Path;
import org.apache.spark.deploy.SparkHadoopUtil;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/**
 * What a command was told: the words of its command line over those of a recipe, by option; and its
 * help.
 */
final class CommandArguments<O extends Record> {
  private static final String RUN_ID = "--run-id";

  /** Words that no shell changes. */
  private static final Pattern SAFE = Pattern.compile("[\\p{L}\\p{N}_@%+=:,./-]+");

  private final Command<O> command;
  private final Collection<String> commands;
  private final OptionsBinder<O> binder;

  /**
   * @param commands all commands' names, which may be sections of a recipe
   */
  CommandArguments(Command<O> command, Collection<String> commands) {
    this.command = command;
    this.commands = commands;
    this.binder = OptionsBinder.of(command.optionsType());
  }

  /**
   * The command that goes on with a run, for a shell.
   *
   * @param words of the command line behind the job
   */
  static String again(String job, List<String> words, String runId) {
    var all = new ArrayList<>(List.of("distillery", job));
    all.addAll(words);
    if (words.stream().noneMatch(word -> word.equals(RUN_ID) || word.startsWith(RUN_ID + "="))) {
      all.addAll(List.of(RUN_ID, runId));
    }
    String command = all.stream().map(CommandArguments::quoted).collect(Collectors.joining(" "));
    // The launcher tells what it has kept for Spark.
    String spark = System.getenv("DISTILLERY_SPARK_WORDS");
    return spark == null || spark.isEmpty() ? command : command + " -- " + spark;
  }

  private static String quoted(String word) {
    return SAFE.matcher(word).matches() ? word : "'" + word.replace("'", "'\\''") + "'";
  }

  OptionsBinder<O> binder() {
    return binder;
  }

  String help() {
    return commandLine().getUsageMessage();
  }

  private CommandLine commandLine() {
    CommandSpec spec = CommandSpec.create().name("distillery " + command.name());
    spec.usageMessage()
        .description(command.purpose())
        .customSynopsis(
            "distillery "
                + command.name()
                + command
                    .bareWord()
                    .map(name -> " " + name.toUpperCase(java.util.Locale.ROOT))
                    .orElse("")
                + " [options] [-- spark options]")
        .footer(("\n" + command.manual().text().strip()).replace("%", "%%"))
        .sortOptions(false)
        .width(100);
    binder.addTo(spec);
    return new CommandLine(spec)
        .setUnmatchedArgumentsAllowed(true)
        .setTrimQuotes(false)
        .setExpandAtFiles(false);
  }

  /**
   * The values of each option that was given.
   *
   * @throws JobException with all that is wrong, where a word is not understood
   */
  Map<String, List<String>> read(List<String> args) {
    ParseResult parsed;
    try {
      parsed = commandLine().parseArgs(args.toArray(String[]::new));
    } catch (ParameterException e) {
      throw JobException.usage(List.of(String.valueOf(e.getMessage())));
    }
    var fromCommandLine = new LinkedHashMap<String, List<String>>();
    for (OptionSpec option : parsed.matchedOptions()) {
      fromCommandLine.put(
          option.longestName().substring(2), List.copyOf(option.originalStringValues()));
    }
    List<String> options = binder.names().stream().map(name -> "--" + name).toList();
    var violations = new ArrayList<String>();
    for (String unmatched : parsed.unmatched()) {
      String name = unmatched.replaceFirst("=.*", "");
      if (unmatched.startsWith("-")) {
        violations.add("Unknown option '" + name + "'" + Nearest.hint(name, options));
      } else if (command.bareWord().isEmpty()
          || fromCommandLine.putIfAbsent(command.bareWord().get(), List.of(unmatched)) != null) {
        violations.add("Unexpected word '" + unmatched + "': every value follows an option");
      }
    }
    var given = new LinkedHashMap<String, List<String>>();
    for (String recipe : fromCommandLine.getOrDefault("config", List.of())) {
      given.putAll(
          Recipe.read(
              recipe,
              recipeText("--config", recipe),
              command.name(),
              commands,
              binder.knownNames()));
    }
    given.putAll(fromCommandLine);
    if (!violations.isEmpty()) {
      violations.addAll(binder.violations(given));
      throw JobException.usage(violations);
    }
    return given;
  }

  /**
   * A recipe by path or URI, or one of those that are packaged, by name.
   *
   * @param option that names it, for messages
   */
  static String recipeText(String option, String recipe) {
    try (var packaged =
        CommandArguments.class.getResourceAsStream("/recipes/" + recipe + ".yaml")) {
      if (packaged != null) {
        return new String(packaged.readAllBytes(), StandardCharsets.UTF_8);
      }
      Path path = new Path(recipe);
      try (var in = path.getFileSystem(SparkHadoopUtil.get().conf()).open(path)) {
        return new String(in.readNBytes(1 << 20), StandardCharsets.UTF_8);
      }
    } catch (FileNotFoundException e) {
      throw JobException.invalid(
          "Option "
              + option
              + ": no file at '"
              + recipe
              + "', and no packaged recipe of that name");
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read " + recipe + ": " + e.getMessage(), e);
    }
  }
}
