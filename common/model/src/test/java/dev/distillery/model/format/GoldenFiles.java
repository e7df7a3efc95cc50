package dev.distillery.model.format;

import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

/** The files that golden/make_format_goldens.py wrote, and the formula of their weights. */
final class GoldenFiles {
  private GoldenFiles() {}

  static Path path(String name) {
    URL url = Objects.requireNonNull(GoldenFiles.class.getResource("/golden/format/" + name), name);
    try {
      return Path.of(url.toURI());
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }

  static float[] floats(String name) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(path(name)));
    float[] values = new float[bytes.remaining() / 4];
    bytes.order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
    return values;
  }

  /** The value that the script gives every tensor of this name. */
  static float[] weight(TensorSpec spec) {
    long start = 0;
    byte[] name = spec.name().getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < name.length; i++) {
      start += (long) (i + 1) * name[i];
    }
    float[] values = new float[(int) spec.elements()];
    for (int i = 0; i < values.length; i++) {
      values[i] = ((start + i * 37L) % 257 - 128) / 128f;
    }
    return values;
  }

  /** A model in memory whose weights follow the formula. */
  static ArrayWeights weights(ModelConfig config) {
    ArrayWeights weights = new ArrayWeights();
    ModelTensors.of(config).forEach(spec -> weights.put(spec, weight(spec)));
    return weights;
  }
}
