package dev.distillery.training.run;

import dev.distillery.core.run.Tunable;
import dev.distillery.core.run.Validated;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/**
 * Evaluation, checkpoints and early stop.
 *
 * @param evalSteps steps between two evaluations; empty: at the end of each epoch
 * @param saveSteps steps between two checkpoints; one more is written at the end
 * @param saveTotalLimit checkpoints that are kept; the best one is kept beside them
 * @param bestBy the evaluation's figure whose lowest value is best; the result is then that
 *     checkpoint's weights
 * @param earlyStop evaluations without a new best after which the run ends; implies {@code
 *     eval_loss} where {@code bestBy} is not given
 */
public record SavingOptions(
    @Option(
            names = "--eval-steps",
            paramLabel = "N",
            description =
                "Steps between two evaluations, where there is something to evaluate on. Default:"
                    + " at the end of each epoch.")
        Optional<Long> evalSteps,
    @Tunable
        @Option(
            names = "--save-steps",
            paramLabel = "N",
            defaultValue = "500",
            description = "Steps between two checkpoints; one more is written at the end.")
        long saveSteps,
    @Tunable
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
                "Figure of the evaluation, such as eval_loss, whose lowest value is best; the result"
                    + " is then the best checkpoint and not the last.")
        Optional<String> bestBy,
    @Option(
            names = "--early-stop",
            paramLabel = "N",
            description =
                "End after so many evaluations without a new best of --best-by (default then:"
                    + " eval_loss).")
        Optional<Integer> earlyStop)
    implements Validated {

  @Override
  public List<String> violations() {
    var violations = new ArrayList<String>();
    evalSteps
        .filter(steps -> steps < 1)
        .ifPresent(
            steps -> violations.add("Option --eval-steps: expected at least 1, found " + steps));
    if (saveSteps < 1) {
      violations.add("Option --save-steps: expected at least 1, found " + saveSteps);
    }
    if (saveTotalLimit < 1) {
      violations.add("Option --save-total-limit: expected at least 1, found " + saveTotalLimit);
    }
    earlyStop
        .filter(patience -> patience < 1)
        .ifPresent(
            patience ->
                violations.add("Option --early-stop: expected at least 1, found " + patience));
    return violations;
  }

  /** The figure whose lowest value is best, where one is asked for. */
  public Optional<String> best() {
    return bestBy.or(() -> earlyStop.map(patience -> "eval_loss"));
  }
}
