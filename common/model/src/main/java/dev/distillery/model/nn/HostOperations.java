package dev.distillery.model.nn;

import dev.distillery.core.random.CounterRandom;
import dev.distillery.model.format.Activation;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The fused operations of {@link Kernels} written out on the host, in double, one loop after the
 * other: what a new set computes with until it has its own, and what every set's own is compared
 * with. Slow.
 */
final class HostOperations {
  private static final double SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);
  private static final double GELU_CUBE = 0.044715;

  private HostOperations() {}

  /** Row by row; values [rows * columns]. */
  static double[] read(Tensor tensor) {
    double[] values = new double[Math.toIntExact(tensor.size())];
    for (int r = 0; r < tensor.rows(); r++) {
      long at = tensor.offset() + (long) r * tensor.stride();
      tensor.memory().read(at, values, r * tensor.columns(), tensor.columns());
    }
    return values;
  }

  private static void write(Tensor tensor, double[] values) {
    float[] narrow = new float[values.length];
    for (int i = 0; i < narrow.length; i++) {
      narrow[i] = (float) values[i];
    }
    tensor.write(narrow);
  }

  static void sumOfSquares(Tensor out, Tensor x) {
    write(out, new double[] {Arrays.stream(read(x)).map(v -> v * v).sum()});
  }

  static void addRow(Tensor out, Tensor row) {
    double[] values = read(out);
    double[] added = read(row);
    for (int i = 0; i < values.length; i++) {
      values[i] += added[i % added.length];
    }
    write(out, values);
  }

  static void addColumnSums(Tensor out, Tensor x) {
    double[] sums = read(out);
    double[] values = read(x);
    for (int i = 0; i < values.length; i++) {
      sums[i % sums.length] += values[i];
    }
    write(out, sums);
  }

  /** n = (x - mean) / sqrt(mean((x - mean)^2) + eps), with mean 0 where not centred. */
  private static double[] normal(double[] x, int width, double eps, boolean centred) {
    double[] normal = new double[x.length];
    for (int at = 0; at < x.length; at += width) {
      double factor = factor(x, at, width, eps, centred);
      double mean = centred ? mean(x, at, width) : 0;
      for (int i = at; i < at + width; i++) {
        normal[i] = (x[i] - mean) * factor;
      }
    }
    return normal;
  }

  private static double mean(double[] x, int at, int width) {
    double sum = 0;
    for (int i = at; i < at + width; i++) {
      sum += x[i];
    }
    return sum / width;
  }

  private static double factor(double[] x, int at, int width, double eps, boolean centred) {
    double mean = centred ? mean(x, at, width) : 0;
    double squares = 0;
    for (int i = at; i < at + width; i++) {
      squares += (x[i] - mean) * (x[i] - mean);
    }
    return 1 / Math.sqrt(squares / width + eps);
  }

  /** out = n gain + bias. */
  static void norm(Tensor out, Tensor x, Tensor gain, @Nullable Tensor bias, double eps) {
    double[] normal = normal(read(x), x.columns(), eps, bias != null);
    double[] g = read(gain);
    double[] b = bias == null ? new double[g.length] : read(bias);
    for (int i = 0; i < normal.length; i++) {
      normal[i] = normal[i] * g[i % g.length] + b[i % g.length];
    }
    write(out, normal);
  }

  /**
   * With g = dOut gain: dx += factor (g - mean(g) - n mean(g n)), mean(g) only where centred; dGain
   * += sum of dOut n; dBias += sum of dOut.
   */
  static void normBackward(
      Tensor dx,
      @Nullable Tensor dGain,
      @Nullable Tensor dBias,
      Tensor dOut,
      Tensor x,
      Tensor gain,
      double eps,
      boolean centred) {
    int width = x.columns();
    double[] in = read(x);
    double[] n = normal(in, width, eps, centred);
    double[] d = read(dOut);
    double[] g = read(gain);
    double[] into = read(dx);
    double[] gains = dGain == null ? new double[width] : read(dGain);
    double[] biases = dBias == null ? new double[width] : read(dBias);
    for (int at = 0; at < in.length; at += width) {
      double factor = factor(in, at, width, eps, centred);
      double sum = 0;
      double projection = 0;
      for (int i = 0; i < width; i++) {
        sum += d[at + i] * g[i];
        projection += d[at + i] * g[i] * n[at + i];
        gains[i] += d[at + i] * n[at + i];
        biases[i] += d[at + i];
      }
      double mean = centred ? sum / width : 0;
      for (int i = 0; i < width; i++) {
        into[at + i] += factor * (d[at + i] * g[i] - mean - n[at + i] * projection / width);
      }
    }
    write(dx, into);
    if (dGain != null) {
      write(dGain, gains);
    }
    if (dBias != null) {
      write(dBias, biases);
    }
  }

  static void rotate(Tensor x, Tensor cos, Tensor sin, boolean inverse) {
    int half = cos.columns();
    double[] values = read(x);
    double[] c = read(cos);
    double[] s = read(sin);
    for (int r = 0; r < x.rows(); r++) {
      for (int head = r * x.columns(); head < (r + 1) * x.columns(); head += 2 * half) {
        for (int i = 0; i < half; i++) {
          double a = values[head + i];
          double b = values[head + half + i];
          double sine = inverse ? -s[r * half + i] : s[r * half + i];
          values[head + i] = a * c[r * half + i] - b * sine;
          values[head + half + i] = b * c[r * half + i] + a * sine;
        }
      }
    }
    write(x, values);
  }

  static void activate(Tensor out, Tensor x, Activation activation) {
    write(out, Arrays.stream(read(x)).map(v -> v * cumulative(v, activation)).toArray());
  }

  static void activateBackward(Tensor x, Tensor dOut, Activation activation) {
    double[] values = read(x);
    double[] d = read(dOut);
    for (int i = 0; i < values.length; i++) {
      double v = values[i];
      values[i] = d[i] * (cumulative(v, activation) + v * slope(v, activation));
    }
    write(x, values);
  }

  /** c(x) of activation(x) = x c(x). */
  private static double cumulative(double x, Activation activation) {
    return switch (activation) {
      case SILU -> 1 / (1 + Math.exp(-x));
      case GELU_TANH -> 0.5 * (1 + Math.tanh(SQRT_2_OVER_PI * (x + GELU_CUBE * x * x * x)));
      case GELU -> 0.5 * (1 + erf(x / Math.sqrt(2)));
    };
  }

  /** c'(x). */
  private static double slope(double x, Activation activation) {
    double c = cumulative(x, activation);
    return switch (activation) {
      case SILU -> c * (1 - c);
      case GELU_TANH -> 2 * c * (1 - c) * SQRT_2_OVER_PI * (1 + 3 * GELU_CUBE * x * x);
      case GELU -> Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
    };
  }

  /** Its power series up to 3, and Lentz's continued fraction of erfc beyond. */
  private static double erf(double x) {
    if (Math.abs(x) > 3) {
      double fraction = 0;
      for (int k = 60; k > 0; k--) {
        fraction = k / 2.0 / (Math.abs(x) + fraction);
      }
      double erfc = Math.exp(-x * x) / Math.sqrt(Math.PI) / (Math.abs(x) + fraction);
      return Math.signum(x) * (1 - erfc);
    }
    double term = x;
    double sum = x;
    for (int n = 1; n < 60; n++) {
      term *= -x * x / n;
      sum += term / (2 * n + 1);
    }
    return 2 / Math.sqrt(Math.PI) * sum;
  }

  static void dropout(Tensor x, double probability, long[] rowKeys) {
    double[] values = read(x);
    for (int i = 0; i < values.length; i++) {
      long key = rowKeys[i / x.columns()];
      boolean kept = CounterRandom.uniform(key, i % x.columns()) >= probability;
      values[i] = kept ? values[i] / (1 - probability) : 0;
    }
    write(x, values);
  }

  /** With weights, overwrites the logits with the gradient of the weighted sum of scores. */
  static void logProbs(Tensor scores, Tensor logits, int[] targets, double @Nullable [] weights) {
    int n = logits.columns();
    double[] z = read(logits);
    double[] result = new double[targets.length * Kernels.SCORE_COLUMNS];
    for (int r = 0; r < targets.length; r++) {
      double max = Arrays.stream(z, r * n, (r + 1) * n).max().orElseThrow();
      double sum = Arrays.stream(z, r * n, (r + 1) * n).map(v -> Math.exp(v - max)).sum();
      double logSum = max + Math.log(sum);
      double target = z[r * n + targets[r]];
      double entropy = 0;
      for (int i = r * n; i < (r + 1) * n; i++) {
        double logP = z[i] - logSum;
        entropy -= Math.exp(logP) * logP;
        z[i] = weights == null ? z[i] : -weights[r] * Math.exp(logP);
      }
      if (weights != null) {
        z[r * n + targets[r]] += weights[r];
      }
      result[Kernels.SCORE_COLUMNS * r] = target - logSum;
      result[Kernels.SCORE_COLUMNS * r + 1] = entropy;
      result[Kernels.SCORE_COLUMNS * r + 2] = target == max ? 1 : 0;
    }
    write(scores, result);
    if (weights != null) {
      write(logits, z);
    }
  }

  static void adamW(Tensor parameter, Tensor gradient, Tensor m, Tensor v, Kernels.AdamWStep s) {
    double[] p = read(parameter);
    double[] g = read(gradient);
    double[] first = read(m);
    double[] second = read(v);
    double size = s.learningRate() / (1 - Math.pow(s.beta1(), (double) s.step()));
    double root = Math.sqrt(1 - Math.pow(s.beta2(), (double) s.step()));
    for (int i = 0; i < p.length; i++) {
      double slope = s.gradScale() * g[i];
      first[i] = s.beta1() * first[i] + (1 - s.beta1()) * slope;
      second[i] = s.beta2() * second[i] + (1 - s.beta2()) * slope * slope;
      p[i] -= s.learningRate() * s.weightDecay() * p[i];
      p[i] -= size * first[i] / (Math.sqrt(second[i]) / root + s.epsilon());
    }
    write(parameter, p);
    write(m, first);
    write(v, second);
  }
}
