package dev.distillery.training.rollout;

import dev.distillery.model.nn.DecoderLayout;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.ParameterSpace;
import dev.distillery.model.train.AdamW;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * AdamW over a policy, and another over its value network where it has one: each gradient is
 * clipped by its own norm, so that neither's size slows the other.
 */
final class PolicyOptimizer implements AutoCloseable {
  /** By the name of the norm among metrics. */
  private final Map<String, Part> parts = new LinkedHashMap<>();

  /**
   * Some of the weights.
   *
   * @param spaces what the names of their moments in a checkpoint begin with
   */
  private record Part(String spaces, UnaryOperator<ParameterSpace> of, AdamW optimizer) {}

  PolicyOptimizer(Kernels kernels, ParameterSpace parameters, AdamW.Options options) {
    add(
        "grad_norm",
        "",
        all -> all.without(DecoderLayout.VALUE_NETWORK),
        kernels,
        parameters,
        options);
    if (parameters.within(DecoderLayout.VALUE_NETWORK).size() > 0) {
      add(
          "ppo/val/grad_norm",
          "value_",
          all -> all.within(DecoderLayout.VALUE_NETWORK),
          kernels,
          parameters,
          options);
    }
  }

  private void add(
      String norm,
      String spaces,
      UnaryOperator<ParameterSpace> of,
      Kernels kernels,
      ParameterSpace parameters,
      AdamW.Options options) {
    parts.put(norm, new Part(spaces, of, new AdamW(kernels, of.apply(parameters), options)));
  }

  /** The norms of a gradient, by the names of metrics. */
  Map<String, Double> norms(ParameterSpace gradient) {
    Map<String, Double> norms = new LinkedHashMap<>();
    parts.forEach(
        (name, part) -> norms.put(name, part.optimizer().norm(part.of().apply(gradient))));
    return norms;
  }

  /**
   * Clips and applies a gradient.
   *
   * @param norms as {@link #norms} gave them
   */
  void step(ParameterSpace gradient, Map<String, Double> norms, double rate) {
    parts.forEach(
        (name, part) ->
            part.optimizer()
                .step(part.of().apply(gradient), norms.getOrDefault(name, Double.NaN), rate));
  }

  /** The moments, for checkpoints. */
  Map<String, ParameterSpace> moments() {
    Map<String, ParameterSpace> moments = new LinkedHashMap<>();
    for (Part part : parts.values()) {
      moments.put(part.spaces() + "first_moments", part.optimizer().firstMoments());
      moments.put(part.spaces() + "second_moments", part.optimizer().secondMoments());
    }
    return moments;
  }

  /** Steps taken. */
  long steps() {
    return parts.values().iterator().next().optimizer().steps();
  }

  /** Goes on after so many steps; the moments have been written by the caller. */
  void resume(long steps) {
    parts.values().forEach(part -> part.optimizer().resume(steps));
  }

  @Override
  public void close() {
    parts.values().forEach(part -> part.optimizer().close());
  }
}
