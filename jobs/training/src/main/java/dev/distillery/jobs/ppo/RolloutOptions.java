package dev.distillery.jobs.ppo;

import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.WithBuilder;
import java.util.Optional;
import picocli.CommandLine.Option;

/**
 * How answers are sampled.
 *
 * @param rolloutBatchSize answers of one update
 * @param numGenerations answers to each prompt. Default: 1 with ppo, else 4
 * @param responseLength tokens of an answer at most, its end mark among them
 * @param responseLengthFrom the longest length of each answer is drawn, uniformly from this one up
 *     to below --response-length
 * @param temperature logits are divided by it, in every log-probability too. Answers are drawn from
 *     all tokens: the sampling defaults of the folder do not count
 * @param decodeBatchSize answers that a worker decodes together; changes no result
 */
@WithBuilder
public record RolloutOptions(
    @Bounds(atLeast = 1)
        @Option(
            names = "--rollout-batch-size",
            paramLabel = "N",
            defaultValue = "64",
            description = "Answers of one update.")
        int rolloutBatchSize,
    @Bounds(atLeast = 1)
        @Option(
            names = "--num-generations",
            paramLabel = "N",
            description = "Answers to each prompt. Default: 1 with ppo, else 4.")
        Optional<Integer> numGenerations,
    @Bounds(atLeast = 1)
        @Option(
            names = "--response-length",
            paramLabel = "N",
            defaultValue = "53",
            description = "Tokens of an answer at most, its end mark among them.")
        int responseLength,
    @Bounds(atLeast = 1)
        @Option(
            names = "--response-length-from",
            paramLabel = "N",
            description =
                "The longest length of each answer is drawn, uniformly from this one up to below --response-length.")
        Optional<Integer> responseLengthFrom,
    @Bounds(above = 0)
        @Option(
            names = "--temperature",
            paramLabel = "X",
            defaultValue = "1",
            description =
                "Logits are divided by it, in every log-probability too. Answers are drawn from all tokens: the sampling defaults of the folder do not count.")
        double temperature,
    @Bounds(atLeast = 1)
        @Option(
            names = "--decode-batch-size",
            paramLabel = "N",
            defaultValue = "32",
            description =
                "Answers that a worker decodes together; the plan of a rollout, the same for any number of workers.")
        int decodeBatchSize) {
  /** Named setters over the declared defaults. */
  public static RolloutOptionsBuilder builder() {
    return RolloutOptionsBuilder.builder(OptionsBinder.defaults(RolloutOptions.class));
  }
}
