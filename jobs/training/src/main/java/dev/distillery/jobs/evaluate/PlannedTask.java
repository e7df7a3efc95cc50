package dev.distillery.jobs.evaluate;

import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Nearest;
import dev.distillery.spark.warehouse.TableRef;
import dev.distillery.training.evaluate.EvalTask;
import dev.distillery.training.evaluate.TaskFile;
import dev.distillery.training.evaluate.TaskFiles;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/**
 * A task of a run, its references as the call gives them.
 *
 * @param input rows; empty where a generator makes them
 * @param examples rows of the pool of shots; empty where it is the input
 * @param shots to an item
 */
record PlannedTask(
    TaskFile file, EvalTask task, Optional<String> input, Optional<String> examples, int shots) {

  /**
   * The tasks of a run.
   *
   * @throws JobException with all that is wrong
   */
  static List<PlannedTask> of(EvaluateOptions options, Configuration hadoop) {
    List<String> violations = new ArrayList<>();
    List<PlannedTask> planned = new ArrayList<>();
    Map<String, String> inputs = EvaluateOptions.byTask(options.taskInput());
    Map<String, String> examples = EvaluateOptions.byTask(options.taskExamples());
    for (TaskFile file : TaskFiles.of(options.taskWords(), hadoop)) {
      try {
        EvalTask task = file.task();
        Optional<String> input =
            Optional.ofNullable(inputs.get(task.name())).or(() -> own(file, task));
        if (input.isEmpty() && task.input() instanceof EvalTask.Input.Rows) {
          violations.add(
              "%s: has no 'input': give --task-input %s=FILES%s"
                  .formatted(
                      file.origin(),
                      task.name(),
                      task.about().isEmpty() ? "" : " (" + task.about() + ")"));
        }
        int shots =
            task.isDocument() ? 0 : options.numFewshot().orElse(task.numFewshot().orElse(0));
        if (shots == 0 && examples.containsKey(task.name())) {
          violations.add(
              "Option --task-examples: the task '%s' shows no shots; give --num-fewshot"
                  .formatted(task.name()));
        }
        checkEffect(options, task, shots, violations);
        planned.add(
            new PlannedTask(
                file,
                task,
                input,
                Optional.ofNullable(examples.get(task.name()))
                    .or(() -> task.examples().map(ref -> beside(file, ref))),
                shots));
      } catch (JobException e) {
        violations.add(e.getMessage());
      }
    }
    List<String> names = planned.stream().map(each -> each.task().name()).toList();
    Stream.concat(inputs.keySet().stream(), examples.keySet().stream())
        .filter(name -> !names.contains(name) && violations.isEmpty())
        .forEach(
            name ->
                violations.add(
                    "Options --task-input and --task-examples: no task is called '%s'%s"
                        .formatted(name, Nearest.hint(name, names))));
    names.stream()
        .filter(name -> names.indexOf(name) != names.lastIndexOf(name))
        .distinct()
        .forEach(name -> violations.add("Option --tasks: two tasks are called '" + name + "'"));
    boolean written = planned.stream().anyMatch(each -> each.task().generates());
    if (!written && options.drawn() && violations.isEmpty()) {
      violations.add(
          "Options --samples and --temperature have no effect: no task of --tasks has written"
              + " answers");
    }
    if (planned.isEmpty() && violations.isEmpty()) {
      violations.add("Option --tasks: names no task");
    }
    if (!violations.isEmpty()) {
      throw JobException.invalid(violations);
    }
    return planned;
  }

  /** What a task cannot be asked, and what changes nothing of it. */
  private static void checkEffect(
      EvaluateOptions options, EvalTask task, int shots, List<String> violations) {
    if (!options.student() && !task.generates()) {
      violations.add(
          "Task '%s' needs likelihoods, which --teacher %s does not give: leave it out, or evaluate a"
                  .formatted(task.name(), options.teacher().word())
              + " student by it");
    }
    boolean otherShots = shots > 0 && task.shots() == EvalTask.ShotChoice.DRAWN;
    boolean otherAnswers = task.generates() && options.drawn();
    if (options.repeats() > 1 && !otherShots && !otherAnswers) {
      violations.add(
          "Option --repeats: nothing would differ in task '%s': %s, or leave it out"
              .formatted(
                  task.name(),
                  task.generates() ? "give --num-fewshot or --temperature" : "give --num-fewshot"));
    }
  }

  private static Optional<String> own(TaskFile file, EvalTask task) {
    return task.input() instanceof EvalTask.Input.Rows rows && !rows.ref().isEmpty()
        ? Optional.of(beside(file, rows.ref()))
        : Optional.empty();
  }

  /** A relative path in a task file begins at the file's own folder. */
  private static String beside(TaskFile file, String ref) {
    boolean relative =
        TableRef.parse(ref) instanceof TableRef.Files && !ref.startsWith("/") && !ref.contains(":");
    Path parent = new Path(file.origin()).getParent();
    return relative && parent != null && !parent.toString().isEmpty() ? parent + "/" + ref : ref;
  }

  /** What it reads. */
  List<String> refs() {
    return Stream.of(input, shots > 0 ? examples : Optional.<String>empty())
        .flatMap(Optional::stream)
        .toList();
  }
}
