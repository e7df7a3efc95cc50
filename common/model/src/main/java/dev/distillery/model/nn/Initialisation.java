package dev.distillery.model.nn;

import dev.distillery.model.format.Architecture;
import dev.distillery.model.format.ModelConfig;
import java.util.HashSet;
import java.util.Set;

/** How matrices of a new model are drawn. */
public enum Initialisation {
  /** Normal with the configuration's {@code initializer_range}, 0.02 by default: GPT-1, LLaMA. */
  NORMAL,
  /**
   * As {@link #NORMAL}, but projections into the residual stream, of which there are two a layer,
   * are divided by sqrt(2 layers): GPT-2 (Radford et al. 2019, 2.3).
   */
  SCALED_RESIDUAL;

  /** What the architecture's publishers did. */
  public static Initialisation published(ModelConfig config) {
    return config.architecture() == Architecture.GPT2 ? SCALED_RESIDUAL : NORMAL;
  }

  /** The slots whose matrices are divided by sqrt(2 layers). */
  Set<String> scaledSlots(ModelConfig config) {
    Set<String> slots = new HashSet<>();
    if (this == SCALED_RESIDUAL) {
      DecoderLayout layout = new DecoderLayout(config);
      for (int i = 0; i < config.layers(); i++) {
        slots.add(layout.attentionOut(i).slot());
        slots.add(layout.mlpOut(i).slot());
      }
    }
    return slots;
  }
}
