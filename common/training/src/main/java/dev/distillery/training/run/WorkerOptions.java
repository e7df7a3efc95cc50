package dev.distillery.training.run;

import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.OnlyWith;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.Tunable;
import dev.distillery.core.run.WithBuilder;
import java.util.Optional;
import picocli.CommandLine.Option;

/**
 * Who computes, and how often they meet.
 *
 * @param workers tasks that compute a step's micro-batches; empty: one in a local session, else one
 *     an executor
 * @param localSteps steps that a worker takes alone before the workers meet; 1 is plain data
 *     parallelism, more is DiLoCo (Douillard et al. 2023)
 * @param outerLearningRate of DiLoCo's outer steps
 * @param outerMomentum Nesterov momentum of DiLoCo's outer steps
 * @param gpuHourUsd what an hour of one GPU costs, for a plan
 */
@WithBuilder
public record WorkerOptions(
    @Tunable
        @Bounds(atLeast = 1)
        @Option(
            names = "--workers",
            paramLabel = "N",
            description =
                "Tasks that compute the micro-batches of a step; changes no result (with"
                    + " --local-steps above 1 it does). Default: 1 in a local session, else one an"
                    + " executor.")
        Optional<Integer> workers,
    @Bounds(atLeast = 1)
        @Option(
            names = "--local-steps",
            paramLabel = "N",
            defaultValue = "1",
            description =
                "Steps that each worker takes alone before the workers meet (DiLoCo); 1 meets at"
                    + " every step.")
        int localSteps,
    @OnlyWith(option = "--local-steps")
        @Bounds(above = 0)
        @Option(
            names = "--outer-learning-rate",
            paramLabel = "X",
            defaultValue = "0.7",
            description = "Rate of the outer step.")
        double outerLearningRate,
    @OnlyWith(option = "--local-steps")
        @Bounds(atLeast = 0, below = 1)
        @Option(
            names = "--outer-momentum",
            paramLabel = "X",
            defaultValue = "0.9",
            description = "Nesterov momentum of the outer step.")
        double outerMomentum,
    @Tunable
        @OnlyWith(option = "--dry-run")
        @Bounds(atLeast = 0)
        @Option(
            names = "--gpu-hour-usd",
            paramLabel = "X",
            description =
                "What an hour of one A100 with 80 GB costs, in dollars: --dry-run then says what the"
                    + " run would cost there.")
        Optional<Double> gpuHourUsd) {
  /** Named setters over the declared defaults. */
  public static WorkerOptionsBuilder builder() {
    return WorkerOptionsBuilder.builder(OptionsBinder.defaults(WorkerOptions.class));
  }
}
