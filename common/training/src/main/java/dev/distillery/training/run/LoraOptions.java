package dev.distillery.training.run;

import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.Required;
import dev.distillery.core.run.WithBuilder;
import java.io.Serializable;
import java.util.List;
import picocli.CommandLine.Option;

/**
 * LoRA adapters (Hu et al. 2021), by PEFT's names. They count with {@code --trainable lora}.
 *
 * @param rank inner width
 * @param alpha the update is scaled by alpha / rank
 * @param dropout of an adapter's input
 * @param targets last parts of the adapted modules' names
 * @param trainTokens tokens whose rows of embedding and head are trained beside the adapters, as
 *     the vocabulary spells them; auto stands for those that the template needs and nobody trained
 */
@WithBuilder
public record LoraOptions(
    @Bounds(atLeast = 1, atMost = 1 << 16)
        @Option(
            names = "--lora-rank",
            paramLabel = "N",
            defaultValue = "16",
            description = "Inner width of LoRA adapters.")
        int rank,
    @Bounds(above = 0)
        @Option(
            names = "--lora-alpha",
            paramLabel = "X",
            defaultValue = "32",
            description = "An adapter's output is multiplied by alpha / rank.")
        double alpha,
    @Bounds(atLeast = 0, below = 1)
        @Option(
            names = "--lora-dropout",
            paramLabel = "P",
            defaultValue = "0.05",
            description = "Probability of dropping a value of an adapter's input.")
        double dropout,
    @Required("name layers such as q_proj, or all-linear")
        @Option(
            names = "--lora-targets",
            paramLabel = "NAME,...",
            split = ",",
            defaultValue = "q_proj,v_proj",
            description =
                "Linear layers that get an adapter, by the last part of their name; all-linear"
                    + " stands for every one but the head.")
        List<String> targets,
    @Option(
            names = "--train-tokens",
            paramLabel = "auto|TOKEN,...",
            split = ",",
            description =
                "Tokens whose rows of embedding and head are trained beside the adapters (PEFT's"
                    + " trainable_token_indices), as the vocabulary spells them; auto stands for"
                    + " those that the template needs and nobody trained. Default: none.")
        List<String> trainTokens)
    implements Serializable {
  /** Named setters over the declared defaults. */
  public static LoraOptionsBuilder builder() {
    return LoraOptionsBuilder.builder(OptionsBinder.defaults(LoraOptions.class));
  }
}
