package dev.distillery.training.run;

import dev.distillery.core.run.Tunable;
import dev.distillery.core.run.Validated;
import dev.distillery.model.train.Schedule;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/**
 * How long, and the rate over that time.
 *
 * @param numEpochs passes over the rows, unless {@code maxSteps} is given
 * @param maxSteps steps of the run, whatever that makes of epochs
 * @param lrSchedule shape of the rate
 * @param warmupSteps steps of linear warm-up; below 1 a part of all steps, rounded up
 * @param minLrRatio what the decay ends at, as a part of the highest rate
 */
public record ScheduleOptions(
    @Tunable
        @Option(
            names = "--num-epochs",
            paramLabel = "N",
            defaultValue = "3",
            description = "Passes over the rows. More of them than a finished run had go on there.")
        int numEpochs,
    @Tunable
        @Option(
            names = "--max-steps",
            paramLabel = "N",
            description = "Steps of the run; stands over --num-epochs.")
        Optional<Long> maxSteps,
    @Option(
            names = "--lr-schedule",
            paramLabel = "constant|linear|cosine|nanogpt",
            defaultValue = "cosine",
            description =
                "Shape of the learning rate after the warm-up: Hugging Face's constant, linear or"
                    + " cosine, or nanoGPT's cosine.")
        Schedule.Kind lrSchedule,
    @Option(
            names = "--warmup-steps",
            paramLabel = "N",
            defaultValue = "0.03",
            description = "Steps of linear warm-up; below 1 a part of all steps, rounded up.")
        double warmupSteps,
    @Option(
            names = "--min-lr-ratio",
            paramLabel = "X",
            defaultValue = "0",
            description = "What the decay ends at, as a part of the highest rate.")
        double minLrRatio)
    implements Validated {

  @Override
  public List<String> violations() {
    var violations = new ArrayList<String>();
    if (numEpochs < 1) {
      violations.add("Option --num-epochs: expected at least 1, found " + numEpochs);
    }
    maxSteps
        .filter(steps -> steps < 1)
        .ifPresent(
            steps -> violations.add("Option --max-steps: expected at least 1, found " + steps));
    if (!(warmupSteps >= 0)) {
      violations.add("Option --warmup-steps is below 0: " + warmupSteps);
    }
    if (!(minLrRatio >= 0 && minLrRatio <= 1)) {
      violations.add("Option --min-lr-ratio: expected a number in [0, 1], found " + minLrRatio);
    }
    return violations;
  }
}
