package dev.distillery.model.nn;

import java.util.List;
import java.util.TreeSet;

/**
 * Low-rank adapters (Hu et al. 2021): y = W x + alpha / rank B A dropout(x).
 *
 * @param rank inner width; default 16
 * @param alpha numerator of the scale; default 32
 * @param dropout probability of dropping an adapter's input; default 0.05
 * @param targets last parts of the adapted modules' names, such as {@code q_proj}; default {@code
 *     q_proj} and {@code v_proj}
 * @param tokens ids, ascending, whose rows of embedding and head are trained beside the adapters,
 *     in place of the model's own (PEFT's {@code trainable_token_indices}); default none
 */
public record LoraConfig(
    int rank, double alpha, double dropout, List<String> targets, List<Integer> tokens) {
  /** Adapters alone. */
  public LoraConfig(int rank, double alpha, double dropout, List<String> targets) {
    this(rank, alpha, dropout, targets, List.of());
  }

  public LoraConfig {
    targets = List.copyOf(targets);
    tokens = List.copyOf(tokens);
    if (!tokens.equals(List.copyOf(new TreeSet<>(tokens)))) {
      throw new IllegalArgumentException("Trained tokens must be ascending ids: " + tokens);
    }
    if (rank < 1 || !(alpha > 0) || !(dropout >= 0 && dropout < 1) || targets.isEmpty()) {
      throw new IllegalArgumentException(
          "LoRA needs rank >= 1, alpha > 0, dropout in [0, 1) and a target: rank %s, alpha %s, dropout %s, targets %s"
              .formatted(rank, alpha, dropout, targets));
    }
  }

  /** What the output of an adapter is multiplied by. */
  public double scale() {
    return alpha / rank;
  }

  boolean adapts(String module) {
    return targets.contains(name(module));
  }

  /** The last part of a module's name, which targets give. */
  static String name(String module) {
    return module.substring(module.lastIndexOf('.') + 1);
  }
}
