package dev.distillery.model.cpu;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Vectors of floats: loads and stores that stop at a row's end, sums in a fixed order, and
 * transcendental functions made of fused multiply-adds, which give the same bits before and after
 * compilation as the Vector API's own do not.
 */
final class Lanes {
  static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
  static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
  static final int WIDTH = FLOATS.length();

  // One constant each, not an array: C2 must see the shuffle to make it an instruction.
  private static final VectorShuffle<Float> BY_8 = rotation(8);
  private static final VectorShuffle<Float> BY_4 = rotation(4);
  private static final VectorShuffle<Float> BY_2 = rotation(2);
  private static final VectorShuffle<Float> BY_1 = rotation(1);

  private static final float LOG2_E = 1.442695f;

  /** ln 2 in two parts, the first with few bits, so that n times it is exact. */
  private static final float LN2_HIGH = 0.6933594f;

  private static final float LN2_LOW = -2.1219444e-4f;

  /** Adding it rounds to an integer, which then stands in the low bits. */
  private static final float ROUND = 12_582_912f;

  private static final float MIN_EXPONENT = -87.3f;
  private static final float MAX_EXPONENT = 88.3f;

  private Lanes() {}

  /** The next multiple of the vectors' length. */
  static int whole(int n) {
    return (n + WIDTH - 1) / WIDTH * WIDTH;
  }

  /** Values i to i + WIDTH of a row of n at byte offset {@code at}; zero beyond its end. */
  static FloatVector load(ByteBuffer buffer, int at, int i, int n) {
    return i + WIDTH <= n
        ? FloatVector.fromByteBuffer(FLOATS, buffer, at + i * 4, ByteOrder.LITTLE_ENDIAN)
        : FloatVector.fromByteBuffer(
            FLOATS, buffer, at + i * 4, ByteOrder.LITTLE_ENDIAN, FLOATS.indexInRange(i, n));
  }

  /** Stores what of the vector lies before the row's end. */
  static void store(FloatVector value, ByteBuffer buffer, int at, int i, int n) {
    if (i + WIDTH <= n) {
      value.intoByteBuffer(buffer, at + i * 4, ByteOrder.LITTLE_ENDIAN);
    } else {
      value.intoByteBuffer(buffer, at + i * 4, ByteOrder.LITTLE_ENDIAN, FLOATS.indexInRange(i, n));
    }
  }

  /** The sum of a vector's lanes, halves folded onto each other: always paired the same way. */
  static float sum(FloatVector value) {
    FloatVector v = value;
    if (WIDTH > 8) {
      v = v.add(v.rearrange(BY_8));
    }
    if (WIDTH > 4) {
      v = v.add(v.rearrange(BY_4));
    }
    v = v.add(v.rearrange(BY_2));
    return v.add(v.rearrange(BY_1)).lane(0);
  }

  private static VectorShuffle<Float> rotation(int by) {
    return VectorShuffle.fromOp(FLOATS, lane -> (lane + by) % WIDTH);
  }

  /**
   * e^x to about 1 unit in the last place of float32 between -87 and 88, clamped there: x = n ln 2
   * + r, e^r by its Taylor polynomial of degree 7 on |r| <= ln 2 / 2, n added to the exponent's
   * bits.
   */
  static FloatVector exp(FloatVector x) {
    FloatVector bounded = x.max(MIN_EXPONENT).min(MAX_EXPONENT);
    FloatVector rounded = bounded.fma(broadcast(LOG2_E), broadcast(ROUND));
    FloatVector n = rounded.sub(ROUND);
    FloatVector r = n.fma(broadcast(-LN2_HIGH), bounded);
    r = n.fma(broadcast(-LN2_LOW), r);
    FloatVector p = broadcast(1f / 5040);
    p = p.fma(r, broadcast(1f / 720));
    p = p.fma(r, broadcast(1f / 120));
    p = p.fma(r, broadcast(1f / 24));
    p = p.fma(r, broadcast(1f / 6));
    p = p.fma(r, broadcast(0.5f));
    p = p.fma(r, broadcast(1f));
    p = p.fma(r, broadcast(1f));
    IntVector exponent = rounded.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23);
    return p.reinterpretAsInts().add(exponent).reinterpretAsFloats();
  }

  /** 1 / (1 + e^-x). */
  static FloatVector sigmoid(FloatVector x) {
    return broadcast(1f).div(exp(x.neg()).add(1f));
  }

  /** erf to 1.5e-7 (Abramowitz and Stegun 7.1.26). */
  static FloatVector erf(FloatVector x) {
    FloatVector a = x.abs();
    FloatVector t = broadcast(1f).div(a.fma(broadcast(0.3275911f), broadcast(1f)));
    FloatVector p = broadcast(1.0614054f);
    p = p.fma(t, broadcast(-1.4531521f));
    p = p.fma(t, broadcast(1.4214138f));
    p = p.fma(t, broadcast(-0.28449672f));
    p = p.fma(t, broadcast(0.2548296f));
    FloatVector y = broadcast(1f).sub(p.mul(t).mul(exp(a.mul(a).neg())));
    return y.blend(y.neg(), x.compare(VectorOperators.LT, 0f));
  }

  static FloatVector broadcast(float value) {
    return FloatVector.broadcast(FLOATS, value);
  }
}
