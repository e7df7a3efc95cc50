package dev.distillery.jobs.reward;

import dev.distillery.core.dialogue.TemplateOptions;
import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.OnlyWith;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.Tunable;
import dev.distillery.core.run.Validated;
import dev.distillery.core.run.WithBuilder;
import dev.distillery.training.run.TrainingOptions;
import dev.distillery.training.tokens.TokenOptions;
import java.util.List;
import picocli.CommandLine.Option;

/**
 * What the reward job can be told.
 *
 * @param run what every job can be told
 * @param training what every training job can be told; a micro-batch holds prompts
 * @param tokens comparisons that are trained and evaluated on
 * @param template chat template that rows are written in
 * @param templateInputs what the model's own template is told beside the dialogue
 * @param centerRewards coefficient of the term that holds scores around 0
 * @param normalizeInput answers whose scores get mean 0 and variance 1 in the end
 * @param show rows of each input that a dry run prints
 */
@WithBuilder
public record RewardOptions(
    RunOptions run,
    TrainingOptions training,
    TokenOptions tokens,
    @Option(
            names = "--template",
            paramLabel = "NAME",
            defaultValue = "",
            description =
                "Chat template that rows are written in: chatml, smollm2, llama3, llama2, vicuna,"
                    + " koala, alpaca or stack-qa. Default: the model's own.")
        String template,
    TemplateOptions templateInputs,
    @Bounds(atLeast = 0)
        @Option(
            names = "--center-rewards",
            paramLabel = "X",
            defaultValue = "0",
            description =
                "Coefficient of the squared sum of a pair's scores in the loss, which holds scores"
                    + " around 0; 0.01 is usual, 0 leaves it out.")
        double centerRewards,
    @Option(
            names = "--normalize-input",
            paramLabel = "REF",
            description =
                "Answers (preferences or conversations) whose scores get the mean 0 and the"
                    + " variance 1 by a gain and a bias that are kept in the model. May be given"
                    + " again.")
        List<String> normalizeInput,
    @Tunable
        @OnlyWith(option = "--dry-run")
        @Bounds(atLeast = 0)
        @Option(
            names = "--show",
            paramLabel = "N",
            defaultValue = "0",
            description =
                "Rows of each input that --dry-run prints token by token, those marked that are"
                    + " learned.")
        int show)
    implements Validated {
  @Override
  public List<String> violations() {
    return tokens.pairViolations();
  }

  /** Named setters over the declared defaults. */
  public static RewardOptionsBuilder builder() {
    return RewardOptionsBuilder.builder(OptionsBinder.defaults(RewardOptions.class));
  }
}
