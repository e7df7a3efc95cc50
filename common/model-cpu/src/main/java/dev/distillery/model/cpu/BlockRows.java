package dev.distillery.model.cpu;

import static dev.distillery.model.cpu.Lanes.FLOATS;
import static dev.distillery.model.cpu.Lanes.INTS;
import static dev.distillery.model.cpu.Lanes.WIDTH;

import dev.distillery.model.format.BlockCodec;
import dev.distillery.model.format.HalfFloat;
import dev.distillery.model.format.TensorType;
import dev.distillery.model.nn.StoredBytes;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Rows of stored matrices as float32, the very values of {@link BlockCodec}: a quantised number
 * times its scale is exact in float32, so that only the addition of a minimum rounds, once.
 */
final class BlockRows {
  private static final int GROUP = 32;
  private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;

  /** As many bytes, or shorts, as a vector has floats; unused where that is four. */
  private static final VectorSpecies<Byte> BYTES =
      WIDTH == 16 ? ByteVector.SPECIES_128 : ByteVector.SPECIES_64;

  private static final VectorSpecies<Short> SHORTS =
      WIDTH == 16 ? ShortVector.SPECIES_256 : ShortVector.SPECIES_128;

  /** 0, 1, 2, ... */
  private static final IntVector LANES = IntVector.zero(INTS).addIndex(1);

  private BlockRows() {}

  /** Row {@code row} of the matrix, to byte offset {@code to}. */
  static void widen(StoredBytes stored, int row, ByteBuffer into, int to) {
    ByteBuffer from = stored.buffer();
    int at = stored.at(row);
    int n = stored.columns();
    if (WIDTH < 8 || !from.isDirect()) {
      decode(stored.type(), from, at, n, into, to);
      return;
    }
    switch (stored.type()) {
      case Q4_0 -> q4(from, at, n, into, to, 18, 2, 8);
      case Q4_1 -> q4(from, at, n, into, to, 20, 4, 0);
      case Q5_0 -> q5(from, at, n, into, to, 22, 2, 16);
      case Q5_1 -> q5(from, at, n, into, to, 24, 4, 0);
      case Q8_0 -> q8(from, at, n, into, to);
      case BF16 -> bfloat16(from, at, n, into, to);
      case F16, F32, F64, Q4_K, Q5_K, Q6_K -> decode(stored.type(), from, at, n, into, to);
    }
  }

  private static void decode(
      TensorType type, ByteBuffer from, int at, int n, ByteBuffer into, int to) {
    FloatBuffer row = into.slice(to, Float.BYTES * n).order(ORDER).asFloatBuffer();
    BlockCodec.decode(type, from, at, row);
  }

  /** Scale, then a minimum or a bias of 8, then 16 bytes whose low halves come first. */
  private static void q4(
      ByteBuffer from, int at, int n, ByteBuffer into, int to, int bytes, int values, int bias) {
    for (int i = 0; i < n; i += GROUP, at += bytes, to += GROUP * Float.BYTES) {
      float scale = HalfFloat.toFloat(from.getShort(at));
      float minimum = bias == 0 ? HalfFloat.toFloat(from.getShort(at + 2)) : -0f;
      for (int j = 0; j < GROUP / 2; j += WIDTH) {
        IntVector pair = bytes(from, at + values + j);
        IntVector low = pair.and(15);
        IntVector high = pair.lanewise(VectorOperators.LSHR, 4).and(15);
        store(low.sub(bias), scale, minimum, into, to + Float.BYTES * j);
        store(high.sub(bias), scale, minimum, into, to + Float.BYTES * (j + GROUP / 2));
      }
    }
  }

  /** As {@link #q4}, with the fifth bits of all values in an int before them. */
  private static void q5(
      ByteBuffer from, int at, int n, ByteBuffer into, int to, int bytes, int bits, int bias) {
    for (int i = 0; i < n; i += GROUP, at += bytes, to += GROUP * Float.BYTES) {
      float scale = HalfFloat.toFloat(from.getShort(at));
      float minimum = bias == 0 ? HalfFloat.toFloat(from.getShort(at + 2)) : -0f;
      int fifth = from.getInt(at + bits);
      for (int j = 0; j < GROUP / 2; j += WIDTH) {
        IntVector pair = bytes(from, at + bits + 4 + j);
        IntVector low = pair.and(15).or(fifth(fifth >>> j));
        IntVector high = pair.lanewise(VectorOperators.LSHR, 4).and(15);
        high = high.or(fifth(fifth >>> (j + GROUP / 2)));
        store(low.sub(bias), scale, minimum, into, to + Float.BYTES * j);
        store(high.sub(bias), scale, minimum, into, to + Float.BYTES * (j + GROUP / 2));
      }
    }
  }

  private static IntVector fifth(int bits) {
    return IntVector.broadcast(INTS, bits)
        .lanewise(VectorOperators.LSHR, LANES)
        .and(1)
        .lanewise(VectorOperators.LSHL, 4);
  }

  private static void q8(ByteBuffer from, int at, int n, ByteBuffer into, int to) {
    for (int i = 0; i < n; i += GROUP, at += 34, to += GROUP * Float.BYTES) {
      float scale = HalfFloat.toFloat(from.getShort(at));
      for (int j = 0; j < GROUP; j += WIDTH) {
        store(bytes(from, at + 2 + j), scale, -0f, into, to + Float.BYTES * j);
      }
    }
  }

  private static void bfloat16(ByteBuffer from, int at, int n, ByteBuffer into, int to) {
    int whole = n / WIDTH * WIDTH;
    for (int i = 0; i < whole; i += WIDTH) {
      IntVector bits =
          (IntVector)
              ShortVector.fromByteBuffer(SHORTS, from, at + Short.BYTES * i, ORDER)
                  .convertShape(VectorOperators.S2I, INTS, 0);
      bits.lanewise(VectorOperators.LSHL, Short.SIZE)
          .reinterpretAsFloats()
          .intoByteBuffer(into, to + Float.BYTES * i, ORDER);
    }
    for (int i = whole; i < n; i++) {
      into.putFloat(
          to + Float.BYTES * i, HalfFloat.bfloat16ToFloat(from.getShort(at + Short.BYTES * i)));
    }
  }

  private static IntVector bytes(ByteBuffer from, int at) {
    return (IntVector)
        ByteVector.fromByteBuffer(BYTES, from, at, ORDER)
            .convertShape(VectorOperators.B2I, INTS, 0);
  }

  private static void store(IntVector value, float scale, float minimum, ByteBuffer into, int to) {
    FloatVector number = (FloatVector) value.convertShape(VectorOperators.I2F, FLOATS, 0);
    number.mul(scale).add(minimum).intoByteBuffer(into, to, ORDER);
  }
}
