package dev.distillery.training.run;

import dev.distillery.core.run.Validated;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/**
 * What a step is made of. A step is {@code gradientAccumulationSteps} micro-batches of {@code
 * batchSize} rows, over all workers together.
 *
 * @param batchSize rows of one micro-batch
 * @param gradientAccumulationSteps micro-batches of one step
 * @param shuffle whether each epoch has an order of its own, drawn from the seed
 */
public record BatchOptions(
    @Option(
            names = "--batch-size",
            paramLabel = "N",
            defaultValue = "8",
            description = "Rows of one micro-batch, the unit that is computed at once.")
        int batchSize,
    @Option(
            names = "--gradient-accumulation-steps",
            paramLabel = "N",
            defaultValue = "1",
            description = "Micro-batches of one step, over all workers together.")
        int gradientAccumulationSteps,
    @Option(
            names = "--shuffle",
            paramLabel = "true|false",
            defaultValue = "true",
            description = "Another order of the rows in each epoch, drawn from the seed.")
        boolean shuffle)
    implements Validated {

  @Override
  public List<String> violations() {
    var violations = new ArrayList<String>();
    if (batchSize < 1) {
      violations.add("Option --batch-size: expected at least 1, found " + batchSize);
    }
    if (gradientAccumulationSteps < 1) {
      violations.add(
          "Option --gradient-accumulation-steps: expected at least 1, found "
              + gradientAccumulationSteps);
    }
    return violations;
  }
}
