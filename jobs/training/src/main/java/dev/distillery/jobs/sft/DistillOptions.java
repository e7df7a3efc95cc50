package dev.distillery.jobs.sft;

import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.OnlyWith;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.WithBuilder;
import java.util.Optional;
import picocli.CommandLine.Option;

/**
 * Learning a teacher's probabilities.
 *
 * @param distill a model of the student's vocabulary that runs beside it, or completions of one
 * @param beta between the two directions of the divergence
 * @param temperature of both sides
 */
@WithBuilder
public record DistillOptions(
    @Option(
            names = "--distill",
            paramLabel = "MODEL_OR_REF",
            description =
                "A teacher of the student's own vocabulary that runs beside it, a directory or GGUF"
                    + " file: the student learns the teacher's probabilities of the next token, not"
                    + " the token alone, wherever a token is learned. Or completions of complete"
                    + " --logprobs, given as --input too: questions are context, and each token of a"
                    + " reply is learned from its likeliest ones, the rest as one.")
        Optional<String> distill,
    @OnlyWith(option = "--distill")
        @Bounds(atLeast = 0, atMost = 1)
        @Option(
            names = "--distill-beta",
            paramLabel = "X",
            defaultValue = "0",
            description =
                "0 is KL(teacher || student), 1 is KL(student || teacher), between them the"
                    + " generalised Jensen-Shannon divergence; TRL's GKD has 0.5.")
        double beta,
    @OnlyWith(option = "--distill")
        @Bounds(above = 0)
        @Option(
            names = "--distill-temperature",
            paramLabel = "X",
            defaultValue = "1",
            description = "Divides the logits of both before they are compared.")
        double temperature) {
  /** Named setters over the declared defaults. */
  public static DistillOptionsBuilder builder() {
    return DistillOptionsBuilder.builder(OptionsBinder.defaults(DistillOptions.class));
  }
}
