package dev.distillery.jobs.generate;

import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.GoesOn;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.Required;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.Tunable;
import dev.distillery.core.run.WithBuilder;
import dev.distillery.core.teacher.TeacherOptions;
import dev.distillery.core.text.RougeTokenizer;
import dev.distillery.core.text.UnicodeTokenizer;
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
 * @param reuseCompletions completions of other runs, taken where the request is the same
 */
@WithBuilder
public record GenerateOptions(
    RunOptions run,
    TeacherOptions teacher,
    @Option(
            names = "--recipe",
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
    @Tunable
        @GoesOn
        @Bounds(atLeast = 1)
        @Option(
            names = "--num-instructions",
            paramLabel = "N",
            defaultValue = "100",
            description =
                "Distinct tasks that survive every filter; seeds are not counted. More of them than"
                    + " a finished run had go on there.")
        int numInstructions,
    @Bounds(atLeast = 1)
        @Option(
            names = "--requests-per-round",
            paramLabel = "N",
            defaultValue = "64",
            description = "Requests whose replies are judged together; part of the result.")
        int requestsPerRound,
    @Bounds(atLeast = 1)
        @Option(
            names = "--max-idle-rounds",
            paramLabel = "N",
            defaultValue = "3",
            description = "Rounds in a row that may keep nothing before the run ends.")
        int maxIdleRounds,
    @Bounds(atLeast = 0, atMost = 2)
        @Option(
            names = "--temperature",
            paramLabel = "T",
            description = "Of the requests for new tasks; default: the recipe's own.")
        Optional<Double> temperature,
    @Bounds(above = 0, atMost = 1)
        @Option(
            names = "--top-p",
            paramLabel = "P",
            description = "Of the requests for new tasks; default: the recipe's own.")
        Optional<Double> topP,
    @Bounds(atLeast = 0, atMost = 1)
        @Option(
            names = "--rouge-threshold",
            paramLabel = "F",
            defaultValue = "0.7",
            description = "ROUGE-L F above which an instruction is too similar to one of the pool.")
        double rougeThreshold,
    @Bounds(oneOf = {RougeTokenizer.NAME, UnicodeTokenizer.NAME})
        @Option(
            names = "--tokenizer",
            defaultValue = "rouge",
            description = "rouge: a-z and 0-9, as rouge_score. unicode: any language.")
        String tokenizer,
    @Option(
            names = "--strict-parity",
            defaultValue = "false",
            description =
                "Keep the original's own rules where ours differ; docs/generate.md lists them.")
        boolean strictParity,
    @Required("give an SPDX expression, or NOASSERTION")
        @Option(
            names = "--output-license",
            paramLabel = "SPDX",
            defaultValue = "NOASSERTION",
            description = "License of the rows: the teacher's terms decide, not this library.")
        String outputLicense,
    @Option(
            names = "--reuse-completions",
            paramLabel = "REF",
            description =
                "Completions that are paid for: taken where request and sample are the same. May be"
                    + " given again.")
        List<String> reuseCompletions) {
  /** Named setters over the declared defaults. */
  public static GenerateOptionsBuilder builder() {
    return GenerateOptionsBuilder.builder(OptionsBinder.defaults(GenerateOptions.class));
  }

  /** A system whose data generation is followed. */
  public enum RecipeName {
    SELF_INSTRUCT,
    ALPACA
  }
}
