package dev.distillery.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Nearest;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.ProgressListener;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.StagedRecipe.Stage;
import dev.distillery.core.run.Summary;
import dev.distillery.spark.job.Job;
import dev.distillery.spark.job.JobCall;
import dev.distillery.spark.warehouse.TableRef;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.apache.spark.sql.SparkSession;

/** One stage of a pipeline, its job's options bound. */
final class PipelineStage<O extends Record, S extends Summary> {
  /** Options that name what a job writes besides tables. */
  private static final List<String> OUTPUTS = List.of("output-dir", "output", "export");

  /** The weight behind a path. */
  private static final Pattern WEIGHT = Pattern.compile("=[0-9.]+$");

  /** Options that are the whole pipeline's. */
  private static final List<String> OURS = List.of("run-id", "warehouse", "dry-run", "overwrite");

  private final Stage stage;
  private final Job<O, S> job;
  private final Map<String, List<String>> given;
  private final O options;

  private PipelineStage(Stage stage, Job<O, S> job, Map<String, List<String>> given, O options) {
    this.stage = stage;
    this.job = job;
    this.given = given;
    this.options = options;
  }

  /**
   * Binds a stage.
   *
   * @param common what the pipeline was told, for each of its stages
   * @param config reads a recipe of options for one job, by its name
   * @param violations receives what is wrong, the stage named
   * @return nothing where something is wrong
   */
  static <O extends Record, S extends Summary> Optional<PipelineStage<O, S>> bind(
      Stage stage,
      Job<O, S> job,
      RunOptions common,
      String runId,
      Function<String, Map<String, List<String>>> config,
      List<String> violations) {
    var wrong = new ArrayList<String>();
    OptionsBinder<O> binder = OptionsBinder.of(job.optionsType());
    var given = new LinkedHashMap<String, List<String>>();
    OptionsBinder.of(RunOptions.class)
        .effective(common)
        .forEach((name, value) -> given.put(name, List.of(value)));
    given.remove("config");
    try {
      stage.values("config").forEach(name -> given.putAll(config.apply(name)));
    } catch (JobException e) {
      wrong.add(String.valueOf(e.getMessage()));
    }
    given.putAll(stage.options());
    given.put("run-id", List.of(runId));
    Collection<String> known = binder.knownNames();
    for (String name : stage.options().keySet()) {
      if (OURS.contains(name)) {
        wrong.add("Option '" + name + "' is the whole pipeline's: give it on the command line");
      } else if (!known.contains(name)) {
        wrong.add("Unknown option '" + name + "' of " + job.name() + Nearest.hint(name, known));
        given.remove(name);
      }
    }
    wrong.addAll(binder.violations(given));
    wrong.forEach(what -> violations.add("Stage " + stage.name() + ": " + what));
    return wrong.isEmpty()
        ? Optional.of(new PipelineStage<>(stage, job, given, binder.bind(given)))
        : Optional.empty();
  }

  String name() {
    return stage.name();
  }

  Job<O, S> job() {
    return job;
  }

  String runId() {
    return given.get("run-id").get(0);
  }

  /** Folders and files that it writes besides tables. */
  List<String> outputs() {
    return OUTPUTS.stream().flatMap(name -> given.getOrDefault(name, List.of()).stream()).toList();
  }

  /** Whether one of its options names what another stage writes. */
  boolean reads(PipelineStage<?, ?> other) {
    return job.inputs(options).stream().anyMatch(ref -> isOf(ref, other.runId()))
        || given.entrySet().stream()
            .filter(option -> !OUTPUTS.contains(option.getKey()))
            .flatMap(option -> option.getValue().stream())
            .anyMatch(other::writes);
  }

  /** Whether a path, perhaps with a weight behind it, is an output or lies in one. */
  boolean writes(String value) {
    String path = WEIGHT.matcher(value).replaceFirst("");
    return outputs().stream().anyMatch(out -> path.equals(out) || path.startsWith(out + "/"));
  }

  private static boolean isOf(TableRef ref, String runId) {
    return ref instanceof TableRef.Named named && named.runId().equals(Optional.of(runId));
  }

  /**
   * Looks at what the options name, but for what other stages have yet to make.
   *
   * @throws JobException with what is wrong
   */
  void check(List<? extends PipelineStage<?, ?>> before) {
    List<? extends PipelineStage<?, ?>> read = before.stream().filter(this::reads).toList();
    if (read.stream().allMatch(stage -> stage.outputs().isEmpty())) {
      // What else the job looks at is there, or will never be.
      var unused = JobCall.of(job, options);
    }
    JobCall.lookForInputs(
        job,
        options,
        ref ->
            read.stream().noneMatch(stage -> isOf(ref, stage.runId()) || stage.writes(ref.text())));
  }

  /**
   * The job, checked as a whole: what it reads must be there by now.
   *
   * @throws JobException with what is wrong
   */
  JobCall<O, S> call() {
    return JobCall.of(job, options);
  }

  /** Runs the job; one that needs Spark in a session with its own settings. */
  S run(
      JobCall<O, S> call,
      Function<Map<String, String>, SparkSession> sessions,
      ProgressListener progress) {
    call.lookForInputs();
    return job.needsSpark()
        ? call.run(sessions.apply(stage.spark()), progress)
        : call.run(progress);
  }

  /** The summary as JSON, under the stage's name. */
  ObjectNode json(Summary summary) {
    return summary.toJson().put("stage", stage.name());
  }
}
