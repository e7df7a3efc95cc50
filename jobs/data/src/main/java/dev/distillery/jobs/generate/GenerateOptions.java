package dev.distillery.jobs.generate;

import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.Validated;
import dev.distillery.core.teacher.TeacherOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/**
 * What job `generate` can be told.
 *
 * @param recipe which system's steps and rules
 * @param seedTasks file in the Self-Instruct format; empty takes the packaged 175
 * @param promptTemplates folder of texts in place of the packaged prompts
 * @param numInstructions distinct tasks that survive every filter; seeds not counted
 * @param requestsPerRound requests whose replies are judged together, in their order; part of the
 *     result
 * @param maxIdleRounds rounds in a row that may keep nothing before the run ends
 * @param temperature of the requests for new tasks
 * @param topP of the requests for new tasks
 * @param rougeThreshold ROUGE-L F above which an instruction is too similar to one of the pool
 * @param tokenizer of the similarity: {@code rouge} (ASCII, as rouge_score) or {@code unicode}
 * @param strictParity whether the original's own rules hold where ours differ
 * @param outputLicense SPDX expression of the rows that are made
 */
public record GenerateOptions(
    RunOptions run,
    TeacherOptions teacher,
    @Option(
            names = "--recipe",
            paramLabel = "self-instruct|alpaca",
            defaultValue = "self-instruct",
            description = "Whose steps and rules.")
        RecipeName recipe,
    @Option(
            names = "--seed-tasks",
            paramLabel = "FILE",
            description =
                "Seed tasks, JSONL in the Self-Instruct format; default: the packaged 175.")
        Optional<String> seedTasks,
    @Option(
            names = "--prompt-templates",
            paramLabel = "DIR",
            description = "Folder of prompt texts that replace the packaged ones of the same name.")
        Optional<String> promptTemplates,
    @Option(
            names = "--num-instructions",
            paramLabel = "N",
            defaultValue = "100",
            description = "Distinct tasks that survive every filter; seeds are not counted.")
        int numInstructions,
    @Option(
            names = "--requests-per-round",
            paramLabel = "N",
            defaultValue = "64",
            description = "Requests whose replies are judged together; part of the result.")
        int requestsPerRound,
    @Option(
            names = "--max-idle-rounds",
            paramLabel = "N",
            defaultValue = "3",
            description = "Rounds in a row that may keep nothing before the run ends.")
        int maxIdleRounds,
    @Option(
            names = "--temperature",
            paramLabel = "T",
            description = "Of the requests for new tasks; default: the recipe's own.")
        Optional<Double> temperature,
    @Option(
            names = "--top-p",
            paramLabel = "P",
            description = "Of the requests for new tasks; default: the recipe's own.")
        Optional<Double> topP,
    @Option(
            names = "--rouge-threshold",
            paramLabel = "F",
            defaultValue = "0.7",
            description = "ROUGE-L F above which an instruction is too similar to one of the pool.")
        double rougeThreshold,
    @Option(
            names = "--tokenizer",
            paramLabel = "rouge|unicode",
            defaultValue = "rouge",
            description = "Tokens of the similarity: rouge knows ASCII only; unicode every script.")
        TokenizerName tokenizer,
    @Option(
            names = "--strict-parity",
            defaultValue = "false",
            description =
                "Keep the original's own rules where ours differ; docs/generate.md lists them.")
        boolean strictParity,
    @Option(
            names = "--output-license",
            paramLabel = "SPDX",
            defaultValue = "NOASSERTION",
            description = "License of the rows: the teacher's terms decide, not this library.")
        String outputLicense)
    implements Validated {

  /** A system whose data generation is followed. */
  public enum RecipeName {
    SELF_INSTRUCT,
    ALPACA
  }

  /** How a text is cut into tokens. */
  public enum TokenizerName {
    ROUGE,
    UNICODE
  }

  @Override
  public List<String> violations() {
    var violations = new ArrayList<String>(run.violations());
    violations.addAll(teacher.violations());
    atLeastOne(violations, "--num-instructions", numInstructions);
    atLeastOne(violations, "--requests-per-round", requestsPerRound);
    atLeastOne(violations, "--max-idle-rounds", maxIdleRounds);
    temperature
        .filter(t -> !(t >= 0 && t <= 2))
        .ifPresent(
            t -> violations.add("Option --temperature: expected a number from 0 to 2, found " + t));
    topP.filter(p -> !(p > 0 && p <= 1))
        .ifPresent(
            p ->
                violations.add(
                    "Option --top-p: expected a share above 0 and at most 1, found " + p));
    if (!(rougeThreshold >= 0 && rougeThreshold <= 1)) {
      violations.add(
          "Option --rouge-threshold: expected a score from 0 to 1, found " + rougeThreshold);
    }
    if (outputLicense.isBlank()) {
      violations.add("Option --output-license is empty: give an SPDX expression, or NOASSERTION");
    }
    return violations;
  }

  private static void atLeastOne(List<String> violations, String name, int value) {
    if (value < 1) {
      violations.add("Option " + name + ": expected 1 or more, found " + value);
    }
  }
}
