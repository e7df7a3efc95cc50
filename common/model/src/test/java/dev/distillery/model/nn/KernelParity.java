package dev.distillery.model.nn;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.random.CounterRandom;
import dev.distillery.model.format.Activation;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What every kernel set must pass: its fused operations give what their defaults give, which are
 * written out in double, on tensors of odd sizes with and without gaps between their rows.
 */
public abstract class KernelParity {
  private static final double TOLERANCE = 2e-6;
  private static final double EPS = 1e-5;

  /** The kernels under test. */
  protected abstract Kernels kernels();

  /** The plain operations of the portable kernels, and the defaults of all others. */
  private static final class Plain implements Kernels {
    private final PortableKernels portable = new PortableKernels();

    @Override
    public String describe() {
      return "defaults";
    }

    @Override
    public Memory allocate(long values) {
      return portable.allocate(values);
    }

    @Override
    public void matmul(
        Tensor out,
        Tensor a,
        boolean transposeA,
        Tensor b,
        boolean transposeB,
        double alpha,
        double beta) {
      portable.matmul(out, a, transposeA, b, transposeB, alpha, beta);
    }

    @Override
    public void fill(Tensor out, double value) {
      portable.fill(out, value);
    }

    @Override
    public void copy(Tensor out, Tensor x) {
      portable.copy(out, x);
    }

    @Override
    public void add(Tensor out, Tensor x, double scale) {
      portable.add(out, x, scale);
    }

    @Override
    public void scale(Tensor out, double factor) {
      portable.scale(out, factor);
    }

    @Override
    public void gather(Tensor out, Tensor table, Ids ids) {
      portable.gather(out, table, ids);
    }

    @Override
    public void scatterAdd(Tensor table, Ids ids, Tensor x) {
      portable.scatterAdd(table, ids, x);
    }

    @Override
    public void scatter(Tensor table, Ids ids, Tensor x) {
      portable.scatter(table, ids, x);
    }

    @Override
    public void attention(
        Tensor out, Tensor logSumExp, Tensor q, Tensor k, Tensor v, AttentionPlan plan) {
      portable.attention(out, logSumExp, q, k, v, plan);
    }

    @Override
    public void attentionBackward(
        Tensor dq,
        Tensor dk,
        Tensor dv,
        Tensor dOut,
        Tensor out,
        Tensor logSumExp,
        Tensor q,
        Tensor k,
        Tensor v,
        AttentionPlan plan) {
      portable.attentionBackward(dq, dk, dv, dOut, out, logSumExp, q, k, v, plan);
    }

    @Override
    public void gate(Tensor out, Tensor gateUp, Activation activation) {
      portable.gate(out, gateUp, activation);
    }

    @Override
    public void gateBackward(Tensor gateUp, Tensor dOut, Activation activation) {
      portable.gateBackward(gateUp, dOut, activation);
    }

    @Override
    public Packed pack(Tensor weights, boolean inputsFirst) {
      return portable.pack(weights, inputsFirst);
    }

    @Override
    public void project(Tensor out, Tensor x, Packed weights) {
      portable.project(out, x, weights);
    }

    @Override
    public void close() {}
  }

  /** Runs an operation on both sets, on equal random tensors, and compares all of them after it. */
  private void check(Operation operation, int[]... shapes) {
    for (int gap : new int[] {0, 5}) {
      List<float[]> own;
      List<float[]> expected;
      try (Kernels kernels = kernels()) {
        own = run(kernels, operation, gap, shapes);
      }
      try (Kernels plain = new Plain()) {
        expected = run(plain, operation, gap, shapes);
      }
      for (int t = 0; t < shapes.length; t++) {
        float[] values = expected.get(t);
        double[] wide = new double[values.length];
        Arrays.setAll(wide, i -> values[i]);
        assertThat(Golden.relativeError(own.get(t), wide))
            .as(String.format(Locale.ROOT, "tensor %d with a gap of %d", t, gap))
            .isLessThan(TOLERANCE);
      }
    }
  }

  private interface Operation {
    void run(Kernels kernels, List<Tensor> tensors);
  }

  private static List<float[]> run(Kernels kernels, Operation operation, int gap, int[][] shapes) {
    List<Tensor> tensors = new ArrayList<>();
    for (int t = 0; t < shapes.length; t++) {
      // A vector is contiguous; matrices lie in wider ones.
      int rows = shapes[t][0];
      int columns = shapes[t][1];
      int width = rows == 1 ? columns : columns + gap;
      Tensor tensor = kernels.tensor(rows, width).columns(width - columns, columns);
      float[] values = new float[rows * columns];
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) CounterRandom.gaussian(t, i);
      }
      tensor.write(values);
      tensors.add(tensor);
    }
    operation.run(kernels, tensors);
    List<float[]> results = tensors.stream().map(Tensor::toArray).toList();
    tensors.forEach(t -> t.memory().close());
    return results;
  }

  private static int[] shape(int rows, int columns) {
    return new int[] {rows, columns};
  }

  @Test
  void rowsAreAddedAndSummed() {
    check((k, t) -> k.addRow(t.get(0), t.get(1)), shape(7, 37), shape(1, 37));
    check((k, t) -> k.addColumnSums(t.get(0), t.get(1)), shape(1, 37), shape(7, 37));
  }

  @Test
  void squaresAreSummed() {
    check((k, t) -> k.sumOfSquares(t.get(0), t.get(1)), shape(1, 1), shape(1, 70_003));
  }

  @Test
  void norms() {
    check(
        (k, t) -> k.rmsNorm(t.get(0), t.get(1), t.get(2), EPS),
        shape(5, 37),
        shape(5, 37),
        shape(1, 37));
    check(
        (k, t) -> k.layerNorm(t.get(0), t.get(1), t.get(2), t.get(3), EPS),
        shape(5, 37),
        shape(5, 37),
        shape(1, 37),
        shape(1, 37));
  }

  @Test
  void gradientsOfNorms() {
    check(
        (k, t) -> k.rmsNormBackward(t.get(0), t.get(1), t.get(2), t.get(3), t.get(4), EPS),
        shape(5, 37),
        shape(1, 37),
        shape(5, 37),
        shape(5, 37),
        shape(1, 37));
    check(
        (k, t) ->
            k.layerNormBackward(t.get(0), t.get(1), t.get(2), t.get(3), t.get(4), t.get(5), EPS),
        shape(5, 37),
        shape(1, 37),
        shape(1, 37),
        shape(5, 37),
        shape(5, 37),
        shape(1, 37));
  }

  @Test
  void rotations() {
    for (boolean inverse : new boolean[] {false, true}) {
      check(
          (k, t) -> k.rotate(t.get(0), t.get(1), t.get(2), inverse),
          shape(5, 30),
          shape(5, 5),
          shape(5, 5));
    }
  }

  @ParameterizedTest
  @EnumSource(Activation.class)
  void activations(Activation activation) {
    check((k, t) -> k.activate(t.get(0), t.get(1), activation), shape(5, 37), shape(5, 37));
    check((k, t) -> k.activateBackward(t.get(0), t.get(1), activation), shape(5, 37), shape(5, 37));
  }

  @Test
  void masksOfDropout() {
    check((k, t) -> k.dropout(t.get(0), 0.3, new long[] {1, 2, 3, 4, 5}), shape(5, 37));
  }

  @Test
  void logProbabilitiesAndTheirGradient() {
    int[] targets = {0, 36, 7, 7, 12};
    double[] weights = {-0.5, 0, 1, -2, 0.25};
    check((k, t) -> k.logProbs(t.get(0), t.get(1), k.ids(targets)), shape(5, 3), shape(5, 37));
    check(
        (k, t) -> k.logProbsBackward(t.get(0), t.get(1), k.ids(targets), weights),
        shape(5, 3),
        shape(5, 37));
  }

  @Test
  void stepsOfAdamW() {
    Kernels.AdamWStep step = new Kernels.AdamWStep(3, 1e-2, 0.9, 0.95, 1e-8, 0.1, 0.5);
    check(
        (k, t) -> {
          // Second moments are never negative.
          float[] v = t.get(3).toArray();
          for (int i = 0; i < v.length; i++) {
            v[i] = v[i] * v[i];
          }
          t.get(3).write(v);
          k.adamW(t.get(0), t.get(1), t.get(2), t.get(3), step);
        },
        shape(1, 1037),
        shape(1, 1037),
        shape(1, 1037),
        shape(1, 1037));
  }
}
