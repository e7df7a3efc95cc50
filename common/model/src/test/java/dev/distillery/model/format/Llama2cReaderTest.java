package dev.distillery.model.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class Llama2cReaderTest {
  private static final ModelConfig CONFIG =
      ModelConfig.llama()
          .vocabSize(11)
          .hiddenSize(16)
          .intermediateSize(20)
          .layers(2)
          .heads(4)
          .kvHeads(2)
          .maxPositions(8)
          .build();

  @TempDir Path temp;

  @Test
  void readsACheckpointWithRowsInHuggingFacesOrder() throws IOException {
    for (boolean tied : new boolean[] {true, false}) {
      Path file = Files.write(temp.resolve("model.bin"), checkpoint(tied));
      try (ModelFiles model = ModelFiles.open(file)) {
        assertThat(model.config()).isEqualTo(CONFIG.toBuilder().tieEmbeddings(tied).build());
        for (TensorSpec spec : ModelTensors.of(model.config())) {
          assertThat(model.weights().read(spec.name()))
              .as(spec.name())
              .containsExactly(GoldenFiles.weight(spec));
        }
      }
    }
  }

  @Test
  void readsTheTinyStoriesModel() throws IOException {
    Path file = Path.of("../../../shared/data/tiny-llama-260k/stories260K.bin");
    assumeTrue(Files.exists(file), "the model is not beside the repository");
    try (ModelFiles model = ModelFiles.open(file)) {
      assertThat(model.config().hiddenSize()).isEqualTo(64);
      assertThat(model.config().layers()).isEqualTo(5);
      assertThat(model.config().kvHeads()).isEqualTo(4);
      assertThat(model.config().vocabSize()).isEqualTo(512);
      assertThat(model.config().parameterCount()).isEqualTo(260_032);
      // A trained norm's gains are near one; a misplaced tensor's values are not.
      for (float gain : model.weights().read("model.norm.weight")) {
        assertThat(gain).isBetween(0f, 20f);
      }
    }
  }

  /**
   * A checkpoint whose weights follow the golden formula, laid out as llama2.c's export.py does.
   */
  static byte[] checkpoint(boolean tied) {
    ModelConfig c = CONFIG.toBuilder().tieEmbeddings(tied).build();
    ByteBuffer out =
        ByteBuffer.allocate((int) (28 + 4 * c.parameterCount()) + 4 * 8 * c.headDim())
            .order(ByteOrder.LITTLE_ENDIAN);
    for (int number :
        new int[] {
          c.hiddenSize(),
          c.intermediateSize(),
          c.layers(),
          c.heads(),
          c.kvHeads(),
          tied ? c.vocabSize() : -c.vocabSize(),
          c.maxPositions()
        }) {
      out.putInt(number);
    }
    put(out, c, "model.embed_tokens.weight");
    for (String part :
        List.of(
            "input_layernorm",
            "self_attn.q_proj",
            "self_attn.k_proj",
            "self_attn.v_proj",
            "self_attn.o_proj",
            "post_attention_layernorm",
            "mlp.gate_proj",
            "mlp.down_proj",
            "mlp.up_proj")) {
      for (int layer = 0; layer < c.layers(); layer++) {
        put(out, c, "model.layers." + layer + "." + part + ".weight");
      }
    }
    put(out, c, "model.norm.weight");
    out.position(out.position() + 4 * c.maxPositions() * c.headDim());
    if (!tied) {
      put(out, c, "lm_head.weight");
    }
    assertThat(out.hasRemaining()).isFalse();
    return out.array();
  }

  private static void put(ByteBuffer out, ModelConfig config, String name) {
    TensorSpec spec =
        ModelTensors.of(config).stream()
            .filter(s -> s.name().equals(name))
            .findFirst()
            .orElseThrow();
    float[] values = GoldenFiles.weight(spec);
    boolean paired = name.contains("q_proj") || name.contains("k_proj");
    int d = config.headDim();
    for (int row = 0; row < spec.rows(); row++) {
      // Row 2j + c of a head in the file is row c d/2 + j of Hugging Face.
      int from = paired ? row / d * d + row % 2 * (d / 2) + row % d / 2 : row;
      for (int i = 0; i < spec.columns(); i++) {
        out.putFloat(values[from * spec.columns() + i]);
      }
    }
  }
}
