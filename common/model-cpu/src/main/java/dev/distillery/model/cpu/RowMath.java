package dev.distillery.model.cpu;

import static dev.distillery.model.cpu.Lanes.FLOATS;
import static dev.distillery.model.cpu.Lanes.WIDTH;
import static dev.distillery.model.cpu.Lanes.broadcast;
import static dev.distillery.model.cpu.Lanes.load;
import static dev.distillery.model.cpu.Lanes.store;

import dev.distillery.model.format.Activation;
import dev.distillery.model.nn.Kernels.AdamWStep;
import java.nio.ByteBuffer;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** Element-wise and reducing loops over one row, at byte offsets of buffers. */
final class RowMath {
  private static final float SQRT_2_OVER_PI = (float) Math.sqrt(2 / Math.PI);
  private static final float GELU_CUBE = 0.044715f;

  private RowMath() {}

  static void fill(ByteBuffer out, int at, float value, int n) {
    FloatVector v = broadcast(value);
    for (int i = 0; i < n; i += WIDTH) {
      store(v, out, at, i, n);
    }
  }

  static void copy(ByteBuffer out, int at, ByteBuffer x, int from, int n) {
    for (int i = 0; i < n; i += WIDTH) {
      store(load(x, from, i, n), out, at, i, n);
    }
  }

  /** out += scale x. */
  static void add(ByteBuffer out, int at, ByteBuffer x, int from, float scale, int n) {
    FloatVector s = broadcast(scale);
    for (int i = 0; i < n; i += WIDTH) {
      store(load(x, from, i, n).fma(s, load(out, at, i, n)), out, at, i, n);
    }
  }

  static void scale(ByteBuffer out, int at, float factor, int n) {
    for (int i = 0; i < n; i += WIDTH) {
      store(load(out, at, i, n).mul(factor), out, at, i, n);
    }
  }

  static float sum(ByteBuffer x, int at, int n) {
    FloatVector sum = FloatVector.zero(FLOATS);
    for (int i = 0; i < n; i += WIDTH) {
      sum = sum.add(load(x, at, i, n));
    }
    return Lanes.sum(sum);
  }

  static float dot(ByteBuffer a, int atA, ByteBuffer b, int atB, int n) {
    FloatVector sum = FloatVector.zero(FLOATS);
    for (int i = 0; i < n; i += WIDTH) {
      sum = load(a, atA, i, n).fma(load(b, atB, i, n), sum);
    }
    return Lanes.sum(sum);
  }

  /** out[j] = the dot product of a and row j of a matrix. */
  static void dots(
      ByteBuffer out,
      int at,
      ByteBuffer a,
      int atA,
      ByteBuffer rows,
      int first,
      int stride,
      int count,
      int n) {
    for (int j = 0; j < count; j++) {
      out.putFloat(at + 4 * j, dot(a, atA, rows, first + 4 * j * stride, n));
    }
  }

  /** out = the sum of a matrix's rows, each times its weight, in their order. */
  static void weightedSum(
      ByteBuffer out,
      int at,
      ByteBuffer rows,
      int first,
      int stride,
      ByteBuffer weights,
      int weightAt,
      int count,
      int n) {
    for (int i = 0; i < n; i += WIDTH) {
      FloatVector sum = FloatVector.zero(FLOATS);
      for (int j = 0; j < count; j++) {
        FloatVector weight = broadcast(weights.getFloat(weightAt + 4 * j));
        sum = load(rows, first + 4 * j * stride, i, n).fma(weight, sum);
      }
      store(sum, out, at, i, n);
    }
  }

  /** Sum of (x - shift)^2. */
  static float squares(ByteBuffer x, int at, float shift, int n) {
    FloatVector sum = FloatVector.zero(FLOATS);
    for (int i = 0; i < n; i += WIDTH) {
      FloatVector v = load(x, at, i, n).sub(shift);
      if (i + WIDTH > n) {
        v = FloatVector.zero(FLOATS).blend(v, FLOATS.indexInRange(i, n));
      }
      sum = v.fma(v, sum);
    }
    return Lanes.sum(sum);
  }

  /** out = (x - shift) factor gain. */
  static void normalise(
      ByteBuffer out,
      int at,
      ByteBuffer x,
      int from,
      float shift,
      float factor,
      ByteBuffer gain,
      int gainAt,
      int n) {
    for (int i = 0; i < n; i += WIDTH) {
      FloatVector v = load(x, from, i, n).sub(shift).mul(factor);
      store(v.mul(load(gain, gainAt, i, n)), out, at, i, n);
    }
  }

  /** Sum of dOut gain (x - shift) factor: what the norms' gradients project on. */
  static float normProjection(
      ByteBuffer dOut,
      int dOutAt,
      ByteBuffer x,
      int from,
      float shift,
      float factor,
      ByteBuffer gain,
      int gainAt,
      int n) {
    FloatVector sum = FloatVector.zero(FLOATS);
    for (int i = 0; i < n; i += WIDTH) {
      FloatVector g = load(dOut, dOutAt, i, n).mul(load(gain, gainAt, i, n));
      sum = load(x, from, i, n).sub(shift).mul(factor).fma(g, sum);
    }
    return Lanes.sum(sum);
  }

  /** dx += factor (dOut gain - meanG - (x - shift) factor meanProjection). */
  static void normBackward(
      ByteBuffer dx,
      int at,
      ByteBuffer dOut,
      int dOutAt,
      ByteBuffer x,
      int from,
      float shift,
      float factor,
      float meanG,
      float meanProjection,
      ByteBuffer gain,
      int gainAt,
      int n) {
    FloatVector f = broadcast(factor);
    for (int i = 0; i < n; i += WIDTH) {
      FloatVector g = load(dOut, dOutAt, i, n).mul(load(gain, gainAt, i, n)).sub(meanG);
      FloatVector normal = load(x, from, i, n).sub(shift).mul(factor);
      FloatVector slope = g.sub(normal.mul(meanProjection));
      store(slope.fma(f, load(dx, at, i, n)), dx, at, i, n);
    }
  }

  /** dGain += dOut (x - shift) factor on columns [begin, end) of a row. */
  static void gainBackward(
      ByteBuffer dGain,
      int at,
      ByteBuffer dOut,
      int dOutAt,
      ByteBuffer x,
      int from,
      float shift,
      float factor,
      int begin,
      int end) {
    for (int i = begin; i < end; i += WIDTH) {
      FloatVector normal = load(x, from, i, end).sub(shift).mul(factor);
      store(load(dOut, dOutAt, i, end).fma(normal, load(dGain, at, i, end)), dGain, at, i, end);
    }
  }

  /** The two halves of one head, n values each, rotated in place. */
  static void rotate(
      ByteBuffer x,
      int at,
      ByteBuffer cos,
      int cosAt,
      ByteBuffer sin,
      int sinAt,
      float sign,
      int n) {
    int second = at + n * 4;
    for (int i = 0; i < n; i += WIDTH) {
      FloatVector a = load(x, at, i, n);
      FloatVector b = load(x, second, i, n);
      FloatVector c = load(cos, cosAt, i, n);
      FloatVector s = load(sin, sinAt, i, n).mul(sign);
      store(a.mul(c).sub(b.mul(s)), x, at, i, n);
      store(b.mul(c).add(a.mul(s)), x, second, i, n);
    }
  }

  static void swiglu(ByteBuffer out, int at, ByteBuffer gateUp, int gate, int n) {
    int up = gate + n * 4;
    for (int i = 0; i < n; i += WIDTH) {
      FloatVector g = load(gateUp, gate, i, n);
      store(g.mul(Lanes.sigmoid(g)).mul(load(gateUp, up, i, n)), out, at, i, n);
    }
  }

  /** dGate = dOut up s (1 + gate (1 - s)), dUp = dOut gate s, with s = sigmoid(gate). */
  static void swigluBackward(ByteBuffer gateUp, int gate, ByteBuffer dOut, int at, int n) {
    int up = gate + n * 4;
    for (int i = 0; i < n; i += WIDTH) {
      FloatVector g = load(gateUp, gate, i, n);
      FloatVector d = load(dOut, at, i, n);
      FloatVector s = Lanes.sigmoid(g);
      FloatVector silu = g.mul(s);
      FloatVector slope = s.add(silu.mul(broadcast(1f).sub(s)));
      store(d.mul(load(gateUp, up, i, n)).mul(slope), gateUp, gate, i, n);
      store(d.mul(silu), gateUp, up, i, n);
    }
  }

  static void activate(
      ByteBuffer out, int at, ByteBuffer x, int from, Activation activation, int n) {
    for (int i = 0; i < n; i += WIDTH) {
      FloatVector v = load(x, from, i, n);
      store(v.mul(cumulative(v, activation)), out, at, i, n);
    }
  }

  /** x becomes dOut (c + x c'), where activation(x) = x c(x). */
  static void activateBackward(
      ByteBuffer x, int at, ByteBuffer dOut, int from, Activation activation, int n) {
    for (int i = 0; i < n; i += WIDTH) {
      FloatVector v = load(x, at, i, n);
      FloatVector c = cumulative(v, activation);
      FloatVector slope = v.fma(slope(v, c, activation), c);
      store(slope.mul(load(dOut, from, i, n)), x, at, i, n);
    }
  }

  /** c'(x), given c = c(x). */
  private static FloatVector slope(FloatVector x, FloatVector c, Activation activation) {
    return switch (activation) {
      case SILU -> c.mul(broadcast(1f).sub(c));
      case GELU_TANH ->
          c.mul(broadcast(1f).sub(c))
              .mul(x.mul(x).fma(broadcast(3 * GELU_CUBE), broadcast(1f)).mul(2 * SQRT_2_OVER_PI));
      case GELU -> Lanes.exp(x.mul(x).mul(-0.5f)).mul((float) (1 / Math.sqrt(2 * Math.PI)));
    };
  }

  /** As {@link #swiglu}, with any activation. */
  static void gate(
      ByteBuffer out, int at, ByteBuffer gateUp, int gate, Activation activation, int n) {
    int up = gate + n * 4;
    for (int i = 0; i < n; i += WIDTH) {
      FloatVector g = load(gateUp, gate, i, n);
      store(g.mul(cumulative(g, activation)).mul(load(gateUp, up, i, n)), out, at, i, n);
    }
  }

  /** As {@link #swigluBackward}, with any activation x c(x): its slope is c + x c'. */
  static void gateBackward(
      ByteBuffer gateUp, int gate, ByteBuffer dOut, int at, Activation activation, int n) {
    int up = gate + n * 4;
    for (int i = 0; i < n; i += WIDTH) {
      FloatVector g = load(gateUp, gate, i, n);
      FloatVector d = load(dOut, at, i, n);
      FloatVector c = cumulative(g, activation);
      FloatVector slope = g.fma(slope(g, c, activation), c);
      store(d.mul(load(gateUp, up, i, n)).mul(slope), gateUp, gate, i, n);
      store(d.mul(g).mul(c), gateUp, up, i, n);
    }
  }

  /** c(x) of activation(x) = x c(x); (1 + tanh u) / 2 = sigmoid(2 u). */
  private static FloatVector cumulative(FloatVector x, Activation activation) {
    return switch (activation) {
      case SILU -> Lanes.sigmoid(x);
      case GELU_TANH ->
          Lanes.sigmoid(
              x.mul(x).fma(broadcast(GELU_CUBE), broadcast(1f)).mul(x).mul(2 * SQRT_2_OVER_PI));
      case GELU -> Lanes.erf(x.mul((float) Math.sqrt(0.5))).add(1f).mul(0.5f);
    };
  }

  static float max(ByteBuffer x, int at, int n) {
    FloatVector max = broadcast(Float.NEGATIVE_INFINITY);
    for (int i = 0; i < n; i += WIDTH) {
      FloatVector v = load(x, at, i, n);
      max =
          i + WIDTH <= n
              ? max.max(v)
              : max.max(broadcast(Float.NEGATIVE_INFINITY).blend(v, FLOATS.indexInRange(i, n)));
    }
    return max.reduceLanes(VectorOperators.MAX);
  }

  /**
   * Values {@code first} to before {@code n} of {@code width} become softmax(scale x), the others
   * 0; width is whole vectors. What is masked stands for -infinity and adds nothing to a sum of at
   * least 1.
   *
   * @return the log of the sum of e^(scale x)
   */
  static float softmax(ByteBuffer x, int at, float scale, int first, int n, int width) {
    int whole = Lanes.whole(n);
    hide(x, at, Float.NEGATIVE_INFINITY, first);
    pad(x, at, n, Float.NEGATIVE_INFINITY);
    float max = max(x, at, whole) * scale;
    float sum = exponentials(x, at, scale, max, whole);
    scale(x, at, 1 / sum, whole);
    clear(x, at, n, width);
    return (float) (max + Math.log(sum));
  }

  /** Sets the first n values; never a tail within a vector, which would slow every fill down. */
  static void hide(ByteBuffer x, int at, float value, int n) {
    int whole = n / WIDTH * WIDTH;
    fill(x, at, value, whole);
    for (int i = whole; i < n; i++) {
      x.putFloat(at + 4 * i, value);
    }
  }

  /** Sets values n to {@code width} to 0. */
  static void clear(ByteBuffer x, int at, int n, int width) {
    pad(x, at, n, 0);
    fill(x, at + 4 * Lanes.whole(n), 0, width - Lanes.whole(n));
  }

  private static void pad(ByteBuffer x, int at, int n, float value) {
    for (int i = n; i < Lanes.whole(n); i++) {
      x.putFloat(at + 4 * i, value);
    }
  }

  /** x = e^(factor x - shift), and their sum; n is whole vectors. */
  static float exponentials(ByteBuffer x, int at, float factor, float shift, int n) {
    FloatVector sum = FloatVector.zero(FLOATS);
    for (int i = 0; i < n; i += WIDTH) {
      FloatVector e = Lanes.exp(load(x, at, i, n).mul(factor).sub(shift));
      store(e, x, at, i, n);
      sum = sum.add(e);
    }
    return Lanes.sum(sum);
  }

  /** Sum of e^(x - shift), x kept. */
  static double sumOfExponentials(ByteBuffer x, int at, float shift, int n) {
    double total = 0;
    for (int begin = 0; begin < n; begin += 4096) {
      int end = Math.min(n, begin + 4096);
      FloatVector sum = FloatVector.zero(FLOATS);
      for (int i = begin; i < end; i += WIDTH) {
        FloatVector e = Lanes.exp(load(x, at, i, end).sub(shift));
        if (i + WIDTH > end) {
          e = FloatVector.zero(FLOATS).blend(e, FLOATS.indexInRange(i, end));
        }
        sum = sum.add(e);
      }
      total += Lanes.sum(sum);
    }
    return total;
  }

  /** Minus the sum of e^z z, where z = x - logSum: the entropy of softmax(x). */
  static float entropy(ByteBuffer x, int at, float logSum, int n) {
    float total = 0;
    for (int begin = 0; begin < n; begin += 4096) {
      int end = Math.min(n, begin + 4096);
      FloatVector sum = FloatVector.zero(FLOATS);
      for (int i = begin; i < end; i += WIDTH) {
        FloatVector z = load(x, at, i, end).sub(logSum);
        FloatVector product = Lanes.exp(z).mul(z);
        if (i + WIDTH > end) {
          product = FloatVector.zero(FLOATS).blend(product, FLOATS.indexInRange(i, end));
        }
        sum = sum.add(product);
      }
      total += Lanes.sum(sum);
    }
    return -total;
  }

  /** x = factor e^(x - logSum); gives what {@link #entropy} gives. */
  static float softmaxGradient(ByteBuffer x, int at, float logSum, float factor, int n) {
    float total = 0;
    for (int begin = 0; begin < n; begin += 4096) {
      int end = Math.min(n, begin + 4096);
      FloatVector sum = FloatVector.zero(FLOATS);
      for (int i = begin; i < end; i += WIDTH) {
        FloatVector z = load(x, at, i, end).sub(logSum);
        FloatVector e = Lanes.exp(z);
        FloatVector product = e.mul(z);
        if (i + WIDTH > end) {
          product = FloatVector.zero(FLOATS).blend(product, FLOATS.indexInRange(i, end));
        }
        sum = sum.add(product);
        store(e.mul(factor), x, at, i, end);
      }
      total += Lanes.sum(sum);
    }
    return -total;
  }

  /** dScores = p (dScores - d) scale. */
  static void scoreGradient(
      ByteBuffer dp, int at, ByteBuffer p, int from, float d, float scale, int n) {
    for (int i = 0; i < n; i += WIDTH) {
      FloatVector v = load(dp, at, i, n).sub(d).mul(scale);
      store(v.mul(load(p, from, i, n)), dp, at, i, n);
    }
  }

  static void adamW(
      ByteBuffer p,
      int pAt,
      ByteBuffer g,
      int gAt,
      ByteBuffer m,
      int mAt,
      ByteBuffer v,
      int vAt,
      int n,
      AdamWStep step) {
    float scale = (float) step.gradScale();
    float decay = (float) (1 - step.learningRate() * step.weightDecay());
    float size = (float) (step.learningRate() / (1 - Math.pow(step.beta1(), (double) step.step())));
    float root = (float) Math.sqrt(1 - Math.pow(step.beta2(), (double) step.step()));
    FloatVector beta1 = broadcast((float) step.beta1());
    FloatVector beta2 = broadcast((float) step.beta2());
    float rest1 = (float) (1 - step.beta1());
    float rest2 = (float) (1 - step.beta2());
    float epsilon = (float) step.epsilon();
    for (int i = 0; i < n; i += WIDTH) {
      FloatVector gradient = load(g, gAt, i, n).mul(scale);
      FloatVector first = load(m, mAt, i, n).fma(beta1, gradient.mul(rest1));
      FloatVector second = load(v, vAt, i, n).fma(beta2, gradient.mul(gradient).mul(rest2));
      store(first, m, mAt, i, n);
      store(second, v, vAt, i, n);
      FloatVector denominator = second.sqrt().div(root).add(epsilon);
      FloatVector update = first.mul(size).div(denominator);
      store(load(p, pAt, i, n).mul(decay).sub(update), p, pAt, i, n);
    }
  }
}
