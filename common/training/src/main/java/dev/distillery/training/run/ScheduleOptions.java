package dev.distillery.training.run;

import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.GoesOn;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.Tunable;
import dev.distillery.core.run.WithBuilder;
import dev.distillery.model.train.Schedule;
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
@WithBuilder
public record ScheduleOptions(
    @Tunable
        @GoesOn
        @Bounds(atLeast = 1)
        @Option(
            names = "--num-epochs",
            paramLabel = "N",
            defaultValue = "3",
            description = "Passes over the rows. More of them than a finished run had go on there.")
        int numEpochs,
    @Tunable
        @GoesOn
        @Bounds(atLeast = 1)
        @Option(
            names = "--max-steps",
            paramLabel = "N",
            description = "Steps of the run; stands over --num-epochs.")
        Optional<Long> maxSteps,
    @Option(
            names = "--lr-schedule",
            defaultValue = "constant",
            description =
                "Shape of the learning rate after the warm-up: Hugging Face's constant, linear or"
                    + " cosine, or nanoGPT's cosine.")
        Schedule.Kind lrSchedule,
    @Bounds(atLeast = 0)
        @Option(
            names = "--warmup-steps",
            paramLabel = "N",
            defaultValue = "0.03",
            description = "Steps of linear warm-up; below 1 a part of all steps, rounded up.")
        double warmupSteps,
    @Bounds(atLeast = 0, atMost = 1)
        @Option(
            names = "--min-lr-ratio",
            paramLabel = "X",
            defaultValue = "0",
            description = "What the decay ends at, as a part of the highest rate.")
        double minLrRatio) {
  /** Named setters over the declared defaults. */
  public static ScheduleOptionsBuilder builder() {
    return ScheduleOptionsBuilder.builder(OptionsBinder.defaults(ScheduleOptions.class));
  }
}
