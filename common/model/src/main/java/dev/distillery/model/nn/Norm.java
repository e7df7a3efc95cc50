package dev.distillery.model.nn;

import org.jspecify.annotations.Nullable;

/** RMSNorm, or LayerNorm where the model has a bias for it. */
final class Norm {
  private final Kernels kernels;
  private final String name;
  private final Tensor gain;
  private final @Nullable Tensor bias;
  private final double eps;

  Norm(Kernels kernels, Parameters parameters, String name, double eps) {
    this.kernels = kernels;
    this.name = name;
    this.gain = parameters.get(name + ".weight");
    this.bias = parameters.find(name + ".bias").orElse(null);
    this.eps = eps;
  }

  void forward(Tensor out, Tensor x) {
    if (bias == null) {
      kernels.rmsNorm(out, x, gain, eps);
    } else {
      kernels.layerNorm(out, x, gain, bias, eps);
    }
  }

  /** Adds to dx and to the gradients. */
  void backward(Tensor dx, Tensor dOut, Tensor x, Gradients gradients) {
    Tensor dGain = gradients.add(name + ".weight").orElse(null);
    if (bias == null) {
      kernels.rmsNormBackward(dx, dGain, dOut, x, gain, eps);
    } else {
      Tensor dBias = gradients.add(name + ".bias").orElse(null);
      kernels.layerNormBackward(dx, dGain, dBias, dOut, x, gain, eps);
    }
  }
}
