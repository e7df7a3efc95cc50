package dev.distillery.model.cpu;

import static dev.distillery.model.cpu.Lanes.FLOATS;
import static dev.distillery.model.cpu.Lanes.WIDTH;
import static dev.distillery.model.cpu.Lanes.load;

import dev.distillery.model.nn.Packed;
import dev.distillery.model.nn.PackedRows;
import dev.distillery.model.nn.Tensor;
import java.nio.ByteBuffer;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/**
 * Products of a few rows with a large matrix, which are bound by reading the matrix: it is read
 * once, whatever the number of rows. Each output is one sum over the inputs in a fixed order, so a
 * row's bits depend on no other row.
 */
final class Projection {
  /** Outputs that a thread takes at a time. */
  private static final int TASK = 64;

  /** There is room for a multiple of so many rows of inputs. */
  private static final int ROWS = QuantisedPanels.TILE;

  /**
   * Rows of inputs from which on weights are copied first: loops over arrays check less. Fewer wait
   * for the weights to be read, and a copy would cost them up to a fifth.
   */
  private static final int MANY = 16;

  private final Workers workers;
  private final ThreadLocal<Scratch> scratch = ThreadLocal.withInitial(Scratch::new);
  private float[] inputs = new float[0];

  /** The outputs of a tile, and four rows of weights with zeros up to whole vectors. */
  private static final class Scratch {
    private final float[] sums = new float[16 * WIDTH];
    private float[] weights = new float[0];

    float[] weights(int size) {
      if (weights.length < size) {
        weights = new float[size];
      }
      return weights;
    }
  }

  Projection(Workers workers) {
    this.workers = workers;
  }

  Packed pack(Tensor weights, boolean inputsFirst) {
    if (!inputsFirst) {
      return new PackedRows(weights, false);
    }
    int outputs = weights.columns();
    int width = weights.rows();
    Tensor transposed = new Tensor(new CpuMemory((long) outputs * width), 0, outputs, width);
    ByteBuffer from = CpuMemory.buffer(weights);
    ByteBuffer into = CpuMemory.buffer(transposed);
    workers.forRange(
        outputs,
        16,
        (begin, end) -> {
          for (int i = 0; i < width; i++) {
            int row = CpuMemory.at(weights, i);
            for (int o = begin; o < end; o++) {
              into.putFloat(4 * (o * width + i), from.getFloat(row + 4 * o));
            }
          }
        });
    return new PackedRows(transposed, true);
  }

  void project(Tensor out, Tensor x, Packed packed) {
    int stride = (x.columns() + WIDTH - 1) / WIDTH * WIDTH;
    int room = (x.rows() + ROWS - 1) / ROWS * ROWS * stride;
    if (inputs.length < room) {
      inputs = new float[room];
    }
    float[] xs = inputs;
    for (int r = 0; r < x.rows(); r++) {
      x.memory().read(x.offset() + (long) r * x.stride(), xs, r * stride, x.columns());
      Arrays.fill(xs, r * stride + x.columns(), (r + 1) * stride, 0);
    }
    int rows = packed.rows();
    if (packed.view() instanceof PackedRows floats) {
      workers.forTasks(
          (rows + TASK - 1) / TASK,
          t ->
              project(out, xs, stride, floats.weights(), t * TASK, Math.min(rows, (t + 1) * TASK)));
    } else {
      ((QuantisedPanels) packed.view()).project(workers, out, xs, stride, x.rows());
    }
  }

  private void project(Tensor out, float[] xs, int stride, Tensor weights, int from, int to) {
    Scratch own = scratch.get();
    float[] sums = own.sums;
    float[] copy = own.weights(4 * stride);
    boolean many = out.rows() >= MANY;
    ByteBuffer w = CpuMemory.buffer(weights);
    ByteBuffer o = CpuMemory.buffer(out);
    int columns = weights.columns();
    int rowBytes = 4 * weights.stride();
    for (int n = from; n < to; n += 4) {
      int count = Math.min(4, to - n);
      int at = CpuMemory.at(weights, n);
      if (many && count == 4) {
        for (int j = 0; j < 4; j++) {
          copy(w, at + j * rowBytes, columns, copy, j * stride);
        }
      }
      for (int m = 0; m < out.rows(); ) {
        if (count == 4 && m + 4 <= out.rows()) {
          if (many) {
            tile4x4(copy, xs, m * stride, stride, sums);
          } else {
            tile4x4(w, at, rowBytes, xs, m * stride, stride, columns, sums);
          }
          for (int i = 0; i < 4; i++) {
            for (int j = 0; j < 4; j++) {
              o.putFloat(CpuMemory.at(out, m + i) + 4 * (n + j), sum(sums, (4 * i + j) * WIDTH));
            }
          }
          m += 4;
        } else if (count == 4) {
          tile1x4(w, at, rowBytes, xs, m * stride, columns, sums);
          for (int j = 0; j < 4; j++) {
            o.putFloat(CpuMemory.at(out, m) + 4 * (n + j), sum(sums, j * WIDTH));
          }
          m++;
        } else {
          for (int j = 0; j < count; j++) {
            tile1x1(w, at + j * rowBytes, xs, m * stride, columns, sums);
            o.putFloat(CpuMemory.at(out, m) + 4 * (n + j), sum(sums, 0));
          }
          m++;
        }
      }
    }
  }

  private static float sum(float[] sums, int at) {
    return Lanes.sum(FloatVector.fromArray(FLOATS, sums, at));
  }

  private static void tile1x1(ByteBuffer w, int at, float[] xs, int x, int columns, float[] sums) {
    FloatVector sum = FloatVector.zero(FLOATS);
    for (int i = 0; i < columns; i += WIDTH) {
      sum = load(w, at, i, columns).fma(FloatVector.fromArray(FLOATS, xs, x + i), sum);
    }
    sum.intoArray(sums, 0);
  }

  private static void tile1x4(
      ByteBuffer w, int at, int rowBytes, float[] xs, int x, int columns, float[] sums) {
    FloatVector s0 = FloatVector.zero(FLOATS);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    for (int i = 0; i < columns; i += WIDTH) {
      FloatVector v = FloatVector.fromArray(FLOATS, xs, x + i);
      s0 = load(w, at, i, columns).fma(v, s0);
      s1 = load(w, at + rowBytes, i, columns).fma(v, s1);
      s2 = load(w, at + 2 * rowBytes, i, columns).fma(v, s2);
      s3 = load(w, at + 3 * rowBytes, i, columns).fma(v, s3);
    }
    s0.intoArray(sums, 0);
    s1.intoArray(sums, WIDTH);
    s2.intoArray(sums, 2 * WIDTH);
    s3.intoArray(sums, 3 * WIDTH);
  }

  private static void copy(ByteBuffer w, int at, int columns, float[] into, int to) {
    for (int i = 0; i < columns; i += WIDTH) {
      load(w, at, i, columns).intoArray(into, to + i);
    }
  }

  private static void tile4x4(float[] w, float[] xs, int x, int stride, float[] sums) {
    FloatVector zero = FloatVector.zero(FLOATS);
    FloatVector a0 = zero, a1 = zero, a2 = zero, a3 = zero;
    FloatVector b0 = zero, b1 = zero, b2 = zero, b3 = zero;
    FloatVector c0 = zero, c1 = zero, c2 = zero, c3 = zero;
    FloatVector d0 = zero, d1 = zero, d2 = zero, d3 = zero;
    for (int i = 0; i < stride; i += WIDTH) {
      FloatVector w0 = FloatVector.fromArray(FLOATS, w, i);
      FloatVector w1 = FloatVector.fromArray(FLOATS, w, stride + i);
      FloatVector w2 = FloatVector.fromArray(FLOATS, w, 2 * stride + i);
      FloatVector w3 = FloatVector.fromArray(FLOATS, w, 3 * stride + i);
      FloatVector v = FloatVector.fromArray(FLOATS, xs, x + i);
      a0 = w0.fma(v, a0);
      a1 = w1.fma(v, a1);
      a2 = w2.fma(v, a2);
      a3 = w3.fma(v, a3);
      v = FloatVector.fromArray(FLOATS, xs, x + stride + i);
      b0 = w0.fma(v, b0);
      b1 = w1.fma(v, b1);
      b2 = w2.fma(v, b2);
      b3 = w3.fma(v, b3);
      v = FloatVector.fromArray(FLOATS, xs, x + 2 * stride + i);
      c0 = w0.fma(v, c0);
      c1 = w1.fma(v, c1);
      c2 = w2.fma(v, c2);
      c3 = w3.fma(v, c3);
      v = FloatVector.fromArray(FLOATS, xs, x + 3 * stride + i);
      d0 = w0.fma(v, d0);
      d1 = w1.fma(v, d1);
      d2 = w2.fma(v, d2);
      d3 = w3.fma(v, d3);
    }
    a0.intoArray(sums, 0);
    a1.intoArray(sums, WIDTH);
    a2.intoArray(sums, 2 * WIDTH);
    a3.intoArray(sums, 3 * WIDTH);
    b0.intoArray(sums, 4 * WIDTH);
    b1.intoArray(sums, 5 * WIDTH);
    b2.intoArray(sums, 6 * WIDTH);
    b3.intoArray(sums, 7 * WIDTH);
    c0.intoArray(sums, 8 * WIDTH);
    c1.intoArray(sums, 9 * WIDTH);
    c2.intoArray(sums, 10 * WIDTH);
    c3.intoArray(sums, 11 * WIDTH);
    d0.intoArray(sums, 12 * WIDTH);
    d1.intoArray(sums, 13 * WIDTH);
    d2.intoArray(sums, 14 * WIDTH);
    d3.intoArray(sums, 15 * WIDTH);
  }

  private static void tile4x4(
      ByteBuffer w,
      int at,
      int rowBytes,
      float[] xs,
      int x,
      int stride,
      int columns,
      float[] sums) {
    FloatVector zero = FloatVector.zero(FLOATS);
    FloatVector a0 = zero, a1 = zero, a2 = zero, a3 = zero;
    FloatVector b0 = zero, b1 = zero, b2 = zero, b3 = zero;
    FloatVector c0 = zero, c1 = zero, c2 = zero, c3 = zero;
    FloatVector d0 = zero, d1 = zero, d2 = zero, d3 = zero;
    for (int i = 0; i < columns; i += WIDTH) {
      FloatVector w0 = load(w, at, i, columns);
      FloatVector w1 = load(w, at + rowBytes, i, columns);
      FloatVector w2 = load(w, at + 2 * rowBytes, i, columns);
      FloatVector w3 = load(w, at + 3 * rowBytes, i, columns);
      FloatVector v = FloatVector.fromArray(FLOATS, xs, x + i);
      a0 = w0.fma(v, a0);
      a1 = w1.fma(v, a1);
      a2 = w2.fma(v, a2);
      a3 = w3.fma(v, a3);
      v = FloatVector.fromArray(FLOATS, xs, x + stride + i);
      b0 = w0.fma(v, b0);
      b1 = w1.fma(v, b1);
      b2 = w2.fma(v, b2);
      b3 = w3.fma(v, b3);
      v = FloatVector.fromArray(FLOATS, xs, x + 2 * stride + i);
      c0 = w0.fma(v, c0);
      c1 = w1.fma(v, c1);
      c2 = w2.fma(v, c2);
      c3 = w3.fma(v, c3);
      v = FloatVector.fromArray(FLOATS, xs, x + 3 * stride + i);
      d0 = w0.fma(v, d0);
      d1 = w1.fma(v, d1);
      d2 = w2.fma(v, d2);
      d3 = w3.fma(v, d3);
    }
    a0.intoArray(sums, 0);
    a1.intoArray(sums, WIDTH);
    a2.intoArray(sums, 2 * WIDTH);
    a3.intoArray(sums, 3 * WIDTH);
    b0.intoArray(sums, 4 * WIDTH);
    b1.intoArray(sums, 5 * WIDTH);
    b2.intoArray(sums, 6 * WIDTH);
    b3.intoArray(sums, 7 * WIDTH);
    c0.intoArray(sums, 8 * WIDTH);
    c1.intoArray(sums, 9 * WIDTH);
    c2.intoArray(sums, 10 * WIDTH);
    c3.intoArray(sums, 11 * WIDTH);
    d0.intoArray(sums, 12 * WIDTH);
    d1.intoArray(sums, 13 * WIDTH);
    d2.intoArray(sums, 14 * WIDTH);
    d3.intoArray(sums, 15 * WIDTH);
  }
}
