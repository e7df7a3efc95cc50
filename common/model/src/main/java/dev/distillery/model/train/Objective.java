package dev.distillery.model.train;

import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.Gradients;

/**
 * What is minimised over one micro-batch. A step's loss is the sum of its micro-batches' losses, so
 * an objective divides by the count of the whole step, not by its own.
 */
@FunctionalInterface
public interface Objective {
  /**
   * Runs forward and backward once and adds the gradient.
   *
   * @return this micro-batch's part of the loss
   */
  double addGradient(Decoder decoder, Gradients gradients);
}
