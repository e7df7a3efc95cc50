package dev.distillery.model.train;

import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.Gradients;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.ParameterSpace;
import dev.distillery.model.nn.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Optimiser steps over micro-batches. A micro-batch's gradient is computed from zero and gradients
 * are added in the order of the micro-batches, so that where they were computed does not change a
 * bit of the sum.
 */
public final class Trainer implements AutoCloseable {
  private final Decoder decoder;
  private final Kernels kernels;
  private final AdamW optimizer;
  private final Schedule schedule;
  private final ParameterSpace gradient;
  private @Nullable ParameterSpace next;

  /**
   * What one step did.
   *
   * @param step counted from 0
   * @param gradNorm global norm before clipping
   */
  public record Step(long step, double loss, double gradNorm, double learningRate) {}

  /** A trainer of the decoder's trainable parameters. */
  public Trainer(Decoder decoder, AdamW optimizer, Schedule schedule) {
    this.decoder = decoder;
    this.kernels = decoder.kernels();
    this.optimizer = optimizer;
    this.schedule = schedule;
    this.gradient = new ParameterSpace(kernels, decoder.parameters().trainable().slots());
  }

  /** One step over its micro-batches, in order. */
  public Step step(List<Objective> microBatches) {
    double loss = 0;
    for (int i = 0; i < microBatches.size(); i++) {
      loss += i == 0 ? gradient(microBatches.get(i), gradient) : add(microBatches.get(i));
    }
    return apply(loss);
  }

  private double add(Objective objective) {
    if (next == null) {
      next = new ParameterSpace(kernels, gradient.slots());
    }
    double loss = gradient(objective, next);
    for (int s = 0; s < gradient.segments().size(); s++) {
      Tensor sum = gradient.segments().get(s);
      kernels.add(sum, next.segments().get(s), 1);
    }
    return loss;
  }

  /** Sets {@code into} to the gradient of one micro-batch and returns its part of the loss. */
  public double gradient(Objective objective, ParameterSpace into) {
    Gradients gradients = new Gradients(kernels, into);
    double loss = objective.addGradient(decoder, gradients);
    gradients.finish();
    return loss;
  }

  /** The space of the step's gradient, for those who sum gradients elsewhere. */
  public ParameterSpace gradient() {
    return gradient;
  }

  /**
   * Applies what lies in {@link #gradient()}.
   *
   * @throws ArithmeticException if the gradient is not finite; nothing is changed then
   */
  public Step apply(double loss) {
    double norm = optimizer.norm(gradient);
    if (!Double.isFinite(norm)) {
      throw new ArithmeticException(
          "The gradient of step %d is not finite (loss %s): lower the learning rate or look at its data"
              .formatted(optimizer.steps(), loss));
    }
    long step = optimizer.steps();
    double rate = schedule.rate(step);
    optimizer.step(gradient, norm, rate);
    return new Step(step, loss, norm, rate);
  }

  @Override
  public void close() {
    gradient.close();
    if (next != null) {
      next.close();
    }
  }
}
