package dev.distillery.model.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.distillery.core.format.ModelFileException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModelFilesTest {
  @TempDir Path temp;

  @Test
  void readsWhatTransformersWritesForATiedLlama() throws IOException {
    try (ModelFiles model = ModelFiles.open(GoldenFiles.path("llama-tied-bf16"))) {
      assertThat(model.config())
          .isEqualTo(
              tiny()
                  .tieEmbeddings(true)
                  .normEps(1e-5)
                  .ropeTheta(100_000)
                  .initializerRange(0.25)
                  .build());
      assertThat(model.specialTokens())
          .isEqualTo(new SpecialTokens(OptionalInt.of(1), List.of(2), OptionalInt.of(2)));
      assertHoldsTheFormula(model, 0);
    }
  }

  @Test
  void readsShardsBiasesAndLlama3Scaling() throws IOException {
    try (ModelFiles model = ModelFiles.open(GoldenFiles.path("llama-sharded-f32"))) {
      assertThat(model.config())
          .isEqualTo(
              tiny()
                  .headDim(16)
                  .attentionBias(true)
                  .mlpBias(true)
                  .ropeTheta(500_000)
                  .ropeScaling(Optional.of(new RopeScaling.Llama3(8, 1, 4, 64)))
                  .build());
      assertThat(model.specialTokens().stop()).containsExactly(2, 5);
      assertHoldsTheFormula(model, 0);
    }
  }

  @Test
  void readsARewardModel() throws IOException {
    try (ModelFiles model = ModelFiles.open(GoldenFiles.path("llama-score-f16"))) {
      assertThat(model.config()).isEqualTo(tiny().layers(1).labels(1).build());
      assertThat(model.weights().weights()).containsKey("score.weight");
      assertHoldsTheFormula(model, 0);
    }
  }

  @Test
  void readsGpt2() throws IOException {
    try (ModelFiles model = ModelFiles.open(GoldenFiles.path("gpt2-bf16"))) {
      assertThat(model.config())
          .isEqualTo(
              ModelConfig.gpt2()
                  .vocabSize(32)
                  .hiddenSize(16)
                  .layers(1)
                  .heads(2)
                  .maxPositions(24)
                  .build());
      assertHoldsTheFormula(model, 0);
    }
  }

  /** Quantised values are within half a step; that the steps are right is BlockCodecTest's. */
  @ParameterizedTest
  @CsvSource({"f32, 0", "f16, 0", "bf16, 0", "q8_0, 0.004", "q4_0, 0.13", "q5_1, 0.033"})
  void readsGgufWithRowsInHuggingFacesOrder(String type, double tolerance) throws IOException {
    try (ModelFiles model = ModelFiles.open(GoldenFiles.path("llama-" + type + ".gguf"))) {
      assertThat(model.config()).isEqualTo(tiny().attentionBias(true).ropeTheta(50_000).build());
      assertThat(model.specialTokens())
          .isEqualTo(new SpecialTokens(OptionalInt.of(1), List.of(2), OptionalInt.empty()));
      assertHoldsTheFormula(model, tolerance);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama-q8_0.gguf", "llama-q4_0.gguf", "llama-tied-bf16"})
  void partsAndRawRowsAgreeWithTheWhole(String name) throws IOException {
    try (ModelFiles model = ModelFiles.open(GoldenFiles.path(name))) {
      for (String tensor :
          List.of("model.layers.1.self_attn.k_proj.weight", "model.layers.0.mlp.up_proj.weight")) {
        float[] whole = model.weights().read(tensor);
        for (int[] part : new int[][] {{0, 1}, {5, 40}, {31, 2}, {33, 100}, {500, 12}, {512, 0}}) {
          float[] values = new float[part[1]];
          model.weights().read(tensor, part[0], FloatBuffer.wrap(values));
          assertThat(values).containsExactly(Arrays.copyOfRange(whole, part[0], part[0] + part[1]));
        }
        ByteBuffer rows = model.weights().rows(tensor, 3, 5);
        float[] values = new float[5 * 32];
        TensorType type = model.weights().weights().get(tensor).type();
        BlockCodec.decode(type, rows, 0, FloatBuffer.wrap(values));
        assertThat(values).containsExactly(Arrays.copyOfRange(whole, 96, 256));
        assertThatThrownBy(() -> model.weights().rows(tensor, 15, 50))
            .isInstanceOf(IndexOutOfBoundsException.class)
            .hasMessageContaining("15 + 50");
        assertThatThrownBy(() -> model.weights().read(tensor, -1, FloatBuffer.allocate(2)))
            .isInstanceOf(IndexOutOfBoundsException.class);
      }
      assertThatThrownBy(() -> model.weights().read("nothing"))
          .isInstanceOf(ModelFileException.class)
          .hasMessageContaining("nothing");
    }
  }

  @Test
  void aClosedModelSaysSo() throws IOException {
    ModelFiles model = ModelFiles.open(GoldenFiles.path("llama-tied-bf16"));
    model.close();
    assertThatThrownBy(() -> model.weights().read("model.norm.weight"))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("closed");
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F16", "BF16"})
  void aWrittenDirectoryReadsBack(TensorType type) throws IOException {
    SpecialTokens tokens = new SpecialTokens(OptionalInt.of(1), List.of(2, 7), OptionalInt.of(0));
    List<ModelConfig> configs =
        List.of(
            tiny().tieEmbeddings(true).build(),
            tiny().attentionBias(true).mlpBias(true).headDim(16).build(),
            tiny().ropeScaling(Optional.of(new RopeScaling.Llama3(32, 1, 4, 64))).build(),
            tiny().labels(1).scoreBias(-1.25).build(),
            tiny().labels(2).build(),
            ModelConfig.gpt2().vocabSize(32).hiddenSize(16).layers(2).heads(4).build(),
            ModelConfig.gpt2()
                .vocabSize(32)
                .hiddenSize(16)
                .layers(1)
                .heads(4)
                .tieEmbeddings(false)
                .activation(Activation.GELU)
                .build());
    for (ModelConfig config : configs) {
      Path directory = Files.createTempDirectory(temp, "model");
      ModelWriter.write(directory, config, tokens, GoldenFiles.weights(config), type, 20_000);
      try (ModelFiles model = ModelFiles.open(directory)) {
        assertThat(model.config()).isEqualTo(config);
        assertThat(model.specialTokens()).isEqualTo(tokens);
        assertHoldsTheFormula(model, 0);
      }
      assertThatThrownBy(
              () -> ModelWriter.write(directory, config, tokens, GoldenFiles.weights(config), type))
          .isInstanceOf(ModelFileException.class)
          .hasMessageContaining("holds a model already");
    }
  }

  @ParameterizedTest
  @CsvSource({"F32, 0", "F16, 0", "Q8_0, 0.004"})
  void aWrittenGgufReadsBack(TensorType type, double tolerance) throws IOException {
    SpecialTokens tokens = new SpecialTokens(OptionalInt.of(1), List.of(2, 7), OptionalInt.of(0));
    List<ModelConfig> configs =
        List.of(
            tiny().tieEmbeddings(true).ropeTheta(100_000).build(),
            tiny().attentionBias(true).mlpBias(true).headDim(16).build(),
            tiny()
                .ropeTheta(500_000)
                .headDim(64)
                .ropeScaling(Optional.of(new RopeScaling.Llama3(8, 1, 4, 64)))
                .build());
    for (ModelConfig config : configs) {
      Path file = temp.resolve("model.gguf");
      Map<String, Object> tokenizer = Map.of("tokenizer.ggml.tokens", List.of("a", "b"));
      GgufWriter.write(file, config, tokens, tokenizer, GoldenFiles.weights(config), type);
      try (ModelFiles model = ModelFiles.open(file)) {
        assertThat(model.config()).isEqualTo(config);
        assertThat(model.specialTokens()).isEqualTo(tokens);
        assertThat(model.gguf().orElseThrow().texts("tokenizer.ggml.tokens"))
            .containsExactly("a", "b");
        assertHoldsTheFormula(model, tolerance);
      }
    }
  }

  /** Byte for byte what gguf-py wrote, where the tensors begin. */
  @Test
  void writtenGgufTensorsAreTheReferences() throws IOException {
    byte[] reference = Files.readAllBytes(GoldenFiles.path("llama-q8_0.gguf"));
    Path file = temp.resolve("ours.gguf");
    try (ModelFiles model = ModelFiles.open(GoldenFiles.path("llama-f32.gguf"))) {
      GgufWriter.write(
          file, model.config(), model.specialTokens(), Map.of(), model.weights(), TensorType.Q8_0);
    }
    try (ModelFiles ours = ModelFiles.open(file);
        ModelFiles theirs = ModelFiles.open(GoldenFiles.path("llama-q8_0.gguf"))) {
      assertThat(reference).isNotEmpty();
      for (WeightSource.Weight weight : theirs.weights().weights().values()) {
        TensorSpec spec = weight.spec();
        assertThat(ours.weights().weights().get(spec.name())).isEqualTo(weight);
        assertThat(ours.weights().rows(spec.name(), 0, spec.rows()))
            .isEqualTo(theirs.weights().rows(spec.name(), 0, spec.rows()));
      }
    }
  }

  @Test
  void readsAPeftAdapterAndWritesItBack() throws IOException {
    AdapterFiles.Adapter adapter = AdapterFiles.read(GoldenFiles.path("peft-lora"));
    assertThat(adapter.config().rank()).isEqualTo(4);
    assertThat(adapter.config().scale()).isEqualTo(2);
    assertThat(adapter.config().dropout()).isEqualTo(0.05);
    assertThat(adapter.config().targets()).containsExactly("q_proj", "v_proj");
    assertThat(adapter.weights().weights().keySet())
        .containsExactly(
            "model.layers.0.self_attn.q_proj.lora_A.weight",
            "model.layers.0.self_attn.q_proj.lora_B.weight",
            "model.layers.0.self_attn.v_proj.lora_A.weight",
            "model.layers.0.self_attn.v_proj.lora_B.weight");
    AdapterFiles.write(temp.resolve("adapter"), adapter.config(), adapter.weights());
    AdapterFiles.Adapter again = AdapterFiles.read(temp.resolve("adapter"));
    assertThat(again.config()).isEqualTo(adapter.config());
    for (WeightSource.Weight weight : adapter.weights().weights().values()) {
      float[] expected = GoldenFiles.weight(weight.spec());
      assertThat(adapter.weights().read(weight.spec().name())).containsExactly(expected);
      assertThat(again.weights().read(weight.spec().name())).containsExactly(expected);
    }
  }

  @Test
  void theOldSpellingOfThetaAndScalingIsRead() throws IOException {
    String config =
        Files.readString(GoldenFiles.path("llama-sharded-f32/config.json"))
            .replace(
                "\"rope_parameters\"",
                "\"rope_theta\": 250000.0, \"torch_dtype\": \"float32\", \"rope_scaling\"")
            .replace("\"rope_theta\": 500000.0,", "");
    ModelJson json =
        ModelJson.parse(Path.of("config.json"), config.getBytes(StandardCharsets.UTF_8));
    ModelConfig read = HuggingFaceConfig.read(json);
    assertThat(read.ropeTheta()).isEqualTo(250_000);
    assertThat(read.ropeScaling()).contains(new RopeScaling.Llama3(8, 1, 4, 64));
  }

  private static ModelConfigBuilder tiny() {
    return ModelConfig.llama()
        .vocabSize(32)
        .hiddenSize(32)
        .intermediateSize(32)
        .layers(2)
        .heads(4)
        .kvHeads(2)
        .maxPositions(128)
        .normEps(1e-6);
  }

  private static void assertHoldsTheFormula(ModelFiles model, double tolerance) throws IOException {
    assertThat(model.weights().weights().values())
        .extracting(WeightSource.Weight::spec)
        .containsExactlyInAnyOrderElementsOf(ModelTensors.of(model.config()));
    for (WeightSource.Weight weight : model.weights().weights().values()) {
      float[] expected = GoldenFiles.weight(weight.spec());
      float[] actual = model.weights().read(weight.spec().name());
      if (tolerance == 0) {
        assertThat(actual).as(weight.spec().name()).containsExactly(expected);
      } else {
        assertThat(actual)
            .as(weight.spec().name())
            .usingComparatorWithPrecision((float) tolerance)
            .containsExactly(expected);
      }
    }
  }
}
