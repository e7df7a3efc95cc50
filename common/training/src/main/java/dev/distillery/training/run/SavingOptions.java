package dev.distillery.training.run;

import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.Tunable;
import dev.distillery.core.run.WithBuilder;
import java.util.Optional;
import picocli.CommandLine.Option;

/**
 * Evaluation, checkpoints and early stop.
 *
 * @param evalSteps steps between two evaluations; empty: at the end of each epoch
 * @param saveSteps steps between two checkpoints; one more is written at the end
 * @param saveTotalLimit checkpoints that are kept; the best one is kept beside them
 * @param bestBy the evaluation's figure whose lowest value is best, of an accuracy, a reward or a
 *     margin the highest; the result is then that checkpoint's weights
 * @param earlyStop evaluations without a new best after which the run ends; implies {@code
 *     eval_loss} where {@code bestBy} is not given
 * @param samplePrompts held-out rows that are answered before training and at each evaluation
 * @param sampleTokens of such an answer at most
 */
@WithBuilder
public record SavingOptions(
    @Bounds(atLeast = 1)
        @Option(
            names = "--eval-steps",
            paramLabel = "N",
            description =
                "Steps between two evaluations, where there is something to evaluate on. Default:"
                    + " at the end of each epoch.")
        Optional<Long> evalSteps,
    @Tunable
        @Bounds(atLeast = 1)
        @Option(
            names = "--save-steps",
            paramLabel = "N",
            defaultValue = "500",
            description = "Steps between two checkpoints; one more is written at the end.")
        long saveSteps,
    @Tunable
        @Bounds(atLeast = 1)
        @Option(
            names = "--save-total-limit",
            paramLabel = "N",
            defaultValue = "2",
            description = "Checkpoints that are kept, the newest; the best is kept beside them.")
        int saveTotalLimit,
    @Option(
            names = "--best-by",
            paramLabel = "NAME",
            description =
                "Figure of the evaluation, such as eval_loss, whose lowest value is best, or an"
                    + " accuracy, a reward or a margin, whose highest is; the result is then the"
                    + " best checkpoint and not the last.")
        Optional<String> bestBy,
    @Bounds(atLeast = 1)
        @Option(
            names = "--early-stop",
            paramLabel = "N",
            description =
                "End after so many evaluations without a new best of --best-by (default then:"
                    + " eval_loss).")
        Optional<Integer> earlyStop,
    @Tunable
        @Bounds(atLeast = 0)
        @Option(
            names = "--sample-prompts",
            paramLabel = "N",
            defaultValue = "3",
            description =
                "Held-out rows that the student answers before training and at each evaluation, for"
                    + " a look and for the card; 0 for none.")
        int samplePrompts,
    @Tunable
        @Bounds(atLeast = 1)
        @Option(
            names = "--sample-tokens",
            paramLabel = "N",
            defaultValue = "48",
            description = "Tokens of such an answer at most.")
        int sampleTokens) {
  /** Named setters over the declared defaults. */
  public static SavingOptionsBuilder builder() {
    return SavingOptionsBuilder.builder(OptionsBinder.defaults(SavingOptions.class));
  }

  /** The figure whose lowest value is best, where one is asked for. */
  public Optional<String> best() {
    return bestBy.or(() -> earlyStop.map(patience -> "eval_loss"));
  }
}
