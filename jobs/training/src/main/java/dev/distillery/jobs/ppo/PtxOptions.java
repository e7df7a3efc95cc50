package dev.distillery.jobs.ppo;

import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.OnlyWith;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.WithBuilder;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/**
 * PPO-ptx: texts that are learned beside the rewards.
 *
 * @param ptxInput tables or files with their weights
 * @param ptxCoef what their loss counts; InstructGPT's is 27.8
 * @param ptxBatchSize rows of one optimiser step. Default: as many as it has answers
 */
@WithBuilder
public record PtxOptions(
    @Option(
            names = "--ptx-input",
            paramLabel = "REF[=WEIGHT]",
            description =
                "Texts, dialogues or tasks whose next-token loss is added to every optimiser step"
                    + " (PPO-ptx). May be given again.")
        List<String> ptxInput,
    @OnlyWith(option = "--ptx-input")
        @Bounds(above = 0)
        @Option(
            names = "--ptx-coef",
            paramLabel = "X",
            defaultValue = "27.8",
            description =
                "What that loss, a mean over the tokens of a step, counts; InstructGPT's is 27.8.")
        double ptxCoef,
    @OnlyWith(option = "--ptx-input")
        @Bounds(atLeast = 1)
        @Option(
            names = "--ptx-batch-size",
            paramLabel = "N",
            description = "Rows of them in one optimiser step. Default: as many as it has answers.")
        Optional<Integer> ptxBatchSize) {
  /** Named setters over the declared defaults. */
  public static PtxOptionsBuilder builder() {
    return PtxOptionsBuilder.builder(OptionsBinder.defaults(PtxOptions.class));
  }
}
