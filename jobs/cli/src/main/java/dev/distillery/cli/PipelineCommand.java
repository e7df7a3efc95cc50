package dev.distillery.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.run.Command;
import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Manual;
import dev.distillery.core.run.Nearest;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.ProgressListener;
import dev.distillery.core.run.Recipe;
import dev.distillery.core.run.RunId;
import dev.distillery.core.run.RunSummary;
import dev.distillery.core.run.StagedRecipe;
import dev.distillery.core.run.StagedRecipe.Stage;
import dev.distillery.core.run.Summary;
import dev.distillery.spark.job.Job;
import dev.distillery.spark.job.ProcessStop;
import dev.distillery.spark.warehouse.RunRecord;
import dev.distillery.spark.warehouse.RunRecords;
import dev.distillery.spark.warehouse.Warehouse;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.deploy.SparkHadoopUtil;
import org.jspecify.annotations.Nullable;

/** Runs the stages of a recipe, each a job, one after the other; see {@link #manual}. */
final class PipelineCommand implements PlainCommand<PipelineOptions> {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String OUT = "out";

  private final Map<String, Command<?>> commands;
  private final PrintStream err;
  private final Clock clock;

  /**
   * @param commands all of the command line, by name
   */
  PipelineCommand(Map<String, Command<?>> commands, PrintStream err, Clock clock) {
    this.commands = commands;
    this.err = err;
    this.clock = clock;
  }

  @Override
  public String name() {
    return "pipeline";
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
    var run = new Run(options, id, folder, recipe, stages, selected);
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

  /** One call of the command. */
  private final class Run {
    private final PipelineOptions options;
    private final String id;
    private final String folder;
    private final StagedRecipe recipe;
    private final List<PipelineStage<?, ?>> stages;
    private final List<PipelineStage<?, ?>> selected;
    private final RunRecords records;
    private final List<ObjectNode> summaries = new ArrayList<>();
    private int made;
    private final long started = System.nanoTime();

    Run(
        PipelineOptions options,
        String id,
        String folder,
        StagedRecipe recipe,
        List<PipelineStage<?, ?>> stages,
        List<PipelineStage<?, ?>> selected) {
      this.options = options;
      this.id = id;
      this.folder = folder;
      this.recipe = recipe;
      this.stages = stages;
      this.selected = selected;
      var hadoop = SparkHadoopUtil.get().conf();
      this.records = new RunRecords(Warehouse.at(options.run().warehouse(), hadoop));
    }

    private void say(String line) {
      err.println("[pipeline] " + line);
      err.flush();
    }

    ExitCode perform(PrintStream out) {
      plan();
      ExitCode code = ExitCode.DONE;
      String message = "";
      @Nullable JobException failure = null;
      try (var sessions = new StageSessions("pipeline " + id)) {
        for (int i = 0; i < selected.size() && code == ExitCode.DONE; i++) {
          PipelineStage<?, ?> stage = selected.get(i);
          Summary summary = perform(stage, sessions);
          code = summary.run().exitCode();
          message = summary.run().message();
          if (code != ExitCode.DONE) {
            failure = new JobException(code, "Stage " + stage.name() + ": " + message);
          }
        }
      } catch (JobException e) {
        failure = e;
        code = e.exitCode();
      } catch (RuntimeException | Error e) {
        var unexpected = new JobException(ExitCode.UNEXPECTED, e.toString(), e);
        out.println(json(ExitCode.UNEXPECTED, unexpected, Optional.empty()));
        throw e;
      }
      Optional<String> page = options.run().dryRun() ? Optional.empty() : page();
      page.ifPresent(path -> say("What each stage came to: " + path));
      out.println(json(code, failure, page));
      if (failure != null) {
        throw failure.saying(withCommand(failure));
      }
      return code;
    }

    private void plan() {
      say("Run " + id + " of " + options.recipe() + ", models and page in " + folder);
      recipe.about().lines().forEach(this::say);
      recipe.variables().forEach((name, value) -> say("  " + name + " = " + value));
      for (PipelineStage<?, ?> stage : stages) {
        Optional<RunRecord> record = records.find(stage.runId());
        String state =
            !selected.contains(stage)
                ? "left out of this call"
                : record
                    .map(known -> known.done() ? "done" : known.status() + ", goes on")
                    .orElse("to run");
        say("  " + stage.name() + ": " + stage.job().name() + ", " + state);
      }
      recipe.notYet().forEach(what -> say("  not yet: " + what));
    }

    private <S extends Summary> Summary perform(PipelineStage<?, S> stage, StageSessions sessions) {
      int number = stages.indexOf(stage) + 1;
      String place = "Stage %d of %d, %s".formatted(number, stages.size(), stage.name());
      if (options.run().dryRun() && !isPlannable(stage)) {
        say(place + ": can be planned when what it reads is there");
        return RunSummary.begun(stage.job().name(), stage.runId());
      }
      try {
        Optional<S> ended = stage.ended();
        Optional<String> newer = ended.isPresent() ? newer(stage) : Optional.empty();
        if (ended.isPresent() && newer.isEmpty()) {
          say(place + ": done already");
          keep(stage, ended.get(), true);
          return ended.get();
        }
        if (ended.isPresent() && !options.run().overwrite()) {
          throw JobException.invalid(
              "Its run is done, of what "
                  + newer.get()
                  + " had made before; --overwrite makes it again");
        }
        say(place + ": " + stage.job().name() + ", run " + stage.runId());
        S summary = stage.run(sessions::with, ProgressListener.on(err));
        made++;
        keep(stage, summary, false);
        return summary;
      } catch (JobException e) {
        throw e.saying("Stage " + stage.name() + ": " + e.getMessage());
      }
    }

    /** A stage whose result this one reads, and that ended after this one had begun. */
    private Optional<String> newer(PipelineStage<?, ?> stage) {
      Instant begun = Instant.parse(records.find(stage.runId()).orElseThrow().startedAt());
      return stages.subList(0, stages.indexOf(stage)).stream()
          .filter(stage::reads)
          .filter(
              read ->
                  records
                      .find(read.runId())
                      .filter(record -> Instant.parse(record.finishedAt()).isAfter(begun))
                      .isPresent())
          .map(PipelineStage::name)
          .findFirst();
    }

    private boolean isPlannable(PipelineStage<?, ?> stage) {
      return stages.subList(0, stages.indexOf(stage)).stream()
          .filter(stage::reads)
          .allMatch(read -> records.find(read.runId()).filter(RunRecord::done).isPresent());
    }

    private void keep(PipelineStage<?, ?> stage, Summary summary, boolean before) {
      ObjectNode json = stage.json(summary);
      json.put("passed_over", before);
      summaries.add(json);
      if (options.run().dryRun()) {
        say(stage.name() + ": " + json.path("figures"));
      }
    }

    /** Writes the page of what there is; a trouble with it ends nothing. */
    private Optional<String> page() {
      try {
        return Optional.of(
            PipelinePage.write(folder, options.recipe() + ", run " + id, recipe, stages, records));
      } catch (IOException | RuntimeException e) {
        say("The page could not be written: " + e.getMessage());
        return Optional.empty();
      }
    }

    private ObjectNode json(ExitCode code, @Nullable JobException failure, Optional<String> page) {
      ObjectNode json = JSON.createObjectNode();
      json.put("job", name()).put("run_id", id);
      json.put("status", options.run().dryRun() && failure == null ? "dry-run" : code.status());
      ObjectNode tables = json.putObject("tables");
      ObjectNode rejects = json.putObject("rejects");
      double cost = 0;
      for (ObjectNode summary : summaries) {
        String stage = summary.path("stage").asText();
        summary
            .path("tables")
            .properties()
            .forEach(table -> tables.set(stage + "." + table.getKey(), table.getValue()));
        summary
            .path("rejects")
            .properties()
            .forEach(rule -> rejects.set(stage + "." + rule.getKey(), rule.getValue()));
        cost += summary.path("figures").path("cost_usd").asDouble();
      }
      ObjectNode figures = json.putObject("figures");
      figures.put("stages", stages.size());
      figures.put("stages_run", made);
      figures.put("cost_usd", cost);
      json.put("seconds", Math.round((System.nanoTime() - started) / 1e6) / 1e3);
      page.ifPresent(path -> json.put("page", path));
      if (failure != null) {
        json.put("exit_code", code.code()).put("message", String.valueOf(failure.getMessage()));
      }
      json.putArray("stages").addAll(summaries);
      return json;
    }

    /** What went wrong, and that the same command goes on. */
    private String withCommand(JobException failure) {
      return failure.exitCode() == ExitCode.INVALID || failure.exitCode() == ExitCode.USAGE
          ? String.valueOf(failure.getMessage())
          : failure.getMessage()
              + "; the same command with --run-id "
              + id
              + " goes on from that stage";
    }
  }
}
