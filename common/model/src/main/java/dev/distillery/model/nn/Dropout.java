package dev.distillery.model.nn;

import java.io.Serializable;

/**
 * What is dropped in one forward pass.
 *
 * @param residual probability at the embedding and at each branch that joins the residual stream,
 *     as GPT-1 and InstructGPT have it
 * @param adapters probability at the input of each LoRA adapter
 * @param key random key of the pass: seed and step
 */
public record Dropout(double residual, double adapters, long key) implements Serializable {
  /** Nothing is dropped. */
  public static final Dropout NONE = new Dropout(0, 0, 0);

  public Dropout {
    if (!(residual >= 0 && residual < 1 && adapters >= 0 && adapters < 1)) {
      throw new IllegalArgumentException(
          "Dropout must be in [0, 1): residual %s, adapters %s".formatted(residual, adapters));
    }
  }
}
