package dev.distillery.model.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.distillery.core.random.CounterRandom;
import dev.distillery.model.format.BlockCodec;
import dev.distillery.model.format.TensorType;
import dev.distillery.model.nn.Packed;
import dev.distillery.model.nn.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ProjectionTest {
  private static final int COLUMNS = 96;

  private static float[] random(int count, long key) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) CounterRandom.gaussian(key, i);
    }
    return values;
  }

  /** Blocks of random bits, but for their scales and minima, which are halves near 1. */
  private static ByteBuffer blocks(TensorType type, int rows) {
    int count = rows * COLUMNS / type.blockValues();
    ByteBuffer bytes =
        ByteBuffer.allocate(count * type.blockBytes()).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < bytes.capacity(); i++) {
      bytes.put(i, (byte) CounterRandom.key(3, i));
    }
    for (int b = 0; b < count; b++) {
      bytes.putShort(b * type.blockBytes(), (short) (0x3800 + b % 1000));
      if (type == TensorType.Q4_1 || type == TensorType.Q5_1) {
        bytes.putShort(b * type.blockBytes() + 2, (short) (0xb800 + b % 1000));
      }
    }
    return bytes;
  }

  @ParameterizedTest
  @EnumSource(
      value = TensorType.class,
      names = {"Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"})
  void quantisedProductsAreThoseOfTheDecodedBlocks(TensorType type) {
    for (int rows : new int[] {16, 37, 130}) {
      ByteBuffer bytes = blocks(type, rows);
      float[] wide = new float[rows * COLUMNS];
      BlockCodec.decode(type, bytes, 0, FloatBuffer.wrap(wide));
      try (CpuKernels kernels = new CpuKernels(2);
          Packed packed = kernels.pack(type, rows, COLUMNS, bytes)) {
        for (int batch : new int[] {1, 4, 7}) {
          check(kernels, packed, wide, rows, batch);
        }
      }
    }
  }

  @Test
  void floatProductsOfOddSizesAreRightAndStridedOutputsAreKept() {
    int rows = 67;
    float[] wide = random(rows * COLUMNS, 5);
    try (CpuKernels kernels = new CpuKernels(2)) {
      Tensor weights = kernels.tensor(rows, COLUMNS);
      weights.write(wide);
      for (int batch : new int[] {1, 3, 4, 9, 22}) {
        check(kernels, kernels.pack(weights, false), wide, rows, batch);
      }
      Tensor inputsFirst = kernels.tensor(COLUMNS, rows);
      float[] transposed = new float[wide.length];
      for (int r = 0; r < rows; r++) {
        for (int c = 0; c < COLUMNS; c++) {
          transposed[c * rows + r] = wide[r * COLUMNS + c];
        }
      }
      inputsFirst.write(transposed);
      try (Packed packed = kernels.pack(inputsFirst, true)) {
        check(kernels, packed, wide, rows, 5);
      }
      weights.memory().close();
      inputsFirst.memory().close();
    }
  }

  /** The product, and that a row computed alone has the same bits. */
  private static void check(CpuKernels kernels, Packed packed, float[] wide, int rows, int batch) {
    float[] inputs = random(batch * COLUMNS, batch);
    Tensor x = kernels.tensor(batch, COLUMNS);
    x.write(inputs);
    Tensor whole = kernels.tensor(batch, rows + 5);
    Tensor out = whole.columns(2, rows);
    kernels.project(out, x, packed);
    float[] results = out.toArray();
    for (int m = 0; m < batch; m++) {
      for (int n = 0; n < rows; n++) {
        double expected = 0;
        double size = 0;
        for (int i = 0; i < COLUMNS; i++) {
          double term = (double) inputs[m * COLUMNS + i] * wide[n * COLUMNS + i];
          expected += term;
          size += Math.abs(term);
        }
        assertThat((double) results[m * rows + n]).isCloseTo(expected, within(2e-6 * size));
      }
      Tensor alone = kernels.tensor(1, rows);
      kernels.project(alone, x.rows(m, 1), packed);
      assertThat(alone.toArray()).isEqualTo(Arrays.copyOfRange(results, m * rows, (m + 1) * rows));
      alone.memory().close();
    }
    assertThat(whole.columns(0, 2).toArray()).containsOnly(0);
    assertThat(whole.columns(rows + 2, 3).toArray()).containsOnly(0);
    x.memory().close();
    whole.memory().close();
  }
}
