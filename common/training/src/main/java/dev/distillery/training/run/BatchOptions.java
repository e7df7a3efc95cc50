package dev.distillery.training.run;

import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.WithBuilder;
import picocli.CommandLine.Option;

/**
 * What a step is made of. A step is {@code gradientAccumulationSteps} micro-batches of {@code
 * batchSize} rows, over all workers together.
 *
 * @param batchSize rows of one micro-batch
 * @param gradientAccumulationSteps micro-batches of one step
 * @param shuffle whether each epoch has an order of its own, drawn from the seed
 */
@WithBuilder
public record BatchOptions(
    @Bounds(atLeast = 1)
        @Option(
            names = "--batch-size",
            paramLabel = "N",
            defaultValue = "8",
            description = "Rows of one micro-batch, the unit that is computed at once.")
        int batchSize,
    @Bounds(atLeast = 1)
        @Option(
            names = "--gradient-accumulation-steps",
            paramLabel = "N",
            defaultValue = "1",
            description = "Micro-batches of one step, over all workers together.")
        int gradientAccumulationSteps,
    @Option(
            names = "--shuffle",
            defaultValue = "true",
            description = "Another order of the rows in each epoch, drawn from the seed.")
        boolean shuffle) {
  /** Named setters over the declared defaults. */
  public static BatchOptionsBuilder builder() {
    return BatchOptionsBuilder.builder(OptionsBinder.defaults(BatchOptions.class));
  }
}
