package dev.distillery.model.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.PortableKernels;
import dev.distillery.model.nn.Tensor;
import org.junit.jupiter.api.Test;

/** One weight, small gradients and PPO's epsilon, where its place is seen. */
class AdamWTest {
  private static final double[] GRADIENTS = {1e-4, -2e-4, 3e-4};
  private static final double RATE = 0.01;
  private static final double EPSILON = 1e-5;

  /**
   * Pitfall 18: epsilon stands outside the bias correction, as in torch.optim.AdamW, and not inside
   * as in TensorFlow's Adam, which moves the first weights a quarter as far.
   */
  @Test
  void epsilonStandsWherePyTorchHasIt() {
    double torch = 1;
    double tensorFlow = 1;
    double m = 0;
    double v = 0;
    try (Kernels kernels = new PortableKernels()) {
      Tensor weight = scalar(kernels, 1);
      Tensor first = scalar(kernels, 0);
      Tensor second = scalar(kernels, 0);
      for (int t = 1; t <= GRADIENTS.length; t++) {
        double g = GRADIENTS[t - 1];
        m = 0.9 * m + 0.1 * g;
        v = 0.999 * v + 0.001 * g * g;
        double mean = m / (1 - Math.pow(0.9, t));
        double root = Math.sqrt(1 - Math.pow(0.999, t));
        torch -= RATE * mean / (Math.sqrt(v) / root + EPSILON);
        tensorFlow -= RATE * mean * root / (Math.sqrt(v) + EPSILON);
        kernels.adamW(
            weight,
            scalar(kernels, g),
            first,
            second,
            new Kernels.AdamWStep(t, RATE, 0.9, 0.999, EPSILON, 0, 1));
        assertThat((double) weight.toArray()[0]).as("step " + t).isCloseTo(torch, within(1e-6));
        assertThat(Math.abs(torch - tensorFlow)).isGreaterThan(1e-4);
      }
    }
  }

  private static Tensor scalar(Kernels kernels, double value) {
    Tensor tensor = kernels.tensor(1, 1);
    tensor.write(new float[] {(float) value});
    return tensor;
  }
}
