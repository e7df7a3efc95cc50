package dev.distillery.model.train;

import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.Gradients;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.ParameterSpace;
import java.util.List;

/**
 * Optimiser steps over micro-batches in one process. A micro-batch's gradient is computed from zero
 * and gradients are added by one binary tree over the micro-batches' index ({@link TreeSum}), so
 * that where they were computed does not change a bit of the sum.
 */
public final class Trainer implements AutoCloseable {
  private final Decoder decoder;
  private final Kernels kernels;
  private final AdamW optimizer;
  private final Schedule schedule;
  private final ParameterSpace gradient;
  private final GradientSum sum;

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
    this.sum = new GradientSum(kernels, gradient.slots());
  }

  /** One step over its micro-batches. */
  public Step step(List<Objective> microBatches) {
    if (microBatches.size() == 1) {
      return apply(gradient(microBatches.get(0), gradient));
    }
    TreeSum<Double> loss = new TreeSum<>(microBatches.size(), Double::sum);
    sum.begin(microBatches.size());
    for (int i = 0; i < microBatches.size(); i++) {
      int index = i;
      Objective objective = microBatches.get(i);
      sum.add(index, gradients -> loss.add(index, objective.addGradient(decoder, gradients)));
    }
    for (int s = 0; s < gradient.segments().size(); s++) {
      kernels.copy(gradient.segments().get(s), sum.total().segments().get(s));
    }
    return apply(loss.total().orElseThrow());
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
          "The gradient of step %s is not finite (loss %s): lower the learning rate or look at its data"
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
    sum.close();
  }
}
