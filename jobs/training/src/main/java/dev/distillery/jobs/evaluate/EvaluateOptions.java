package dev.distillery.jobs.evaluate;

import dev.distillery.core.dialogue.TemplateOptions;
import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.OnlyWith;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.Required;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.Validated;
import dev.distillery.core.run.WithBuilder;
import dev.distillery.core.teacher.TeacherAccessOptions;
import dev.distillery.core.teacher.TeacherKind;
import dev.distillery.core.teacher.TeacherOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/**
 * What the evaluate job can be told.
 *
 * @param run what every job can be told
 * @param model models to evaluate
 * @param teacher kind of them
 * @param access how a teacher is reached, how fast, and for how much
 * @param tasks packaged tasks, groups of them, or task files
 * @param taskInput rows of tasks, over those that their files name
 * @param taskExamples pools of shots, over those that the files name
 * @param numFewshot shots to an item; empty takes the task's own
 * @param limit most items of a task
 * @param applyChatTemplate whether prompts are turns of a dialogue
 * @param fewshotAsMultiturn whether shots are turns too
 * @param template chat template
 * @param templateInputs what the model's own template is told beside the dialogue
 * @param samples answers to each item of a task that is written
 * @param temperature of sampling; empty is greedy, and 1 where there are several samples
 * @param repeats of the whole, with other shots and samples
 * @param output file of a page
 */
@WithBuilder
public record EvaluateOptions(
    RunOptions run,
    @Option(
            names = "--model",
            paramLabel = "NAME_OR_PATH",
            description =
                "Student: a Hugging Face directory or a GGUF file. Other teachers: the model's name"
                    + " on the server, or path of a file. May be given again: all are asked the"
                    + " same.")
        List<String> model,
    @Option(
            names = "--teacher",
            defaultValue = "student",
            description =
                "Kind of the models: student, whose likelihoods are known, or any other, which can"
                    + " be asked tasks with written answers.")
        TeacherKind teacher,
    TeacherAccessOptions access,
    @Required("name a packaged task, such as arithmetic-2da, or a task file")
        @Option(
            names = "--tasks",
            paramLabel = "NAME_OR_FILE,…",
            description =
                "Packaged tasks, groups of them (gpt-papers, all of GPT-1 to GPT-3), or YAML"
                    + " files; parted by commas, and may be given again.")
        List<String> tasks,
    @Option(
            names = "--task-input",
            paramLabel = "TASK=REF",
            description =
                "Rows of a task: a table, table@run_id, or files of JSONL or Parquet. May be given"
                    + " again. Default: what the task file names.")
        List<String> taskInput,
    @Option(
            names = "--task-examples",
            paramLabel = "TASK=REF",
            description = "Rows that a task's shots are drawn from. May be given again.")
        List<String> taskExamples,
    @Bounds(atLeast = 0, atMost = 1000)
        @Option(
            names = "--num-fewshot",
            paramLabel = "K",
            description = "Shots before each item. Default: the task's own, else none.")
        Optional<Integer> numFewshot,
    @Bounds(atLeast = 1)
        @Option(
            names = "--limit",
            paramLabel = "N",
            description = "Items of each task, drawn by the seed. Default: all.")
        Optional<Integer> limit,
    @Option(
            names = "--apply-chat-template",
            defaultValue = "false",
            description = "Write prompts as turns of the model's chat template.")
        boolean applyChatTemplate,
    @Option(
            names = "--fewshot-as-multiturn",
            defaultValue = "false",
            description =
                "Write each shot as a turn of its own; with --apply-chat-template, or another"
                    + " teacher that is asked in chat.")
        boolean fewshotAsMultiturn,
    @OnlyWith(option = "--apply-chat-template")
        @Option(
            names = "--template",
            paramLabel = "NAME",
            defaultValue = "",
            description =
                "Chat template that --apply-chat-template writes: chatml, smollm2, llama3, llama2,"
                    + " vicuna, koala, alpaca or stack-qa. Default: the model's own.")
        String template,
    TemplateOptions templateInputs,
    @Bounds(atLeast = 1)
        @Option(
            names = "--samples",
            paramLabel = "K",
            defaultValue = "1",
            description = "Answers to each row or item, each a request of its own.")
        int samples,
    @Bounds(atLeast = 0)
        @Option(
            names = "--temperature",
            paramLabel = "X",
            description = "0 is greedy. Default: 0, with several --samples 1.")
        Optional<Double> temperature,
    @Bounds(atLeast = 1, atMost = 100)
        @Option(
            names = "--repeats",
            paramLabel = "R",
            defaultValue = "1",
            description =
                "Evaluate the items so often, each time with other shots and samples; figures are"
                    + " means, and have a standard deviation between repeats.")
        int repeats,
    @Option(
            names = "--output",
            paramLabel = "FILE.html",
            description =
                "Page of the figures: the models side by side, published figures beside, and score"
                    + " by size; must not be there yet, but with --overwrite.")
        Optional<String> output)
    implements Validated {
  /** Named setters over the declared defaults. */
  public static EvaluateOptionsBuilder builder() {
    return EvaluateOptionsBuilder.builder(OptionsBinder.defaults(EvaluateOptions.class));
  }

  @Override
  public List<String> violations() {
    List<String> violations = new ArrayList<>(templateInputs.violations());
    Map<String, List<String>> given =
        Map.of("--task-input", taskInput, "--task-examples", taskExamples);
    List<String> all = models();
    if (all.isEmpty()) {
      violations.add(
          "Option --model is required: name "
              + (student() ? "a Hugging Face directory or a GGUF file" : "the teacher's model"));
    }
    List<Path> models = all.stream().map(EvaluateOptions::place).toList();
    for (int i = 0; i < models.size(); i++) {
      if (models.indexOf(models.get(i)) < i) {
        violations.add("Option --model: " + all.get(i) + " is given twice; leave one out");
      }
    }
    given.forEach((option, values) -> byTaskViolations(option, values, violations));
    if (student()) {
      studentViolations(violations);
    } else {
      teacherViolations(violations);
    }
    if (samples > 1 && temperature().equals(Optional.of(0.0))) {
      violations.add(
          "Option --temperature: expected more than 0 with several --samples, which would be the"
              + " same, found 0");
    }
    return violations;
  }

  private void studentViolations(List<String> violations) {
    if (fewshotAsMultiturn && !applyChatTemplate) {
      violations.add(
          "Option --fewshot-as-multiturn has no effect in plain text: give --apply-chat-template"
              + " too, or leave it out");
    }
    if (access.api() != TeacherAccessOptions.Api.CHAT) {
      violations.add(
          "Option --api has no effect with --teacher student: leave it out; --apply-chat-template"
              + " says how a student is asked");
    }
    if (!applyChatTemplate && templateInputs.given()) {
      violations.add(
          "Options --template-args and --template-date are told to a chat template: give"
              + " --apply-chat-template too, or leave them out");
    }
  }

  private void teacherViolations(List<String> violations) {
    models().forEach(each -> violations.addAll(asked(each).violations()));
    violations.addAll(asked("").costlierRequests("--samples", "the task's max_new_tokens"));
    if (applyChatTemplate) {
      violations.add(
          "Option --apply-chat-template has no effect with --teacher %s, which has a template of its"
                  .formatted(teacher.word())
              + " own: leave it out; --api completions asks in plain text");
    }
    if (fewshotAsMultiturn && !inDialogue()) {
      violations.add(
          "Option --fewshot-as-multiturn has no effect with --api completions: leave it out");
    }
  }

  /** Whether the models are students. */
  boolean student() {
    return teacher == TeacherKind.STUDENT;
  }

  /** The models that are asked. */
  List<String> models() {
    return model.isEmpty() ? teacher.defaultModel().stream().toList() : model;
  }

  /** Whether items are shown as dialogues. */
  boolean inDialogue() {
    return student() ? applyChatTemplate : access.api() == TeacherAccessOptions.Api.CHAT;
  }

  /** How a model is asked to write. */
  TeacherOptions asked(String name) {
    return TeacherOptions.builder()
        .teacher(teacher)
        .model(Optional.of(name))
        .chatTemplate(template.isEmpty() ? Optional.empty() : Optional.of(template))
        .template(templateInputs)
        .access(access)
        .build();
  }

  /** The temperature that answers are written at. */
  double writtenAt() {
    return temperature.orElse(samples > 1 ? 1.0 : 0.0);
  }

  /** Whether answers are drawn. */
  boolean drawn() {
    return writtenAt() > 0;
  }

  private static void byTaskViolations(
      String option, List<String> values, List<String> violations) {
    Set<String> names = new HashSet<>();
    for (String value : values) {
      if (value.indexOf('=') < 1 || value.endsWith("=")) {
        violations.add("Option " + option + ": expected TASK=REF, found '" + value + "'");
      } else if (!names.add(value.substring(0, value.indexOf('=')))) {
        violations.add(
            "Option %s: the task of '%s' is given twice; leave one out".formatted(option, value));
      }
    }
  }

  private static Path place(String model) {
    return Path.of(model).toAbsolutePath().normalize();
  }

  /** Each task that was named, in order. */
  List<String> taskWords() {
    return tasks.stream()
        .flatMap(words -> Stream.of(words.split(",", -1)))
        .map(String::strip)
        .filter(word -> !word.isEmpty())
        .distinct()
        .toList();
  }

  /** References by the task that they are for. */
  static Map<String, String> byTask(List<String> values) {
    Map<String, String> refs = new LinkedHashMap<>();
    values.forEach(
        value ->
            refs.put(
                value.substring(0, value.indexOf('=')), value.substring(value.indexOf('=') + 1)));
    return refs;
  }
}
