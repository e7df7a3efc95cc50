package dev.distillery.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.ProgressListener;
import dev.distillery.core.run.RunSummary;
import dev.distillery.core.run.StagedRecipe;
import dev.distillery.core.run.Summary;
import dev.distillery.spark.job.JobCall;
import dev.distillery.spark.warehouse.RunRecord;
import dev.distillery.spark.warehouse.RunRecords;
import dev.distillery.spark.warehouse.Warehouse;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.spark.deploy.SparkHadoopUtil;
import org.jspecify.annotations.Nullable;

/** One call of {@code pipeline}: the plan, the stages one after the other, what they came to. */
final class PipelineRun {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final PipelineOptions options;
  private final String id;
  private final String folder;
  private final StagedRecipe recipe;
  private final List<PipelineStage<?, ?>> stages;
  private final List<PipelineStage<?, ?>> selected;
  private final PrintStream err;
  private final ProgressListener progress;
  private final RunRecords records;
  private final List<ObjectNode> summaries = new ArrayList<>();
  private int made;
  private final long started = System.nanoTime();

  /**
   * @param folder where the page goes
   * @param stages all of the recipe's
   * @param selected those of them that this call is to run
   * @param progress is told how far each is
   */
  PipelineRun(
      PipelineOptions options,
      String id,
      String folder,
      StagedRecipe recipe,
      List<PipelineStage<?, ?>> stages,
      List<PipelineStage<?, ?>> selected,
      PrintStream err,
      ProgressListener progress) {
    this.options = options;
    this.id = id;
    this.folder = folder;
    this.recipe = recipe;
    this.stages = stages;
    this.selected = selected;
    this.err = err;
    this.progress = progress;
    var hadoop = SparkHadoopUtil.get().conf();
    this.records = new RunRecords(Warehouse.at(options.run().warehouse(), hadoop));
  }

  private void say(String line) {
    err.println("[pipeline] " + line);
    err.flush();
  }

  /**
   * Runs the stages until one does not end well, and prints what all came to.
   *
   * @throws JobException where one did not
   */
  ExitCode perform(PrintStream out) {
    plan();
    @Nullable JobException failure = null;
    try (var sessions = new StageSessions(PipelineCommand.NAME + " " + id)) {
      for (PipelineStage<?, ?> stage : selected) {
        RunSummary ended = perform(stage, sessions).run();
        if (ended.exitCode() != ExitCode.DONE) {
          throw new JobException(
              ended.exitCode(), "Stage " + stage.name() + ": " + ended.message());
        }
      }
    } catch (JobException e) {
      failure = e;
    } catch (RuntimeException | Error e) {
      var unexpected = new JobException(ExitCode.UNEXPECTED, e.toString(), e);
      out.println(json(unexpected, Optional.empty()));
      throw e;
    }
    Optional<String> page = options.run().dryRun() ? Optional.empty() : page();
    page.ifPresent(path -> say("What each stage came to: " + path));
    out.println(json(failure, page));
    if (failure != null) {
      throw failure.saying(withCommand(failure));
    }
    return ExitCode.DONE;
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

  private <O extends Record, S extends Summary> Summary perform(
      PipelineStage<O, S> stage, StageSessions sessions) {
    int number = stages.indexOf(stage) + 1;
    String place = "Stage %s of %s, %s".formatted(number, stages.size(), stage.name());
    if (options.run().dryRun() && !isPlannable(stage)) {
      say(place + ": can be planned when what it reads is there");
      return RunSummary.begun(stage.job().name(), stage.runId());
    }
    try {
      JobCall<O, S> call = stage.call();
      Optional<S> ended = call.ended();
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
      S summary = stage.run(call, sessions::with, progress);
      made++;
      keep(stage, summary, false);
      return summary;
    } catch (JobException e) {
      throw e.saying("Stage " + stage.name() + ": " + e.getMessage());
    }
  }

  /** A stage whose result this one reads, and that ended after this one had begun. */
  private Optional<String> newer(PipelineStage<?, ?> stage) {
    Instant begun = time(records.find(stage.runId()).orElseThrow().startedAt());
    return stages.subList(0, stages.indexOf(stage)).stream()
        .filter(stage::reads)
        .filter(read -> done(read).filter(run -> time(run.finishedAt()).isAfter(begun)).isPresent())
        .map(PipelineStage::name)
        .findFirst();
  }

  /** A record of an older version may have none. */
  private static Instant time(String text) {
    return text.isEmpty() ? Instant.MIN : Instant.parse(text);
  }

  private Optional<RunRecord> done(PipelineStage<?, ?> stage) {
    return records.find(stage.runId()).filter(RunRecord::done);
  }

  private boolean isPlannable(PipelineStage<?, ?> stage) {
    return stages.subList(0, stages.indexOf(stage)).stream()
        .filter(stage::reads)
        .allMatch(read -> done(read).isPresent());
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

  private ObjectNode json(@Nullable JobException failure, Optional<String> page) {
    ExitCode code = failure == null ? ExitCode.DONE : failure.exitCode();
    ObjectNode json = JSON.createObjectNode();
    json.put("job", PipelineCommand.NAME).put("run_id", id);
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
