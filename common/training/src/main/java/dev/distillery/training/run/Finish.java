package dev.distillery.training.run;

import dev.distillery.model.format.ModelConfig;

/**
 * What is done to the weights that are a run's result, before they are written. Checkpoints keep
 * the weights as they were trained, so that a run that goes on finds them so.
 */
@FunctionalInterface
public interface Finish {
  /**
   * Finishes the result.
   *
   * @param engine holds the result's weights; who changes them says so by {@link Engine#moved}
   * @param config its shape
   * @return what is written of it beside its weights: the same shape
   */
  ModelConfig finish(Engine engine, ModelConfig config);
}
