package dev.distillery.training.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SliceTest {
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 65535, 65536, 65537, 200_000})
  void arrivesBitForBit(int length) throws Exception {
    Random random = new Random(length);
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = Float.intBitsToFloat(random.nextInt());
    }
    var bytes = new ByteArrayOutputStream();
    try (var out = new ObjectOutputStream(bytes)) {
      out.writeObject(new Slice(values));
    }
    assertThat(bytes.size()).isLessThan(length * 4 + length / 50 + 200);
    try (var in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
      float[] arrived = ((Slice) in.readObject()).values();
      assertThat(arrived).hasSize(length);
      for (int i = 0; i < length; i++) {
        assertThat(Float.floatToRawIntBits(arrived[i]))
            .isEqualTo(Float.floatToRawIntBits(values[i]));
      }
    }
  }
}
