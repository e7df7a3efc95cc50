package dev.distillery.jobs.score;

import dev.distillery.core.dialogue.TemplateOptions;
import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.Required;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.WithBuilder;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/**
 * What the score job can be told.
 *
 * @param run what every job can be told
 * @param model the reward model
 * @param input tables or files of answers
 * @param template chat template that prompts and answers are written in
 * @param templateInputs what the model's own template is told beside the dialogue
 * @param bestOf answers to a prompt among which the best is looked for
 */
@WithBuilder
public record ScoreOptions(
    RunOptions run,
    @Required("name a reward model, as the job reward writes it")
        @Option(
            names = "--model",
            paramLabel = "DIR",
            description =
                "The reward model: a Hugging Face directory with a score head of one label, or an"
                    + " adapter in PEFT's layout that brings one.")
        String model,
    @Required("name a table or files of answers")
        @Option(
            names = "--input",
            paramLabel = "REF",
            description =
                "Answers: completions, preferences, conversations, instructions or rollouts, or"
                    + " files of JSONL or Parquet with their columns. May be given again.")
        List<String> input,
    @Option(
            names = "--template",
            paramLabel = "NAME",
            defaultValue = "",
            description =
                "Chat template that rows are written in: chatml, smollm2, llama3, llama2, vicuna,"
                    + " koala, alpaca or stack-qa. Default: the model's own.")
        String template,
    TemplateOptions templateInputs,
    @Bounds(atLeast = 2)
        @Option(
            names = "--best-of",
            paramLabel = "N",
            description =
                "Also write the table best_of: of the first N answers to each prompt the one that"
                    + " scores highest. Prompts with fewer are left out and counted.")
        Optional<Integer> bestOf) {
  /** Named setters over the declared defaults. */
  public static ScoreOptionsBuilder builder() {
    return ScoreOptionsBuilder.builder(OptionsBinder.defaults(ScoreOptions.class));
  }
}
