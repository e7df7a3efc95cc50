package dev.distillery.model.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class BlockCodecTest {

  @ParameterizedTest
  @EnumSource(names = {"Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K"})
  void decodesAsTheReferenceDoes(TensorType type) throws IOException {
    ByteBuffer blocks = bytes("blocks/" + type + ".blocks");
    float[] expected = GoldenFiles.floats("blocks/" + type + ".f32");
    float[] values = new float[expected.length];
    BlockCodec.decode(type, blocks, 0, FloatBuffer.wrap(values));
    assertThat(values).containsExactly(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "F16, round.f32, round.f16",
    "BF16, round.f32, round.bf16",
    "Q8_0, quantise.f32, quantise.q8_0",
    "Q4_0, quantise-low.f32, quantise.q4_0",
    "Q4_1, quantise-low.f32, quantise.q4_1",
    "Q5_0, quantise-low.f32, quantise.q5_0",
    "Q5_1, quantise-low.f32, quantise.q5_1"
  })
  void encodesAsTheReferenceDoes(TensorType type, String from, String to) throws IOException {
    float[] values = GoldenFiles.floats("blocks/" + from);
    byte[] expected = Files.readAllBytes(GoldenFiles.path("blocks/" + to));
    ByteBuffer bytes = ByteBuffer.allocate(expected.length);
    BlockCodec.encode(type, values, 0, values.length, bytes);
    assertThat(bytes.array()).containsExactly(expected);
  }

  /** sign x 2^(exponent - 15) x 1.mantissa, or sign x 2^-14 x 0.mantissa. */
  @Test
  void everyHalfHasItsValueAndComesBack() {
    for (int bits = 0; bits < 1 << 16; bits++) {
      int exponent = bits >> 10 & 31;
      double mantissa = (bits & 1023) / 1024.0;
      double magnitude =
          exponent == 0 ? Math.scalb(mantissa, -14) : Math.scalb(1 + mantissa, exponent - 15);
      if (exponent == 31) {
        magnitude = mantissa == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
      }
      double value = (bits & 0x8000) == 0 ? magnitude : -magnitude;
      float converted = HalfFloat.toFloat((short) bits);
      assertThat(Float.floatToIntBits(converted)).isEqualTo(Float.floatToIntBits((float) value));
      if (exponent != 31 || mantissa == 0) {
        assertThat(HalfFloat.fromFloat(converted)).isEqualTo((short) bits);
      }
    }
    assertThat(HalfFloat.toFloat(HalfFloat.fromFloat(Float.NaN))).isNaN();
    assertThat(HalfFloat.bfloat16ToFloat(HalfFloat.bfloat16FromFloat(Float.NaN))).isNaN();
  }

  @Property(seed = "20260801")
  void aHalfIsNearest(@ForAll float value) {
    if (Math.abs(value) >= 65_504) {
      return;
    }
    short half = HalfFloat.fromFloat(value);
    double error = Math.abs(HalfFloat.toFloat(half) - (double) value);
    for (int step : new int[] {-1, 1}) {
      float neighbour = HalfFloat.toFloat((short) (half + step));
      if (Float.isFinite(neighbour)) {
        assertThat(error).isLessThanOrEqualTo(Math.abs(neighbour - (double) value));
      }
    }
  }

  @Test
  void partOfABlockIsRefused() {
    ByteBuffer block = ByteBuffer.allocate(34).order(ByteOrder.LITTLE_ENDIAN);
    assertThatThrownBy(() -> BlockCodec.decode(TensorType.Q8_0, block, 0, FloatBuffer.allocate(31)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("31");
    assertThatThrownBy(() -> BlockCodec.encode(TensorType.Q4_K, new float[256], 0, 256, block))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("Q4_K");
  }

  private static ByteBuffer bytes(String name) throws IOException {
    return ByteBuffer.wrap(Files.readAllBytes(GoldenFiles.path(name)))
        .order(ByteOrder.LITTLE_ENDIAN);
  }
}
