package dev.distillery.model.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
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

  /** llama.cpp weighs errors by the values; here each counts alike, as in the golden errors. */
  @ParameterizedTest
  @EnumSource(names = {"Q4_K", "Q5_K", "Q6_K"})
  void blocksOf256AreAsNearAsLlamaCpps(TensorType type) throws IOException {
    float[] values = GoldenFiles.floats("blocks/quantise-k.f32");
    JsonNode errors =
        new ObjectMapper()
            .readTree(GoldenFiles.path("blocks/quantise-k.json").toFile())
            .get(type.name());
    int count = values.length / errors.size();
    int from = 0;
    for (Map.Entry<String, JsonNode> kind : errors.properties()) {
      double ours = relativeError(values, roundTrip(type, values), from, from + count);
      assertThat(ours).as(kind.getKey()).isLessThanOrEqualTo(kind.getValue().doubleValue());
      from += count;
    }
    assertThat(from).isEqualTo(values.length);
  }

  /** Zeros of both signs, one value alone, equal values, and what is too small for binary16. */
  @ParameterizedTest
  @EnumSource(names = {"Q4_K", "Q5_K", "Q6_K"})
  void blocksOf256HoldWhatHasNoSpread(TensorType type) {
    for (float value : new float[] {0f, -0f, 1e-30f, -1e-30f, 0.7f, -0.7f, 65_504f, -65_504f}) {
      float[] same = new float[256];
      Arrays.fill(same, value);
      float[] alone = new float[256];
      alone[77] = value;
      for (float[] values : List.of(same, alone)) {
        float[] back = roundTrip(type, values);
        for (int i = 0; i < 256; i++) {
          assertThat((double) back[i])
              .isCloseTo(values[i], within(Math.abs(value) / 500.0 + 1e-29));
        }
      }
    }
  }

  private static float[] roundTrip(TensorType type, float[] values) {
    ByteBuffer blocks = ByteBuffer.allocate((int) type.bytes(values.length));
    BlockCodec.encode(type, values, 0, values.length, blocks);
    assertThat(blocks.hasRemaining()).isFalse();
    float[] back = new float[values.length];
    BlockCodec.decode(type, blocks, 0, FloatBuffer.wrap(back));
    return back;
  }

  private static double relativeError(float[] values, float[] back, int from, int to) {
    double squares = 0;
    double all = 0;
    for (int i = from; i < to; i++) {
      squares += Math.pow((double) values[i] - back[i], 2);
      all += Math.pow(values[i], 2);
    }
    return Math.sqrt(squares / all);
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
    assertThatThrownBy(() -> BlockCodec.encode(TensorType.Q4_K, new float[256], 0, 32, block))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("Cannot encode 32 values as Q4_K");
  }

  private static ByteBuffer bytes(String name) throws IOException {
    return ByteBuffer.wrap(Files.readAllBytes(GoldenFiles.path(name)))
        .order(ByteOrder.LITTLE_ENDIAN);
  }
}
