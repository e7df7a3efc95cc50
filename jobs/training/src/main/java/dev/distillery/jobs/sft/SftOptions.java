package dev.distillery.jobs.sft;

import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.OnlyWith;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.Tunable;
import dev.distillery.core.run.WithBuilder;
import dev.distillery.training.run.TrainingOptions;
import dev.distillery.training.tokens.TokenOptions;
import dev.distillery.training.tokens.TokenSettings.TrainOn;
import picocli.CommandLine.Option;

/**
 * What the sft job can be told.
 *
 * @param run what every job can be told
 * @param training what every training job can be told
 * @param tokens what is trained on
 * @param template chat template that rows are written in
 * @param trainOn what of a dialogue is learned
 * @param show rows of each input that a dry run prints
 */
@WithBuilder
public record SftOptions(
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
    @Option(
            names = "--train-on",
            defaultValue = "all-turns",
            description =
                "What of a dialogue is learned: every answer with its end, the last one, or the"
                    + " questions and the template's own texts too.")
        TrainOn trainOn,
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
        int show) {
  /** Named setters over the declared defaults. */
  public static SftOptionsBuilder builder() {
    return SftOptionsBuilder.builder(OptionsBinder.defaults(SftOptions.class));
  }
}
