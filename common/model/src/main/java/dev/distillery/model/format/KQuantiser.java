package dev.distillery.model.format;

import java.nio.ByteBuffer;

/**
 * Values to blocks of {@link TensorType#Q4_K}, {@code Q5_K} and {@code Q6_K}: 256 values in
 * sub-blocks of 32 or 16. A sub-block's scale and minimum are whole steps of 6 or 8 bits, in units
 * that the block keeps in binary16. The layouts are ggml's (ggml-common.h). The search is plain
 * least squares: each sub-block's own scale first, then the block's units, then the steps near each
 * scale that leave the least error in those units. A block's bytes depend on its values alone.
 */
final class KQuantiser {
  private static final int BLOCK = 256;

  /** Greatest step of 6 bits. */
  private static final int MAX_STEP = 63;

  private KQuantiser() {}

  /** y = scale q - minimum, neither below zero. */
  private record Line(double scale, double minimum) {}

  /**
   * A block as it will be stored.
   *
   * @param d unit of the scales, as binary16 holds it; {@code dmin} of the minima
   * @param scales in steps; so are {@code minima}, which are empty for Q6_K
   * @param error sum of squares
   */
  @SuppressWarnings("ArrayRecordComponent") // Built once and only read.
  private record Block(float d, float dmin, int[] scales, int[] minima, int[] q, double error) {}

  /** Q4_K and Q5_K: y = d sc q - dmin mn; q in 0 to {@code top}, sc and mn in 0 to 63. */
  static void encodeFromMinima(float[] x, int from, int top, ByteBuffer into) {
    Line[] lines = new Line[8];
    double scale = 0;
    double minimum = 0;
    for (int sub = 0; sub < 8; sub++) {
      lines[sub] = line(x, from + 32 * sub, top);
      scale = Math.max(scale, lines[sub].scale());
      minimum = Math.max(minimum, lines[sub].minimum());
    }
    Block block = fromMinima(x, from, top, lines, scale / MAX_STEP, minimum / MAX_STEP);
    block = better(block, refitted(x, from, top, lines, block));
    into.putShort(HalfFloat.fromFloat(block.d()));
    into.putShort(HalfFloat.fromFloat(block.dmin()));
    putSteps(block.scales(), block.minima(), into);
    putValues(block.q(), top == 31, into);
  }

  /**
   * The line nearest to 32 values: from several starts, values are rounded to the line's steps and
   * the line is fitted to the rounded, a few times over.
   */
  private static Line line(float[] x, int from, int top) {
    double low = 0;
    double high = x[from];
    double sum = 0;
    for (int i = from; i < from + 32; i++) {
      low = Math.min(low, x[i]);
      high = Math.max(high, x[i]);
      sum += x[i];
    }
    Line best = new Line(0, -low);
    if (high <= low) {
      return best;
    }
    double least = Double.POSITIVE_INFINITY;
    for (double steps = top - 2; steps <= top + 1; steps += 0.5) {
      double scale = (high - low) / steps;
      double minimum = -low;
      double last = Double.POSITIVE_INFINITY;
      for (int round = 0; round < 3; round++) {
        double inverse = 1 / scale;
        int q1 = 0;
        int q2 = 0;
        double qx = 0;
        for (int i = from; i < from + 32; i++) {
          int q = nearest((x[i] + minimum) * inverse, top);
          q1 += q;
          q2 += q * q;
          qx += q * (double) x[i];
        }
        // The normal equations of x = scale q - minimum.
        int determinant = 32 * q2 - q1 * q1;
        scale = (32 * qx - sum * q1) / determinant;
        minimum = (scale * q1 - sum) / 32;
        if (determinant == 0 || minimum < 0) {
          minimum = 0;
          scale = qx / q2;
        }
        // The sum of squares but for that of x.
        double error =
            scale * (scale * q2 - 2 * qx) + minimum * (32 * minimum + 2 * (sum - scale * q1));
        if (!(scale > 0 && error < last)) {
          break;
        }
        last = error;
        if (error < least) {
          least = error;
          best = new Line(scale, minimum);
        }
      }
    }
    return best;
  }

  /** Chooses each sub-block's steps, of those next to its own line, in the given units. */
  private static Block fromMinima(
      float[] x, int from, int top, Line[] lines, double scaleUnit, double minimumUnit) {
    float d = half(scaleUnit);
    float dmin = half(minimumUnit);
    int[] scales = new int[8];
    int[] minima = new int[8];
    int[] q = new int[BLOCK];
    double error = 0;
    for (int sub = 0; sub < 8; sub++) {
      int start = from + 32 * sub;
      int scale = nearest(lines[sub].scale() * inverse(d), MAX_STEP);
      int minimum = nearest(lines[sub].minimum() * inverse(dmin), MAX_STEP);
      double least = Double.POSITIVE_INFINITY;
      for (int s = Math.max(scale - 1, 0); s <= Math.min(scale + 1, MAX_STEP); s++) {
        for (int m = Math.max(minimum - 1, 0); m <= Math.min(minimum + 1, MAX_STEP); m++) {
          double squares = squares(x, start, 32, top, 0, d * s, dmin * m);
          if (squares < least) {
            least = squares;
            scales[sub] = s;
            minima[sub] = m;
          }
        }
      }
      error += least;
      double inverse = inverse(d * scales[sub]);
      for (int i = 0; i < 32; i++) {
        q[32 * sub + i] = nearest((x[start + i] + dmin * minima[sub]) * inverse, top);
      }
    }
    return new Block(d, dmin, scales, minima, q, error);
  }

  /** The block in the units that are best for its steps: x = d (sc q) - dmin mn. */
  private static Block refitted(float[] x, int from, int top, Line[] lines, Block block) {
    double aa = 0;
    double ab = 0;
    double bb = 0;
    double ax = 0;
    double bx = 0;
    for (int i = 0; i < BLOCK; i++) {
      int a = block.scales()[i / 32] * block.q()[i];
      int b = block.minima()[i / 32];
      aa += a * a;
      ab += a * b;
      bb += b * b;
      ax += a * (double) x[from + i];
      bx += b * (double) x[from + i];
    }
    double determinant = aa * bb - ab * ab;
    if (determinant <= 0) {
      return aa > 0 ? fromMinima(x, from, top, lines, ax / aa, block.dmin()) : block;
    }
    double d = (ax * bb - bx * ab) / determinant;
    double dmin = (ax * ab - bx * aa) / determinant;
    return d > 0 && dmin > 0 ? fromMinima(x, from, top, lines, d, dmin) : block;
  }

  /** Q6_K: y = d sc (q - 32); sub-blocks of 16, q in 0 to 63, sc in -128 to 127. */
  static void encodeAroundZero(float[] x, int from, ByteBuffer into) {
    double[] ideal = new double[16];
    double farthest = 0;
    for (int sub = 0; sub < 16; sub++) {
      ideal[sub] = scale(x, from + 16 * sub);
      farthest = Math.abs(ideal[sub]) > Math.abs(farthest) ? ideal[sub] : farthest;
    }
    Block block = aroundZero(x, from, ideal, farthest / -128);
    // The unit that is best for these steps: x = d (sc (q - 32)).
    double aa = 0;
    double ax = 0;
    for (int i = 0; i < BLOCK; i++) {
      int a = block.scales()[i / 16] * (block.q()[i] - 32);
      aa += a * (double) a;
      ax += a * (double) x[from + i];
    }
    if (aa > 0) {
      block = better(block, aroundZero(x, from, ideal, ax / aa));
    }
    putSixBits(block.q(), into);
    for (int scale : block.scales()) {
      into.put((byte) scale);
    }
    into.putShort(HalfFloat.fromFloat(block.d()));
  }

  /** The best scale for 16 values; the value farthest from zero comes to -32 or near it. */
  private static double scale(float[] x, int from) {
    double farthest = 0;
    for (int i = from; i < from + 16; i++) {
      farthest = Math.abs(x[i]) > Math.abs(farthest) ? x[i] : farthest;
    }
    double best = 0;
    double most = 0;
    for (double steps = 31; farthest != 0 && steps <= 33; steps += 0.25) {
      double inverse = -steps / farthest;
      int q2 = 0;
      double qx = 0;
      for (int i = from; i < from + 16; i++) {
        int q = nearest(x[i] * inverse + 32, 63) - 32;
        q2 += q * q;
        qx += q * (double) x[i];
      }
      // What the scale qx / q2 takes off the sum of squares.
      double gain = qx * qx / q2;
      if (gain > most) {
        most = gain;
        best = qx / q2;
      }
    }
    return best;
  }

  private static Block aroundZero(float[] x, int from, double[] ideal, double unit) {
    float d = half(unit);
    int[] scales = new int[16];
    int[] q = new int[BLOCK];
    double error = 0;
    for (int sub = 0; sub < 16; sub++) {
      int start = from + 16 * sub;
      int near = nearest(ideal[sub] * inverse(d) + 128, 255) - 128;
      double least = Double.POSITIVE_INFINITY;
      for (int s = Math.max(near - 1, -128); s <= Math.min(near + 1, 127); s++) {
        double squares = squares(x, start, 16, 63, 32, d * s, 0);
        if (squares < least) {
          least = squares;
          scales[sub] = s;
        }
      }
      error += least;
      double inverse = inverse(d * scales[sub]);
      for (int i = 0; i < 16; i++) {
        q[16 * sub + i] = nearest(x[start + i] * inverse + 32, 63);
      }
    }
    return new Block(d, 0, scales, new int[0], q, error);
  }

  /** The sum of squares that y = scale (q - zero) - minimum leaves, q in 0 to {@code top}. */
  private static double squares(
      float[] x, int from, int count, int top, int zero, double scale, double minimum) {
    double inverse = inverse(scale);
    double sum = 0;
    for (int i = from; i < from + count; i++) {
      double wanted = x[i] + minimum;
      double off = wanted - scale * (nearest(wanted * inverse + zero, top) - zero);
      sum += off * off;
    }
    return sum;
  }

  private static Block better(Block one, Block other) {
    return other.error() < one.error() ? other : one;
  }

  private static int nearest(double value, int top) {
    return Math.min(Math.max((int) (value + 0.5), 0), top);
  }

  private static double inverse(double scale) {
    return scale == 0 ? 0 : 1 / scale;
  }

  private static float half(double value) {
    return HalfFloat.toFloat(HalfFloat.fromFloat((float) value));
  }

  /** Six bits each: the first four scales and minima whole, with two bits of the others above. */
  private static void putSteps(int[] scales, int[] minima, ByteBuffer into) {
    for (int[] steps : new int[][] {scales, minima}) {
      for (int i = 0; i < 4; i++) {
        into.put((byte) (steps[i] | steps[i + 4] >> 4 << 6));
      }
    }
    for (int i = 4; i < 8; i++) {
      into.put((byte) ((scales[i] & 15) | (minima[i] & 15) << 4));
    }
  }

  private static void putValues(int[] q, boolean five, ByteBuffer into) {
    for (int i = 0; five && i < 32; i++) {
      int high = 0;
      for (int sub = 0; sub < 8; sub++) {
        high |= q[32 * sub + i] >> 4 << sub;
      }
      into.put((byte) high);
    }
    for (int pair = 0; pair < BLOCK; pair += 64) {
      for (int i = pair; i < pair + 32; i++) {
        into.put((byte) ((q[i] & 15) | (q[i + 32] & 15) << 4));
      }
    }
  }

  private static void putSixBits(int[] q, ByteBuffer into) {
    for (int side = 0; side < BLOCK; side += 128) {
      for (int i = side; i < side + 64; i++) {
        into.put((byte) ((q[i] & 15) | (q[i + 64] & 15) << 4));
      }
    }
    for (int side = 0; side < BLOCK; side += 128) {
      for (int i = side; i < side + 32; i++) {
        int low = q[i] >> 4 | q[i + 32] >> 4 << 2;
        into.put((byte) (low | q[i + 64] >> 4 << 4 | q[i + 96] >> 4 << 6));
      }
    }
  }
}
