package dev.distillery.training.run;

import dev.distillery.core.run.Validated;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/**
 * LoRA adapters (Hu et al. 2021), by PEFT's names. They count with {@code --trainable lora}.
 *
 * @param rank inner width
 * @param alpha the update is scaled by alpha / rank
 * @param dropout of an adapter's input
 * @param targets last parts of the adapted modules' names
 */
public record LoraOptions(
    @Option(
            names = "--lora-rank",
            paramLabel = "N",
            defaultValue = "16",
            description = "Inner width of LoRA adapters.")
        int rank,
    @Option(
            names = "--lora-alpha",
            paramLabel = "X",
            defaultValue = "32",
            description = "An adapter's output is multiplied by alpha / rank.")
        double alpha,
    @Option(
            names = "--lora-dropout",
            paramLabel = "P",
            defaultValue = "0.05",
            description = "Probability of dropping a value of an adapter's input.")
        double dropout,
    @Option(
            names = "--lora-targets",
            paramLabel = "NAME,...",
            split = ",",
            defaultValue = "q_proj,v_proj",
            description =
                "Linear layers that get an adapter, by the last part of their name; all-linear"
                    + " stands for every one but the head.")
        List<String> targets)
    implements Validated {

  @Override
  public List<String> violations() {
    var violations = new ArrayList<String>();
    if (rank < 1 || rank > 1 << 16) {
      violations.add("Option --lora-rank: expected 1 to 65536, found " + rank);
    }
    if (!(alpha > 0)) {
      violations.add("Option --lora-alpha: expected a positive number, found " + alpha);
    }
    if (!(dropout >= 0 && dropout < 1)) {
      violations.add("Option --lora-dropout: expected a number in [0, 1), found " + dropout);
    }
    if (targets.isEmpty() || targets.stream().anyMatch(String::isBlank)) {
      violations.add("Option --lora-targets: expected names such as q_proj, found " + targets);
    }
    return violations;
  }
}
