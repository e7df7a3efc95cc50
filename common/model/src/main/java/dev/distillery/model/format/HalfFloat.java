package dev.distillery.model.format;

/** IEEE 754 binary16 and bfloat16 in the low 16 bits of a short. Java has these from 20 on. */
public final class HalfFloat {
  private HalfFloat() {}

  /** The exact value of a binary16, subnormals, infinities, NaN and both zeros included. */
  public static float toFloat(short half) {
    int sign = (half & 0x8000) << 16;
    int exponent = half >>> 10 & 0x1f;
    int mantissa = half & 0x3ff;
    if (exponent == 0x1f) {
      return Float.intBitsToFloat(sign | 0x7f80_0000 | mantissa << 13);
    }
    if (exponent == 0) {
      // A multiple of 2^-24, exact in float.
      float magnitude = mantissa * 0x1p-24f;
      return sign == 0 ? magnitude : -magnitude;
    }
    return Float.intBitsToFloat(sign | (exponent + 112) << 23 | mantissa << 13);
  }

  /** The nearest binary16, ties to even; 65,520 and more becomes infinity. */
  public static short fromFloat(float value) {
    int bits = Float.floatToRawIntBits(value);
    int sign = bits >>> 16 & 0x8000;
    int magnitude = bits & 0x7fff_ffff;
    if (magnitude > 0x7f80_0000) {
      return (short) (sign | 0x7e00);
    }
    if (magnitude >= 0x4780_0000) {
      return (short) (sign | 0x7c00);
    }
    if (magnitude < 0x3880_0000) {
      // Below 2^-14: subnormal. Adding 0.5 leaves the rounded multiple of 2^-24 in the low bits.
      float rounded = Float.intBitsToFloat(magnitude) + 0.5f;
      return (short) (sign | Float.floatToRawIntBits(rounded) - 0x3f00_0000);
    }
    // Round the 13 bits that go; a carry runs into the exponent, up to infinity, as it should.
    int rounded = magnitude + 0xfff + (magnitude >>> 13 & 1);
    return (short) (sign | (rounded >>> 13) - (112 << 10));
  }

  /** The exact value of a bfloat16. */
  public static float bfloat16ToFloat(short value) {
    return Float.intBitsToFloat(value << 16);
  }

  /** The nearest bfloat16, ties to even. */
  public static short bfloat16FromFloat(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (short) (bits >>> 16 | 0x40);
    }
    return (short) ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16);
  }
}
