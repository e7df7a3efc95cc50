package dev.distillery.model.nn;

import dev.distillery.model.format.LayerShape.NormKind;
import org.jspecify.annotations.Nullable;

/** A norm of rows, of the kind that the model has. */
final class Norm {
  private final Kernels kernels;
  private final Workspace workspace;
  private final String name;
  private final NormKind kind;
  private final Tensor weight; // (1, width)
  private final @Nullable Tensor bias; // (1, width)
  private final double eps;

  Norm(
      Kernels kernels,
      Workspace workspace,
      Parameters parameters,
      String name,
      NormKind kind,
      double eps) {
    this.kernels = kernels;
    this.workspace = workspace;
    this.name = name;
    this.kind = kind;
    this.weight = parameters.get(name + ".weight");
    this.bias = parameters.find(name + ".bias").orElse(null);
    this.eps = eps;
  }

  /** Whether its weight is trained. */
  boolean trained(Gradients gradients) {
    return gradients.wants(name + ".weight");
  }

  /** out = norm(x), row by row; out may be x, except for a LayerNorm. */
  void forward(Tensor out, Tensor x) {
    if (bias == null) {
      kernels.rmsNorm(out, x, gain(), eps);
    } else {
      kernels.layerNorm(out, x, gain(), bias, eps);
    }
  }

  /** As {@link #forward} for each head of its width, which lie side by side. */
  void forwardHeads(Tensor out, Tensor x) {
    int width = weight.columns();
    for (int c = 0; c < x.columns(); c += width) {
      forward(out.columns(c, width), x.columns(c, width));
    }
  }

  /** Adds to dx and to the gradients. */
  void backward(Tensor dx, Tensor dOut, Tensor x, Gradients gradients) {
    Tensor dGain = gradients.add(name + ".weight").orElse(null);
    if (bias == null) {
      kernels.rmsNormBackward(dx, dGain, dOut, x, gain(), eps);
    } else {
      Tensor dBias = gradients.add(name + ".bias").orElse(null);
      kernels.layerNormBackward(dx, dGain, dBias, dOut, x, gain(), eps);
    }
  }

  /** The gradient of {@link #forwardHeads}: adds to dx and to the gradients. */
  void backwardHeads(Tensor dx, Tensor dOut, Tensor x, Gradients gradients) {
    int width = weight.columns();
    for (int c = 0; c < x.columns(); c += width) {
      backward(dx.columns(c, width), dOut.columns(c, width), x.columns(c, width), gradients);
    }
  }

  /** What is multiplied with: the weight, or one more. Added each time, as training moves it. */
  private Tensor gain() {
    if (kind != NormKind.RMS_PLUS_ONE) {
      return weight;
    }
    Tensor gain = workspace.get("gain", 1, weight.columns());
    kernels.fill(gain, 1);
    kernels.add(gain, weight, 1);
    return gain;
  }
}
