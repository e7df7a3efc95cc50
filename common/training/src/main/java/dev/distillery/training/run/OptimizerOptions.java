package dev.distillery.training.run;

import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.WithBuilder;
import java.util.Optional;
import picocli.CommandLine.Option;

/**
 * AdamW, as PyTorch computes it.
 *
 * @param learningRate the highest rate
 * @param weightDecay decoupled decay of matrices
 * @param maxGradNorm gradients are scaled down to this global norm; 0 leaves them
 * @param beta1 decay of the first moment
 * @param beta2 decay of the second moment
 * @param epsilon added to the root of the second moment
 */
@WithBuilder
public record OptimizerOptions(
    @Bounds(atLeast = 0)
        @Option(
            names = "--learning-rate",
            paramLabel = "X",
            description =
                "The highest rate. Default: 1e-4 with --trainable lora, else 2e-5; of dpo 1e-5 and"
                    + " 1e-6.")
        Optional<Double> learningRate,
    @Bounds(atLeast = 0)
        @Option(
            names = "--weight-decay",
            paramLabel = "X",
            defaultValue = "0",
            description = "AdamW's decay of matrices; gains and biases do not decay.")
        double weightDecay,
    @Bounds(atLeast = 0)
        @Option(
            names = "--max-grad-norm",
            paramLabel = "X",
            defaultValue = "1",
            description = "Gradients are scaled down to this global norm; 0 leaves them.")
        double maxGradNorm,
    @Bounds(atLeast = 0, below = 1)
        @Option(
            names = "--adam-beta1",
            paramLabel = "X",
            defaultValue = "0.9",
            description = "AdamW's decay of the first moment.")
        double beta1,
    @Bounds(atLeast = 0, below = 1)
        @Option(
            names = "--adam-beta2",
            paramLabel = "X",
            defaultValue = "0.999",
            description = "AdamW's decay of the second moment.")
        double beta2,
    @Bounds(above = 0)
        @Option(
            names = "--adam-epsilon",
            paramLabel = "X",
            defaultValue = "1e-8",
            description = "AdamW's epsilon, outside the bias correction.")
        double epsilon) {
  /** Named setters over the declared defaults. */
  public static OptimizerOptionsBuilder builder() {
    return OptimizerOptionsBuilder.builder(OptionsBinder.defaults(OptimizerOptions.class));
  }
}
