package dev.distillery.model.cpu;

import static dev.distillery.model.cpu.Lanes.FLOATS;
import static dev.distillery.model.cpu.Lanes.INTS;
import static dev.distillery.model.cpu.Lanes.WIDTH;

import dev.distillery.model.format.TensorType;
import dev.distillery.model.nn.Packed;
import dev.distillery.model.nn.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;

/**
 * A quantised matrix with the blocks of 16 rows woven into each other, so that lanes are outputs:
 * nothing is summed across lanes and one broadcast input serves a whole vector. The numbers are the
 * file's own: half-precision scales and minima, 4-bit or 8-bit integers.
 *
 * <p>A panel of 16 rows is a run of groups, one per 32 inputs: 16 scales, 16 minima where the type
 * has them, then the integers. Eight-bit ones lie input by input; of four-bit ones, a byte holds
 * input 2i in its low half and 2i + 1 in its high half.
 */
final class QuantisedPanels implements Packed {
  private static final int ROWS = 16;
  private static final int GROUP = 32;
  private static final VectorSpecies<Byte> BYTES =
      VectorSpecies.of(byte.class, VectorShape.forBitSize(WIDTH * Byte.SIZE));
  private static final VectorSpecies<Short> SHORTS =
      VectorSpecies.of(short.class, VectorShape.forBitSize(WIDTH * Short.SIZE));
  private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;

  private final int rows;
  private final int columns;
  private final boolean minima;
  private final boolean fourBits;
  private final int bias;
  private final int groupBytes;
  private final int panelBytes;
  private final Pointer memory;
  private final ByteBuffer panels;
  private boolean closed;

  static boolean supports(TensorType type) {
    return switch (type) {
      case Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 -> WIDTH <= ROWS && WIDTH >= 8;
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
    this.minima = type == TensorType.Q4_1 || type == TensorType.Q5_1;
    this.fourBits = type == TensorType.Q4_0 || type == TensorType.Q4_1;
    this.bias = type == TensorType.Q4_0 ? 8 : 0;
    this.groupBytes = ROWS * ((minima ? 4 : 2) + GROUP / (fourBits ? 2 : 1));
    this.panelBytes = groupBytes * (columns / GROUP);
    long bytes = (long) panelBytes * ((rows + ROWS - 1) / ROWS);
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
    int blockBytes = type.blockBytes();
    int origin = blocks.position();
    byte[] integers = new byte[GROUP];
    for (int r = 0; r < rows; r++) {
      for (int g = 0; g < columns / GROUP; g++) {
        int block = origin + (r * (columns / GROUP) + g) * blockBytes;
        int group = r / ROWS * panelBytes + g * groupBytes;
        int lane = r % ROWS;
        panels.putShort(group + 2 * lane, blocks.getShort(block));
        if (minima) {
          panels.putShort(group + 2 * (ROWS + lane), blocks.getShort(block + 2));
        }
        integers(type, blocks, block, integers);
        int values = group + ROWS * (minima ? 4 : 2) + lane;
        for (int i = 0; i < GROUP; i++) {
          if (!fourBits) {
            panels.put(values + i * ROWS, integers[i]);
          } else if (i % 2 == 0) {
            panels.put(values + i / 2 * ROWS, (byte) (integers[i] | integers[i + 1] << 4));
          }
        }
      }
    }
  }

  /**
   * The integers of one block, in order of the inputs. ggml keeps element i and i + 16 in a byte.
   */
  private static void integers(TensorType type, ByteBuffer blocks, int at, byte[] into) {
    switch (type) {
      case Q8_0 -> blocks.get(at + 2, into);
      case Q4_0 -> nibbles(blocks, at + 2, into);
      case Q4_1 -> nibbles(blocks, at + 4, into);
      case Q5_0, Q5_1 -> {
        int high = blocks.getInt(at + (type == TensorType.Q5_0 ? 2 : 4));
        nibbles(blocks, at + (type == TensorType.Q5_0 ? 6 : 8), into);
        for (int i = 0; i < GROUP; i++) {
          int value = into[i] | (high >>> i & 1) << 4;
          into[i] = (byte) (type == TensorType.Q5_0 ? value - 16 : value);
        }
      }
      default -> throw new UnsupportedOperationException("Cannot decode from " + type);
    }
  }

  private static void nibbles(ByteBuffer blocks, int at, byte[] into) {
    for (int i = 0; i < 16; i++) {
      int pair = blocks.get(at + i);
      into[i] = (byte) (pair & 15);
      into[i + 16] = (byte) (pair >>> 4 & 15);
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
    return (long) panelBytes * ((rows + ROWS - 1) / ROWS);
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      Pointer.free(memory);
    }
  }

  /** out = xs W^T, where row m of the inputs begins at m * stride. */
  void project(Workers workers, Tensor out, float[] xs, int stride, int count) {
    if (closed) {
      throw new IllegalStateException("These weights were closed");
    }
    float[] sums = groupSums(xs, stride, count);
    int all = (rows + ROWS - 1) / ROWS;
    int perTask = 4;
    workers.forTasks(
        (all + perTask - 1) / perTask,
        t -> {
          float[] results = new float[4 * WIDTH];
          for (int p = t * perTask; p < Math.min(all, (t + 1) * perTask); p++) {
            for (int half = 0; half < ROWS; half += WIDTH) {
              panel(out, xs, stride, count, sums, p, half, results);
            }
          }
        });
  }

  /** The sum of the inputs of each group, which a minimum is multiplied by. */
  private float[] groupSums(float[] xs, int stride, int count) {
    int groups = columns / GROUP;
    float[] sums = new float[minima ? count * groups : 0];
    for (int i = 0; i < sums.length; i++) {
      int from = i / groups * stride + i % groups * GROUP;
      for (int j = 0; j < GROUP; j++) {
        sums[i] += xs[from + j];
      }
    }
    return sums;
  }

  private void panel(
      Tensor out,
      float[] xs,
      int stride,
      int count,
      float[] sums,
      int panel,
      int half,
      float[] results) {
    int at = panel * panelBytes;
    int groups = columns / GROUP;
    int lanes = Math.min(WIDTH, rows - panel * ROWS - half);
    if (lanes <= 0) {
      return;
    }
    ByteBuffer into = CpuMemory.buffer(out);
    for (int m = 0; m < count; ) {
      int tile = m + 4 <= count ? 4 : 1;
      if (tile == 4) {
        four(at, half, xs, m * stride, stride, sums, m * groups, results);
      } else {
        one(at, half, xs, m * stride, sums, m * groups, results);
      }
      for (int i = 0; i < tile; i++) {
        int row = CpuMemory.at(out, m + i) + 4 * (panel * ROWS + half);
        for (int l = 0; l < lanes; l++) {
          into.putFloat(row + 4 * l, results[i * WIDTH + l]);
        }
      }
      m += tile;
    }
  }

  private void one(
      int at, int half, float[] xs, int x, float[] sums, int firstSum, float[] results) {
    FloatVector total = FloatVector.zero(FLOATS);
    int header = ROWS * (minima ? 4 : 2);
    int groups = columns / GROUP;
    for (int g = 0; g < groups; g++) {
      int group = at + g * groupBytes;
      int values = group + header + half;
      int from = x + g * GROUP;
      FloatVector even = FloatVector.zero(FLOATS);
      FloatVector odd = even;
      if (fourBits) {
        for (int i = 0; i < GROUP; i += 2) {
          IntVector pair = bytes(values + i / 2 * ROWS);
          even = low(pair).fma(broadcast(xs, from + i), even);
          odd = high(pair).fma(broadcast(xs, from + i + 1), odd);
        }
      } else {
        for (int i = 0; i < GROUP; i += 2) {
          even = floats(bytes(values + i * ROWS)).fma(broadcast(xs, from + i), even);
          odd = floats(bytes(values + (i + 1) * ROWS)).fma(broadcast(xs, from + i + 1), odd);
        }
      }
      total = even.add(odd).fma(halves(group + 2 * half), total);
      if (minima) {
        total = halves(group + 2 * (ROWS + half)).fma(broadcast(sums, firstSum + g), total);
      }
    }
    total.intoArray(results, 0);
  }

  private void four(
      int at,
      int half,
      float[] xs,
      int x,
      int stride,
      float[] sums,
      int firstSum,
      float[] results) {
    FloatVector zero = FloatVector.zero(FLOATS);
    FloatVector total0 = zero;
    FloatVector total1 = zero;
    FloatVector total2 = zero;
    FloatVector total3 = zero;
    int header = ROWS * (minima ? 4 : 2);
    int groups = columns / GROUP;
    for (int g = 0; g < groups; g++) {
      int group = at + g * groupBytes;
      int values = group + header + half;
      int from = x + g * GROUP;
      FloatVector even0 = zero, even1 = zero, even2 = zero, even3 = zero;
      FloatVector odd0 = zero, odd1 = zero, odd2 = zero, odd3 = zero;
      for (int i = 0; i < GROUP; i += 2) {
        FloatVector a;
        FloatVector b;
        if (fourBits) {
          IntVector pair = bytes(values + i / 2 * ROWS);
          a = low(pair);
          b = high(pair);
        } else {
          a = floats(bytes(values + i * ROWS));
          b = floats(bytes(values + (i + 1) * ROWS));
        }
        even0 = a.fma(broadcast(xs, from + i), even0);
        odd0 = b.fma(broadcast(xs, from + i + 1), odd0);
        even1 = a.fma(broadcast(xs, from + stride + i), even1);
        odd1 = b.fma(broadcast(xs, from + stride + i + 1), odd1);
        even2 = a.fma(broadcast(xs, from + 2 * stride + i), even2);
        odd2 = b.fma(broadcast(xs, from + 2 * stride + i + 1), odd2);
        even3 = a.fma(broadcast(xs, from + 3 * stride + i), even3);
        odd3 = b.fma(broadcast(xs, from + 3 * stride + i + 1), odd3);
      }
      FloatVector scale = halves(group + 2 * half);
      total0 = even0.add(odd0).fma(scale, total0);
      total1 = even1.add(odd1).fma(scale, total1);
      total2 = even2.add(odd2).fma(scale, total2);
      total3 = even3.add(odd3).fma(scale, total3);
      if (minima) {
        FloatVector minimum = halves(group + 2 * (ROWS + half));
        total0 = minimum.fma(broadcast(sums, firstSum + g), total0);
        total1 = minimum.fma(broadcast(sums, firstSum + groups + g), total1);
        total2 = minimum.fma(broadcast(sums, firstSum + 2 * groups + g), total2);
        total3 = minimum.fma(broadcast(sums, firstSum + 3 * groups + g), total3);
      }
    }
    total0.intoArray(results, 0);
    total1.intoArray(results, WIDTH);
    total2.intoArray(results, 2 * WIDTH);
    total3.intoArray(results, 3 * WIDTH);
  }

  private IntVector bytes(int at) {
    return (IntVector)
        ByteVector.fromByteBuffer(BYTES, panels, at, ORDER)
            .convertShape(VectorOperators.B2I, INTS, 0);
  }

  private FloatVector low(IntVector pair) {
    return floats(pair.and(15).sub(bias));
  }

  private FloatVector high(IntVector pair) {
    return floats(pair.lanewise(VectorOperators.LSHR, 4).and(15).sub(bias));
  }

  private static FloatVector floats(IntVector values) {
    return (FloatVector) values.convert(VectorOperators.I2F, 0);
  }

  private static FloatVector broadcast(float[] values, int at) {
    return FloatVector.broadcast(FLOATS, values[at]);
  }

  /**
   * Half-precision numbers as floats: exponent and fraction moved into place are 2^112 times too
   * small, subnormal ones included.
   */
  private FloatVector halves(int at) {
    IntVector bits =
        (IntVector)
            ShortVector.fromByteBuffer(SHORTS, panels, at, ORDER)
                .convertShape(VectorOperators.S2I, INTS, 0);
    FloatVector magnitude =
        bits.and(0x7fff).lanewise(VectorOperators.LSHL, 13).reinterpretAsFloats().mul(0x1p112f);
    return magnitude
        .reinterpretAsInts()
        .or(bits.and(0x8000).lanewise(VectorOperators.LSHL, 16))
        .reinterpretAsFloats();
  }
}
