package dev.distillery.model.format;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.format.ModelFileException;
import java.util.Optional;

/**
 * The stretch of rotary positions in config.json: {@code rope_type} (or {@code type}) with {@code
 * factor} and, by type, {@code low_freq_factor}, {@code high_freq_factor}, {@code beta_fast},
 * {@code beta_slow}, {@code attention_factor} (or {@code mscale} with {@code mscale_all_dim}),
 * {@code truncate}, {@code original_max_position_embeddings}.
 */
final class RopeScalingJson {
  private RopeScalingJson() {}

  /**
   * What the object says; empty where it stretches nothing.
   *
   * @param context the model's context, which is the original one where the object names none
   * @param flat whether the object is of all layers: only there transformers looks at {@code
   *     truncate}, which is else left unread
   * @throws IllegalArgumentException where its numbers are out of range
   */
  static Optional<RopeScaling> read(ModelJson rope, int context, boolean flat)
      throws ModelFileException {
    rope.optionalNumber("rope_theta");
    if (rope.number("partial_rotary_factor", 1) != 1) {
      throw rope.wrong("partial_rotary_factor", "1");
    }
    String field = rope.has("rope_type") ? "rope_type" : "type";
    String type = rope.text(field, "default");
    if (rope.has("type") && !rope.text("type").equals(type)) {
      throw rope.wrong("type", "the same as rope_type, " + type);
    }
    return switch (type) {
      case "default" -> Optional.empty();
      case "linear" -> Optional.of(new RopeScaling.Linear(rope.number("factor")));
      case "llama3" ->
          Optional.of(
              new RopeScaling.Llama3(
                  rope.number("factor"),
                  rope.number("low_freq_factor"),
                  rope.number("high_freq_factor"),
                  rope.integer("original_max_position_embeddings")));
      case "yarn" -> Optional.of(yarn(rope, context, flat));
      default -> throw rope.wrong(field, "default, linear, llama3 or yarn");
    };
  }

  private static RopeScaling yarn(ModelJson rope, int context, boolean flat)
      throws ModelFileException {
    double factor = rope.number("factor");
    double weight = rope.number("mscale", 0);
    double all = rope.number("mscale_all_dim", 0);
    double inferred =
        weight != 0 && all != 0
            ? RopeScaling.Yarn.attentionFactor(factor, weight)
                / RopeScaling.Yarn.attentionFactor(factor, all)
            : RopeScaling.Yarn.attentionFactor(factor, 1);
    return new RopeScaling.Yarn(
        factor,
        rope.integer("original_max_position_embeddings", context),
        orDefault(rope.number("beta_fast", 0), RopeScaling.Yarn.BETA_FAST),
        orDefault(rope.number("beta_slow", 0), RopeScaling.Yarn.BETA_SLOW),
        rope.number("attention_factor", inferred),
        !flat || rope.bool("truncate", true));
  }

  /** As in transformers, 0 means the default. */
  private static double orDefault(double value, double missing) {
    return value == 0 ? missing : value;
  }

  static void write(RopeScaling scaling, ObjectNode rope) {
    rope.put("factor", scaling.factor());
    if (scaling instanceof RopeScaling.Linear) {
      rope.put("rope_type", "linear");
    } else if (scaling instanceof RopeScaling.Llama3 llama3) {
      rope.put("rope_type", "llama3")
          .put("low_freq_factor", llama3.lowFreqFactor())
          .put("high_freq_factor", llama3.highFreqFactor())
          .put("original_max_position_embeddings", llama3.originalMaxPositions());
    } else if (scaling instanceof RopeScaling.Yarn yarn) {
      rope.put("rope_type", "yarn")
          .put("beta_fast", yarn.betaFast())
          .put("beta_slow", yarn.betaSlow())
          .put("attention_factor", yarn.attentionFactor())
          .put("original_max_position_embeddings", yarn.originalMaxPositions());
      if (!yarn.truncate()) {
        rope.put("truncate", false);
      }
    }
  }
}
