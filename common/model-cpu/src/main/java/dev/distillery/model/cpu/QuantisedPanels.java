package dev.distillery.model.cpu;

import static dev.distillery.model.cpu.Lanes.FLOATS;
import static dev.distillery.model.cpu.Lanes.INTS;
import static dev.distillery.model.cpu.Lanes.WIDTH;
import static dev.distillery.model.cpu.Lanes.broadcast;

import dev.distillery.model.format.TensorType;
import dev.distillery.model.nn.Packed;
import dev.distillery.model.nn.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;

/**
 * A quantised matrix whose rows are woven together, as many as a vector has lanes, so that lanes
 * are outputs: nothing is summed across lanes and one broadcast input serves a whole vector. The
 * numbers are the file's own.
 *
 * <p>A panel of {@code WIDTH} rows is a run of groups, one per 32 inputs. A group is a vector of
 * headers, which hold a row's scale and minimum in half precision, and then vectors of integers,
 * each a row's next 8 values of 4 bits or 4 values of 8 bits, the first lowest. A value u stands
 * for scale (u - bias) + minimum.
 *
 * <p>Few inputs are multiplied as the values are unpacked; for more, two panels are unpacked first.
 * Either way an output is one sum in the order of the inputs, so its bits do not depend on how many
 * rows are computed.
 *
 * <p>C2 turns these loops into vector instructions only while a method makes no more than some
 * forty vector calls, and keeps sums in registers only in the innermost two loops; it boxes every
 * vector otherwise, which is fifty times slower. It unrolls loops whose bounds are constants. That
 * is why a group is a method of its own, and one for each number of bits.
 */
final class QuantisedPanels implements Packed {
  private static final int GROUP = 32;

  /** Outputs that a thread takes at a time, in panels. */
  private static final int TASK = 4;

  /** Rows of inputs in a tile. */
  static final int TILE = 8;

  /** As many rows of inputs, or fewer, are multiplied one by one. */
  private static final int FEW = 2;

  private static final int VECTOR_BYTES = WIDTH * Integer.BYTES;
  private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;

  private final int rows;
  private final int columns;
  private final int bits;
  private final int bias;
  private final int groupBytes;
  private final int panelBytes;
  private final Pointer memory;
  private final ByteBuffer panels;
  private boolean closed;

  /** Two unpacked panels and the outputs of a tile: one for each thread, of all matrices. */
  private static final class Scratch {
    private static final ThreadLocal<Scratch> OWN = ThreadLocal.withInitial(Scratch::new);

    private float[] weights = new float[0];
    private final float[] results = new float[2 * TILE * WIDTH];

    float[] weights(int columns) {
      int size = 2 * WIDTH * columns;
      if (weights.length < size) {
        weights = new float[size];
      }
      return weights;
    }
  }

  static boolean supports(TensorType type) {
    return switch (type) {
      case Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 -> true;
      default -> false;
    };
  }

  QuantisedPanels(TensorType type, int rows, int columns, ByteBuffer blocks) {
    if (!supports(type) || columns % GROUP != 0) {
      throw new UnsupportedOperationException(
          "Cannot decode from %s with rows of %d".formatted(type, columns));
    }
    this.rows = rows;
    this.columns = columns;
    this.bits = type == TensorType.Q4_0 || type == TensorType.Q4_1 ? 4 : 8;
    this.bias =
        switch (type) {
          case Q4_0 -> 8;
          case Q5_0 -> 16;
          case Q8_0 -> 128;
          default -> 0;
        };
    this.groupBytes = VECTOR_BYTES * (1 + bits);
    this.panelBytes = groupBytes * (columns / GROUP);
    long bytes = bytes();
    if (bytes > Integer.MAX_VALUE - 8) {
      throw new UnsupportedOperationException("A matrix of " + bytes + " bytes is too large");
    }
    this.memory = Pointer.calloc(1, bytes);
    if (memory == null || memory.isNull()) {
      throw new OutOfMemoryError("No memory for a matrix of " + bytes + " bytes");
    }
    this.panels = new BytePointer(memory).capacity(bytes).asByteBuffer().order(ORDER);
    weave(type, blocks.duplicate().order(ORDER));
  }

  private void weave(TensorType type, ByteBuffer blocks) {
    boolean minima = type == TensorType.Q4_1 || type == TensorType.Q5_1;
    int perWord = Integer.SIZE / bits;
    int origin = blocks.position();
    int[] values = new int[GROUP];
    for (int r = 0; r < rows; r++) {
      for (int g = 0; g < columns / GROUP; g++) {
        int block = origin + (r * (columns / GROUP) + g) * type.blockBytes();
        int at = r / WIDTH * panelBytes + g * groupBytes + r % WIDTH * Integer.BYTES;
        panels.putShort(at, blocks.getShort(block));
        if (minima) {
          panels.putShort(at + Short.BYTES, blocks.getShort(block + Short.BYTES));
        }
        unpack(type, blocks, block, values);
        for (int i = 0; i < GROUP; i += perWord) {
          int word = 0;
          for (int j = 0; j < perWord; j++) {
            word |= values[i + j] << (j * bits);
          }
          panels.putInt(at + VECTOR_BYTES * (1 + i / perWord), word);
        }
      }
    }
  }

  /** The values of one block, in order of the inputs. */
  private static void unpack(TensorType type, ByteBuffer blocks, int at, int[] into) {
    switch (type) {
      case Q8_0 -> {
        for (int i = 0; i < GROUP; i++) {
          into[i] = blocks.get(at + 2 + i) + 128;
        }
      }
      case Q4_0 -> nibbles(blocks, at + 2, into);
      case Q4_1 -> nibbles(blocks, at + 4, into);
      case Q5_0, Q5_1 -> {
        int high = blocks.getInt(at + (type == TensorType.Q5_0 ? 2 : 4));
        nibbles(blocks, at + (type == TensorType.Q5_0 ? 6 : 8), into);
        for (int i = 0; i < GROUP; i++) {
          into[i] |= (high >>> i & 1) << 4;
        }
      }
      default -> throw new UnsupportedOperationException("Cannot decode from " + type);
    }
  }

  /** ggml keeps values i and i + 16 in a byte. */
  private static void nibbles(ByteBuffer blocks, int at, int[] into) {
    for (int i = 0; i < GROUP / 2; i++) {
      int pair = blocks.get(at + i);
      into[i] = pair & 15;
      into[i + GROUP / 2] = pair >>> 4 & 15;
    }
  }

  @Override
  public int rows() {
    return rows;
  }

  @Override
  public int columns() {
    return columns;
  }

  @Override
  public long bytes() {
    return (long) panelBytes * panelCount();
  }

  private int panelCount() {
    return (rows + WIDTH - 1) / WIDTH;
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      Pointer.free(memory);
    }
  }

  /**
   * out = xs W^T, where row m of the inputs begins at m * stride. The inputs' array holds a
   * multiple of {@link #TILE} rows; what lies in those after the last does not matter.
   */
  void project(Workers workers, Tensor out, float[] xs, int stride, int count) {
    if (closed) {
      throw new IllegalStateException("These weights were closed");
    }
    int rest = count % TILE;
    int tiled = rest <= FEW ? count - rest : count;
    int all = panelCount();
    int tasks = (all + TASK - 1) / TASK;
    if (tiled > 0) {
      workers.forTasks(
          tasks, t -> tiles(out, xs, stride, tiled, t * TASK, Math.min(all, (t + 1) * TASK)));
    }
    if (tiled < count) {
      workers.forTasks(
          tasks,
          t -> singles(out, xs, stride, tiled, count, t * TASK, Math.min(all, (t + 1) * TASK)));
    }
  }

  private void tiles(Tensor out, float[] xs, int stride, int count, int from, int to) {
    Scratch own = Scratch.OWN.get();
    float[] weights = own.weights(columns);
    for (int p = from; p < to; p += 2) {
      int pair = Math.min(2, to - p);
      for (int i = 0; i < pair; i++) {
        unpackPanel(p + i, weights, i * WIDTH * columns);
      }
      for (int m = 0; m < count; m += TILE) {
        tile(weights, columns, xs, m * stride, stride, own.results);
        store(out, p, pair, m, Math.min(TILE, count - m), own.results);
      }
    }
  }

  private void singles(
      Tensor out, float[] xs, int stride, int firstRow, int count, int from, int to) {
    float[] results = Scratch.OWN.get().results;
    for (int p = from; p < to; p += 2) {
      // Two sums at once wait half as long for themselves; an odd last panel is added up twice.
      int other = Math.min(p + 1, to - 1);
      for (int m = firstRow; m < count; m++) {
        single(p, other, xs, m * stride, results);
        store(out, p, other - p + 1, m, 1, results);
      }
    }
  }

  /** Results lie panel by panel, TILE rows in each. */
  private void store(Tensor out, int panel, int count, int firstRow, int rowCount, float[] from) {
    ByteBuffer into = CpuMemory.buffer(out);
    for (int p = 0; p < count; p++) {
      int column = (panel + p) * WIDTH;
      int lanes = Math.min(WIDTH, rows - column);
      for (int m = 0; m < rowCount; m++) {
        int at = CpuMemory.at(out, firstRow + m) + Float.BYTES * column;
        int result = (p * TILE + m) * WIDTH;
        if (lanes == WIDTH) {
          FloatVector.fromArray(FLOATS, from, result).intoByteBuffer(into, at, ORDER);
        } else {
          for (int l = 0; l < lanes; l++) {
            into.putFloat(at + Float.BYTES * l, from[result + l]);
          }
        }
      }
    }
  }

  private void single(int panel, int other, float[] xs, int x, float[] results) {
    Arrays.fill(results, 0, WIDTH, 0);
    Arrays.fill(results, TILE * WIDTH, (TILE + 1) * WIDTH, 0);
    int a = panel * panelBytes;
    int b = other * panelBytes;
    for (int g = 0; g < columns; g += GROUP, a += groupBytes, b += groupBytes) {
      if (bits == 4) {
        addGroups4(panels, a, b, bias, xs, x + g, results);
      } else {
        addGroups8(panels, a, b, bias, xs, x + g, results);
      }
    }
  }

  /** The results of each of two panels += the weights of a group times their inputs. */
  private static void addGroups4(
      ByteBuffer panels, int atA, int atB, int bias, float[] xs, int x, float[] results) {
    FloatVector sumA = FloatVector.fromArray(FLOATS, results, 0);
    FloatVector sumB = FloatVector.fromArray(FLOATS, results, TILE * WIDTH);
    IntVector header = load(panels, atA);
    FloatVector scaleA = scale(header);
    FloatVector offsetA = offset(header, scaleA, bias);
    header = load(panels, atB);
    FloatVector scaleB = scale(header);
    FloatVector offsetB = offset(header, scaleB, bias);
    for (int k = 1; k <= 4; k++) {
      IntVector wordA = load(panels, atA + k * VECTOR_BYTES);
      IntVector wordB = load(panels, atB + k * VECTOR_BYTES);
      for (int shift = 0; shift < Integer.SIZE; shift += 4, x++) {
        FloatVector v = broadcast(xs[x]);
        sumA = value(wordA, shift, 0xf).fma(scaleA, offsetA).fma(v, sumA);
        sumB = value(wordB, shift, 0xf).fma(scaleB, offsetB).fma(v, sumB);
      }
    }
    sumA.intoArray(results, 0);
    sumB.intoArray(results, TILE * WIDTH);
  }

  private static void addGroups8(
      ByteBuffer panels, int atA, int atB, int bias, float[] xs, int x, float[] results) {
    FloatVector sumA = FloatVector.fromArray(FLOATS, results, 0);
    FloatVector sumB = FloatVector.fromArray(FLOATS, results, TILE * WIDTH);
    IntVector header = load(panels, atA);
    FloatVector scaleA = scale(header);
    FloatVector offsetA = offset(header, scaleA, bias);
    header = load(panels, atB);
    FloatVector scaleB = scale(header);
    FloatVector offsetB = offset(header, scaleB, bias);
    for (int k = 1; k <= 8; k++) {
      IntVector wordA = load(panels, atA + k * VECTOR_BYTES);
      IntVector wordB = load(panels, atB + k * VECTOR_BYTES);
      for (int shift = 0; shift < Integer.SIZE; shift += 8, x++) {
        FloatVector v = broadcast(xs[x]);
        sumA = value(wordA, shift, 0xff).fma(scaleA, offsetA).fma(v, sumA);
        sumB = value(wordB, shift, 0xff).fma(scaleB, offsetB).fma(v, sumB);
      }
    }
    sumA.intoArray(results, 0);
    sumB.intoArray(results, TILE * WIDTH);
  }

  /** A panel as float32, input by input. */
  private void unpackPanel(int panel, float[] into, int start) {
    int at = panel * panelBytes;
    for (int g = 0; g < columns; g += GROUP, at += groupBytes) {
      if (bits == 4) {
        unpackGroup4(panels, at, bias, into, start + g * WIDTH);
      } else {
        unpackGroup8(panels, at, bias, into, start + g * WIDTH);
      }
    }
  }

  private static void unpackGroup4(ByteBuffer panels, int at, int bias, float[] into, int start) {
    IntVector header = load(panels, at);
    FloatVector scale = scale(header);
    FloatVector offset = offset(header, scale, bias);
    for (int k = 1; k <= 4; k++) {
      IntVector word = load(panels, at + k * VECTOR_BYTES);
      for (int shift = 0; shift < Integer.SIZE; shift += 4, start += WIDTH) {
        value(word, shift, 0xf).fma(scale, offset).intoArray(into, start);
      }
    }
  }

  private static void unpackGroup8(ByteBuffer panels, int at, int bias, float[] into, int start) {
    IntVector header = load(panels, at);
    FloatVector scale = scale(header);
    FloatVector offset = offset(header, scale, bias);
    for (int k = 1; k <= 8; k++) {
      IntVector word = load(panels, at + k * VECTOR_BYTES);
      for (int shift = 0; shift < Integer.SIZE; shift += 8, start += WIDTH) {
        value(word, shift, 0xff).fma(scale, offset).intoArray(into, start);
      }
    }
  }

  /** TILE rows of inputs times two panels. */
  private static void tile(
      float[] weights, int columns, float[] xs, int x, int stride, float[] results) {
    FloatVector zero = FloatVector.zero(FLOATS);
    FloatVector a0 = zero,
        a1 = zero,
        a2 = zero,
        a3 = zero,
        a4 = zero,
        a5 = zero,
        a6 = zero,
        a7 = zero;
    FloatVector b0 = zero,
        b1 = zero,
        b2 = zero,
        b3 = zero,
        b4 = zero,
        b5 = zero,
        b6 = zero,
        b7 = zero;
    for (int i = 0; i < columns; i++) {
      FloatVector a = FloatVector.fromArray(FLOATS, weights, i * WIDTH);
      FloatVector b = FloatVector.fromArray(FLOATS, weights, (columns + i) * WIDTH);
      FloatVector v = broadcast(xs[x + i]);
      a0 = a.fma(v, a0);
      b0 = b.fma(v, b0);
      v = broadcast(xs[x + stride + i]);
      a1 = a.fma(v, a1);
      b1 = b.fma(v, b1);
      v = broadcast(xs[x + 2 * stride + i]);
      a2 = a.fma(v, a2);
      b2 = b.fma(v, b2);
      v = broadcast(xs[x + 3 * stride + i]);
      a3 = a.fma(v, a3);
      b3 = b.fma(v, b3);
      v = broadcast(xs[x + 4 * stride + i]);
      a4 = a.fma(v, a4);
      b4 = b.fma(v, b4);
      v = broadcast(xs[x + 5 * stride + i]);
      a5 = a.fma(v, a5);
      b5 = b.fma(v, b5);
      v = broadcast(xs[x + 6 * stride + i]);
      a6 = a.fma(v, a6);
      b6 = b.fma(v, b6);
      v = broadcast(xs[x + 7 * stride + i]);
      a7 = a.fma(v, a7);
      b7 = b.fma(v, b7);
    }
    a0.intoArray(results, 0);
    a1.intoArray(results, WIDTH);
    a2.intoArray(results, 2 * WIDTH);
    a3.intoArray(results, 3 * WIDTH);
    a4.intoArray(results, 4 * WIDTH);
    a5.intoArray(results, 5 * WIDTH);
    a6.intoArray(results, 6 * WIDTH);
    a7.intoArray(results, 7 * WIDTH);
    b0.intoArray(results, 8 * WIDTH);
    b1.intoArray(results, 9 * WIDTH);
    b2.intoArray(results, 10 * WIDTH);
    b3.intoArray(results, 11 * WIDTH);
    b4.intoArray(results, 12 * WIDTH);
    b5.intoArray(results, 13 * WIDTH);
    b6.intoArray(results, 14 * WIDTH);
    b7.intoArray(results, 15 * WIDTH);
  }

  private static IntVector load(ByteBuffer panels, int at) {
    return IntVector.fromByteBuffer(INTS, panels, at, ORDER);
  }

  private static FloatVector value(IntVector word, int shift, int mask) {
    return (FloatVector)
        word.lanewise(VectorOperators.LSHR, shift)
            .and(mask)
            .convertShape(VectorOperators.I2F, FLOATS, 0);
  }

  /** Stands in a header's low half. */
  private static FloatVector scale(IntVector header) {
    return half(header.lanewise(VectorOperators.LSHL, Short.SIZE));
  }

  /** minimum - bias scale, exact where there is no minimum. */
  private static FloatVector offset(IntVector header, FloatVector scale, int bias) {
    return scale.fma(broadcast(-bias), half(header));
  }

  /**
   * The half-precision number in the high half as a float: sign, exponent and fraction moved into
   * place make a number 2^112 times too small, also of a subnormal one.
   */
  private static FloatVector half(IntVector bits) {
    return bits.lanewise(VectorOperators.ASHR, 3)
        .and(0x8fffe000)
        .reinterpretAsFloats()
        .mul(0x1p112f);
  }
}
