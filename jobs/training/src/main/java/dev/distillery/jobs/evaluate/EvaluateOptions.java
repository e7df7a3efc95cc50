package dev.distillery.jobs.evaluate;

import dev.distillery.core.dialogue.TemplateOptions;
import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.OnlyWith;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.Required;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.Tunable;
import dev.distillery.core.run.Validated;
import dev.distillery.core.run.WithBuilder;
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
 * @param model students to evaluate
 * @param tasks packaged tasks, groups of them, or task files
 * @param taskInput rows of tasks, over those that their files name
 * @param taskExamples pools of shots, over those that the files name
 * @param numFewshot shots to an item; empty takes the task's own
 * @param limit most items of a task
 * @param applyChatTemplate whether prompts are turns of a dialogue
 * @param fewshotAsMultiturn whether shots are turns too
 * @param template chat template
 * @param templateInputs what the model's own template is told beside the dialogue
 * @param concurrency answers written at once
 * @param output file of a page
 */
@WithBuilder
public record EvaluateOptions(
    RunOptions run,
    @Required("name a Hugging Face directory or a GGUF file")
        @Option(
            names = "--model",
            paramLabel = "DIR_OR_GGUF",
            description =
                "Student: a Hugging Face directory or a GGUF file. May be given again: all are"
                    + " asked the same.")
        List<String> model,
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
    @OnlyWith(option = "--apply-chat-template")
        @Option(
            names = "--fewshot-as-multiturn",
            defaultValue = "false",
            description = "Write each shot as a turn of its own.")
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
    @Tunable
        @Bounds(atLeast = 1)
        @Option(
            names = "--concurrency",
            paramLabel = "N",
            defaultValue = "16",
            description = "Requests at once in the whole run.")
        int concurrency,
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
    List<Path> models = model.stream().map(EvaluateOptions::place).toList();
    for (int i = 0; i < models.size(); i++) {
      if (models.indexOf(models.get(i)) < i) {
        violations.add("Option --model: " + model.get(i) + " is given twice; leave one out");
      }
    }
    given.forEach((option, values) -> byTaskViolations(option, values, violations));
    if (!applyChatTemplate && templateInputs.given()) {
      violations.add(
          "Options --template-args and --template-date are told to a chat template: give"
              + " --apply-chat-template too, or leave them out");
    }
    return violations;
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
