package dev.distillery.model.format;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;

/**
 * Values to and from their stored form. The block layouts are ggml's (ggml-common.h, ggml-quants.c)
 * and the results are bit-equal to its reference functions, but for the search behind blocks of 256
 * ({@link KQuantiser}).
 */
public final class BlockCodec {
  /** Adding minus zero leaves every value as it is, minus zero too. */
  private static final float NO_OFFSET = -0f;

  private BlockCodec() {}

  /**
   * Decodes whole blocks.
   *
   * @param source little-endian; its position does not move
   * @param offset where in {@code source} the first block begins
   * @param into takes as many values as it has room for: a multiple of the type's block
   */
  public static void decode(TensorType type, ByteBuffer source, int offset, FloatBuffer into) {
    if (source.order() != ByteOrder.LITTLE_ENDIAN) {
      throw new IllegalArgumentException("Blocks are little-endian");
    }
    int count = into.remaining();
    if (count % type.blockValues() != 0) {
      throw new IllegalArgumentException(
          "Only whole blocks of " + type.blockValues() + " can be decoded: " + count);
    }
    if (type == TensorType.F32) {
      into.put(source.slice(offset, 4 * count).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer());
      return;
    }
    float[] block = new float[type.quantised() ? type.blockValues() : 256];
    for (int done = 0, at = offset; done < count; done += block.length) {
      int values = Math.min(block.length, count - done);
      switch (type) {
        case F64 -> {
          for (int i = 0; i < values; i++) {
            block[i] = (float) source.getDouble(at + 8 * i);
          }
        }
        case F32 -> throw new AssertionError("decoded above");
        case F16 -> {
          for (int i = 0; i < values; i++) {
            block[i] = HalfFloat.toFloat(source.getShort(at + 2 * i));
          }
        }
        case BF16 -> {
          for (int i = 0; i < values; i++) {
            block[i] = HalfFloat.bfloat16ToFloat(source.getShort(at + 2 * i));
          }
        }
        case Q4_0 -> q4(source, at + 2, half(source, at), 8, NO_OFFSET, block);
        case Q4_1 -> q4(source, at + 4, half(source, at), 0, half(source, at + 2), block);
        case Q5_0 -> q5(source, at + 2, half(source, at), 16, NO_OFFSET, block);
        case Q5_1 -> q5(source, at + 4, half(source, at), 0, half(source, at + 2), block);
        case Q8_0 -> q8(source, at + 2, half(source, at), block);
        case Q4_K -> q4k(source, at, block);
        case Q5_K -> q5k(source, at, block);
        case Q6_K -> q6k(source, at, block);
      }
      into.put(block, 0, values);
      at += Math.toIntExact(type.bytes(values));
    }
  }

  /** Low nibbles are values 0 to 15, high nibbles 16 to 31: y = (q - zero) d + m. */
  private static void q4(ByteBuffer source, int at, float d, int zero, float m, float[] y) {
    for (int i = 0; i < 16; i++) {
      int q = source.get(at + i);
      y[i] = ((q & 15) - zero) * d + m;
      y[i + 16] = (((q >> 4) & 15) - zero) * d + m;
    }
  }

  /** As {@link #q4} with a fifth bit for each value in 32 bits before the nibbles. */
  private static void q5(ByteBuffer source, int at, float d, int zero, float m, float[] y) {
    int high = source.getInt(at);
    for (int i = 0; i < 16; i++) {
      int q = source.get(at + 4 + i);
      y[i] = (((q & 15) | (((high >>> i) & 1) << 4)) - zero) * d + m;
      y[i + 16] = ((((q >> 4) & 15) | (((high >>> (i + 16)) & 1) << 4)) - zero) * d + m;
    }
  }

  private static void q8(ByteBuffer source, int at, float d, float[] y) {
    for (int i = 0; i < 32; i++) {
      y[i] = source.get(at + i) * d;
    }
  }

  /** d, dmin, 12 bytes of 6-bit scales and minima, 128 bytes of nibbles: y = d sc q - dmin mn. */
  private static void q4k(ByteBuffer source, int at, float[] y) {
    float d = half(source, at);
    float dmin = half(source, at + 2);
    for (int sub = 0; sub < 8; sub++) {
      float scale = d * scale(source, at + 4, sub);
      float min = dmin * min(source, at + 4, sub);
      int nibbles = at + 16 + 32 * (sub / 2);
      for (int i = 0; i < 32; i++) {
        y[32 * sub + i] = scale * ((source.get(nibbles + i) >> (4 * (sub % 2))) & 15) - min;
      }
    }
  }

  /** As {@link #q4k}, bit {@code sub} of 32 further bytes being each value's fifth. */
  private static void q5k(ByteBuffer source, int at, float[] y) {
    float d = half(source, at);
    float dmin = half(source, at + 2);
    for (int sub = 0; sub < 8; sub++) {
      float scale = d * scale(source, at + 4, sub);
      float min = dmin * min(source, at + 4, sub);
      int nibbles = at + 48 + 32 * (sub / 2);
      for (int i = 0; i < 32; i++) {
        int low = (source.get(nibbles + i) >> (4 * (sub % 2))) & 15;
        int high = (source.get(at + 16 + i) >> sub) & 1;
        y[32 * sub + i] = scale * (low | (high << 4)) - min;
      }
    }
  }

  private static int scale(ByteBuffer source, int at, int sub) {
    return sub < 4
        ? source.get(at + sub) & 63
        : (source.get(at + sub + 4) & 15) | (((source.get(at + sub - 4) >> 6) & 3) << 4);
  }

  private static int min(ByteBuffer source, int at, int sub) {
    return sub < 4
        ? source.get(at + sub + 4) & 63
        : ((source.get(at + sub + 4) >> 4) & 15) | (((source.get(at + sub) >> 6) & 3) << 4);
  }

  /** 128 low nibbles' bytes, 64 bytes of high pairs, 16 signed scales, d: y = d sc (q - 32). */
  private static void q6k(ByteBuffer source, int at, float[] y) {
    float d = half(source, at + 208);
    for (int i = 0; i < 256; i++) {
      int side = i / 128;
      int quarter = i / 32 % 4;
      int low = (source.get(at + 64 * side + i % 64) >> (4 * (quarter / 2))) & 15;
      int high = (source.get(at + 128 + 32 * side + i % 32) >> (2 * quarter)) & 3;
      y[i] = d * source.get(at + 192 + i / 16) * ((low | (high << 4)) - 32);
    }
  }

  private static float half(ByteBuffer source, int at) {
    return HalfFloat.toFloat(source.getShort(at));
  }

  /** Whether {@link #encode} writes this type. */
  public static boolean canEncode(TensorType type) {
    return switch (type) {
      case F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K -> true;
      case F64 -> false;
    };
  }

  /**
   * Appends values to {@code into}, little-endian, as {@link TensorType#F32}, {@code F16}, {@code
   * BF16} (nearest, ties to even), or in blocks of any kind.
   *
   * @param count a multiple of the type's block
   */
  public static void encode(TensorType type, float[] values, int from, int count, ByteBuffer into) {
    if (!canEncode(type) || count % type.blockValues() != 0) {
      throw new IllegalArgumentException("Cannot encode " + count + " values as " + type);
    }
    into.order(ByteOrder.LITTLE_ENDIAN);
    for (int i = from; i < from + count; i += type.blockValues()) {
      switch (type) {
        case F32 -> into.putFloat(values[i]);
        case F16 -> into.putShort(HalfFloat.fromFloat(values[i]));
        case BF16 -> into.putShort(HalfFloat.bfloat16FromFloat(values[i]));
        case Q4_0 -> encodeAroundZero(values, i, 8, into);
        case Q4_1 -> encodeFromMinimum(values, i, 15, into);
        case Q5_0 -> encodeAroundZero(values, i, 16, into);
        case Q5_1 -> encodeFromMinimum(values, i, 31, into);
        case Q8_0 -> encodeQ8(values, i, into);
        case Q4_K -> KQuantiser.encodeFromMinima(values, i, 15, into);
        case Q5_K -> KQuantiser.encodeFromMinima(values, i, 31, into);
        case Q6_K -> KQuantiser.encodeAroundZero(values, i, into);
        case F64 -> throw new AssertionError(type);
      }
    }
  }

  /**
   * The value that lies farthest from zero, the first of several, becomes 0, and zero becomes
   * {@code zero}. gguf-py rounds the product once, from double precision to single; ggml's own
   * rounding depends on whether its compiler fused it.
   */
  private static void encodeAroundZero(float[] x, int from, int zero, ByteBuffer into) {
    float farthest = x[from];
    for (int i = from + 1; i < from + 32; i++) {
      if (Math.abs(x[i]) > Math.abs(farthest)) {
        farthest = x[i];
      }
    }
    float d = farthest / -zero;
    float inverse = d == 0 ? 0 : 1 / d;
    int[] q = new int[32];
    for (int i = 0; i < 32; i++) {
      float scaled = (float) ((double) x[from + i] * inverse + (zero + 0.5));
      q[i] = Math.min((int) scaled, 2 * zero - 1);
    }
    into.putShort(HalfFloat.fromFloat(d));
    putNibbles(q, zero == 16, into);
  }

  /** The least value becomes 0 and the greatest {@code top}. */
  private static void encodeFromMinimum(float[] x, int from, int top, ByteBuffer into) {
    float min = x[from];
    float max = x[from];
    for (int i = from + 1; i < from + 32; i++) {
      min = Math.min(min, x[i]);
      max = Math.max(max, x[i]);
    }
    float d = (max - min) / top;
    float inverse = d == 0 ? 0 : 1 / d;
    int[] q = new int[32];
    for (int i = 0; i < 32; i++) {
      q[i] = Math.min((int) ((x[from + i] - min) * inverse + 0.5f), top);
    }
    into.putShort(HalfFloat.fromFloat(d));
    into.putShort(HalfFloat.fromFloat(min));
    putNibbles(q, top == 31, into);
  }

  /** As {@link #q4} and {@link #q5} read them. */
  private static void putNibbles(int[] q, boolean five, ByteBuffer into) {
    if (five) {
      int high = 0;
      for (int i = 0; i < 32; i++) {
        high |= (q[i] >> 4) << i;
      }
      into.putInt(high);
    }
    for (int i = 0; i < 16; i++) {
      into.put((byte) ((q[i] & 15) | (q[i + 16] & 15) << 4));
    }
  }

  /**
   * As {@code quantize_row_q8_0_ref}: rounds half away from zero, by the scale before it is cut.
   */
  private static void encodeQ8(float[] x, int from, ByteBuffer into) {
    float max = 0;
    for (float v : Arrays.copyOfRange(x, from, from + 32)) {
      max = Math.max(max, Math.abs(v));
    }
    float d = max / 127;
    float inverse = d == 0 ? 0 : 1 / d;
    into.putShort(HalfFloat.fromFloat(d));
    for (int i = from; i < from + 32; i++) {
      float scaled = x[i] * inverse;
      into.put((byte) (scaled < 0 ? -Math.floor(-scaled + 0.5) : Math.floor(scaled + 0.5)));
    }
  }
}
