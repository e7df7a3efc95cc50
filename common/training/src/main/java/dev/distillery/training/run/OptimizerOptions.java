package dev.distillery.training.run;

import dev.distillery.core.run.Validated;
import java.util.ArrayList;
import java.util.List;
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
public record OptimizerOptions(
    @Option(
            names = "--learning-rate",
            paramLabel = "X",
            description = "The highest rate. Default: 1e-4 with --trainable lora, else 2e-5.")
        Optional<Double> learningRate,
    @Option(
            names = "--weight-decay",
            paramLabel = "X",
            defaultValue = "0",
            description = "AdamW's decay of matrices; gains and biases do not decay.")
        double weightDecay,
    @Option(
            names = "--max-grad-norm",
            paramLabel = "X",
            defaultValue = "1",
            description = "Gradients are scaled down to this global norm; 0 leaves them.")
        double maxGradNorm,
    @Option(
            names = "--adam-beta1",
            paramLabel = "X",
            defaultValue = "0.9",
            description = "AdamW's decay of the first moment.")
        double beta1,
    @Option(
            names = "--adam-beta2",
            paramLabel = "X",
            defaultValue = "0.999",
            description = "AdamW's decay of the second moment.")
        double beta2,
    @Option(
            names = "--adam-epsilon",
            paramLabel = "X",
            defaultValue = "1e-8",
            description = "AdamW's epsilon, outside the bias correction.")
        double epsilon)
    implements Validated {

  @Override
  public List<String> violations() {
    var violations = new ArrayList<String>();
    learningRate
        .filter(rate -> !(rate >= 0))
        .ifPresent(rate -> violations.add("Option --learning-rate is below 0: " + rate));
    if (!(weightDecay >= 0)) {
      violations.add("Option --weight-decay is below 0: " + weightDecay);
    }
    if (!(maxGradNorm >= 0)) {
      violations.add("Option --max-grad-norm is below 0: " + maxGradNorm);
    }
    if (!(beta1 >= 0 && beta1 < 1)) {
      violations.add("Option --adam-beta1: expected a number in [0, 1), found " + beta1);
    }
    if (!(beta2 >= 0 && beta2 < 1)) {
      violations.add("Option --adam-beta2: expected a number in [0, 1), found " + beta2);
    }
    if (!(epsilon > 0)) {
      violations.add("Option --adam-epsilon: expected a positive number, found " + epsilon);
    }
    return violations;
  }
}
