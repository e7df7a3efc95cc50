package dev.distillery.cli;

import dev.distillery.core.run.Command;
import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Manual;
import dev.distillery.core.run.Nearest;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.ProgressListener;
import dev.distillery.core.run.Recipe;
import dev.distillery.core.run.RunId;
import dev.distillery.core.run.StagedRecipe;
import dev.distillery.core.run.StagedRecipe.Stage;
import dev.distillery.spark.job.Job;
import dev.distillery.spark.job.ProcessStop;
import java.io.PrintStream;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Runs the stages of a recipe, each a job, one after the other; see {@link #manual}. */
final class PipelineCommand implements PlainCommand<PipelineOptions> {
  static final String NAME = "pipeline";

  private static final String OUT = "out";

  private final Map<String, Command<?>> commands;
  private final PrintStream err;
  private final ProgressListener progress;
  private final Clock clock;

  /**
   * @param commands all of the command line, by name
   */
  PipelineCommand(
      Map<String, Command<?>> commands, PrintStream err, ProgressListener progress, Clock clock) {
    this.commands = commands;
    this.err = err;
    this.progress = progress;
    this.clock = clock;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public String purpose() {
    return "Run the stages of a recipe, from public files or a teacher to a trained student.";
  }

  @Override
  public Manual manual() {
    return Manual.of(
        """
        A recipe names stages in their order, each a job with its options; it has variables, and
        settings that give them values. A stage's run is RUN_ID.STAGE. All options of all stages are
        checked before anything starts, and the plan is printed. A stage whose run is done with the
        same options and inputs is passed over; one that stopped goes on; with others than before it
        is refused, or with --overwrite made again, and all that stands on it. --dry-run plans each
        stage whose inputs are there. The stages share one Spark application, but for those with
        settings of their own. A page tells what each came to: rows, rejects, figures, curves,
        answers.
        """,
        "a recipe, and what its stages read.",
        "what its stages write, and OUT/pipeline.html.",
        "distillery pipeline --recipe alpaca --run-id a1 --dry-run",
        "distillery pipeline --recipe alpaca --run-id a1 --set setting=full --only student");
  }

  @Override
  public Class<PipelineOptions> optionsType() {
    return PipelineOptions.class;
  }

  @Override
  public ExitCode run(PipelineOptions options, PrintStream out) {
    String id = options.run().runId().orElseGet(() -> RunId.create(clock));
    var common = new LinkedHashMap<>(options.values());
    String folder = common.getOrDefault(OUT, "out/" + id);
    common.remove(OUT);
    Map<String, String> builtIn =
        Map.of("run", id, "warehouse", options.run().warehouse(), OUT, folder);
    String text = CommandArguments.recipeText("--recipe", options.recipe());
    StagedRecipe recipe = StagedRecipe.read(options.recipe(), text, common, builtIn);
    List<PipelineStage<?, ?>> stages = bind(recipe, options, id);
    List<PipelineStage<?, ?>> selected = select(stages, options);
    check(selected);
    Signals.endWith(options.run().exitOnSignal().map(ExitCode::of));
    var run = new PipelineRun(options, id, folder, recipe, stages, selected, err, progress);
    try (ProcessStop.Held printed = ProcessStop.PROCESS.hold()) {
      return run.perform(out);
    }
  }

  /**
   * Binds all stages.
   *
   * @throws JobException with all that is wrong in any of them
   */
  List<PipelineStage<?, ?>> bind(StagedRecipe recipe, PipelineOptions options, String id) {
    var violations = new ArrayList<String>();
    var stages = new ArrayList<PipelineStage<?, ?>>();
    for (Stage stage : recipe.stages()) {
      if (commands.get(stage.job()) instanceof Job<?, ?> job) {
        PipelineStage.bind(
                stage,
                job,
                options.run(),
                StagedRecipe.runId(id, stage.name()),
                config -> config(config, job),
                violations)
            .ifPresent(stages::add);
      } else {
        List<String> jobs =
            commands.entrySet().stream()
                .filter(each -> each.getValue() instanceof Job)
                .map(Map.Entry::getKey)
                .toList();
        violations.add(
            "Stage %s: no job '%s'%s"
                .formatted(stage.name(), stage.job(), Nearest.hint(stage.job(), jobs)));
      }
    }
    if (!violations.isEmpty()) {
      throw JobException.invalid(violations);
    }
    return stages;
  }

  private static void check(List<PipelineStage<?, ?>> selected) {
    var violations = new ArrayList<String>();
    for (int i = 0; i < selected.size(); i++) {
      try {
        selected.get(i).check(selected.subList(0, i));
      } catch (JobException e) {
        violations.add("Stage " + selected.get(i).name() + ": " + e.getMessage());
      }
    }
    if (!violations.isEmpty()) {
      throw JobException.invalid(violations);
    }
  }

  private Map<String, List<String>> config(String name, Job<?, ?> job) {
    return Recipe.read(
        name,
        CommandArguments.recipeText("--config", name),
        job.name(),
        commands.keySet(),
        OptionsBinder.of(job.optionsType()).knownNames());
  }

  private static List<PipelineStage<?, ?>> select(
      List<PipelineStage<?, ?>> stages, PipelineOptions options) {
    List<String> names = stages.stream().map(PipelineStage::name).toList();
    var violations = new ArrayList<String>();
    options.from().flatMap(x -> Nearest.expected("--from", x, names)).ifPresent(violations::add);
    options.to().flatMap(x -> Nearest.expected("--to", x, names)).ifPresent(violations::add);
    options.only().flatMap(x -> Nearest.expected("--only", x, names)).ifPresent(violations::add);
    int from = options.only().or(options::from).map(names::indexOf).orElse(0);
    int to = options.only().or(options::to).map(names::indexOf).orElse(names.size() - 1);
    if (violations.isEmpty() && to < from) {
      violations.add("Option --to: " + names.get(to) + " stands before " + names.get(from));
    }
    if (!violations.isEmpty()) {
      throw JobException.invalid(violations);
    }
    return stages.subList(from, to + 1);
  }
}
