package dev.distillery.model.format;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * What adapter_config.json says of a LoRA adapter.
 *
 * @param rank of the two factors, positive
 * @param alpha the update is scaled by alpha / rank, or by alpha / sqrt(rank) where {@code rsLora}
 * @param dropout on the input of the first factor, in [0, 1)
 * @param targets names of the linear layers that have one: {@code q_proj}, {@code v_proj}, ...
 * @param rsLora whether the scale is rank-stabilised
 * @param savedModules heads that are stored whole beside the factors, such as {@code score}
 * @param taskType PEFT's: {@code CAUSAL_LM} or {@code SEQ_CLS}
 * @param baseModel name or path of the model that it adapts; may be empty
 * @param patterns ranks and alphas of single modules
 * @param tokens ids whose rows of a module, the embedding or the head, stand in the adapter in
 *     place of the base's (PEFT's {@code trainable_token_indices}), in the order of their rows
 */
public record AdapterConfig(
    int rank,
    double alpha,
    double dropout,
    List<String> targets,
    boolean rsLora,
    List<String> savedModules,
    String taskType,
    String baseModel,
    AdapterPatterns patterns,
    Map<String, List<Integer>> tokens) {
  /** One rank and one alpha for all modules, and no rows of single tokens. */
  public AdapterConfig(
      int rank,
      double alpha,
      double dropout,
      List<String> targets,
      boolean rsLora,
      List<String> savedModules,
      String taskType,
      String baseModel) {
    this(
        rank,
        alpha,
        dropout,
        targets,
        rsLora,
        savedModules,
        taskType,
        baseModel,
        AdapterPatterns.NONE,
        Map.of());
  }

  public AdapterConfig {
    targets = List.copyOf(targets);
    savedModules = List.copyOf(savedModules);
    Objects.requireNonNull(taskType, "taskType");
    Objects.requireNonNull(baseModel, "baseModel");
    Objects.requireNonNull(patterns, "patterns");
    var sorted = new TreeMap<String, List<Integer>>();
    tokens.forEach((module, ids) -> sorted.put(module, List.copyOf(ids)));
    tokens = Collections.unmodifiableMap(sorted);
    check(rank, alpha);
    if (!(dropout >= 0 && dropout < 1)) {
      throw new IllegalArgumentException(
          "The adapter's lora_dropout must be in [0, 1): " + dropout);
    }
    if (targets.isEmpty()) {
      throw new IllegalArgumentException("The adapter's target_modules are empty");
    }
  }

  static void check(int rank, double alpha) {
    if (rank < 1 || rank > 1 << 16) {
      throw new IllegalArgumentException("The adapter's r must be in [1, 65536]: " + rank);
    }
    if (!Double.isFinite(alpha)) {
      throw new IllegalArgumentException("The adapter's lora_alpha must be finite: " + alpha);
    }
  }

  /** The same with rows of single tokens beside the factors. */
  public AdapterConfig with(Map<String, List<Integer>> rows) {
    return new AdapterConfig(
        rank, alpha, dropout, targets, rsLora, savedModules, taskType, baseModel, patterns, rows);
  }

  /** What the product of the factors is multiplied by, where no pattern says else. */
  public double scale() {
    return scale(rank, alpha);
  }

  /** The rank of a module's factors. */
  public int rank(String module) {
    return patterns.rank(module, rank);
  }

  /** What the product of a module's factors is multiplied by. */
  public double scale(String module) {
    return scale(rank(module), patterns.alpha(module, alpha));
  }

  private double scale(int ofRank, double ofAlpha) {
    return rsLora ? ofAlpha / Math.sqrt(ofRank) : ofAlpha / ofRank;
  }
}
