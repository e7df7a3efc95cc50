package dev.distillery.model.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.core.format.ModelFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Directories that are not quite as they should be, read as transformers reads them. */
class CheckpointFilesTest {
  private static final Path GOLDEN = GoldenFiles.path("").resolveSibling("checkpoints");

  /** What is said of each of golden/make_checkpoint_goldens.py. */
  private static final Map<String, String> WORDS =
      Map.of(
          "single-over-stale-shards",
          "model.safetensors is read, and model.safetensors.index.json beside it is not",
          "single-over-lone-index",
          "model.safetensors is read, and model.safetensors.index.json beside it is not",
          "entries-too-many",
          "names model.layers.0.self_attn.rotary_emb.inv_freq, which no shard holds",
          "head-of-its-own",
          "lm_head.weight is another matrix than model.embed_tokens.weight, so that it counts",
          "head-of-the-embedding",
          "",
          "head-in-another-type",
          "",
          "layers-too-many",
          "no place for the tensors model.layers.1.input_layernorm.weight,",
          "a-tensor-of-nothing",
          "no place for the tensors model.layers.0.self_attn.q_proj.bias, which are not read");

  @TempDir Path temp;

  static List<String> checkpoints() throws IOException {
    try (Stream<Path> folders = Files.list(GOLDEN)) {
      List<String> names =
          folders
              .filter(Files::isDirectory)
              .map(folder -> folder.getFileName().toString())
              .sorted()
              .toList();
      assertThat(names).containsExactlyInAnyOrderElementsOf(WORDS.keySet());
      return names;
    }
  }

  /** The sums of all tensors as transformers loaded them, and whether it tied the head. */
  @ParameterizedTest
  @MethodSource("checkpoints")
  void readsWhatTransformersReads(String name) throws IOException {
    JsonNode expected =
        new ObjectMapper().readTree(GOLDEN.resolve("loaded.json").toFile()).get(name);
    try (ModelFiles model = ModelFiles.open(GOLDEN.resolve(name))) {
      assertThat(model.config().tieEmbeddings()).isEqualTo(expected.get("tied").booleanValue());
      assertThat(model.weights().weights()).hasSize(expected.get("sums").size());
      for (var sum : expected.get("sums").properties()) {
        double ours = 0;
        for (float value : model.weights().read(sum.getKey())) {
          ours += value;
        }
        assertThat(ours).as(sum.getKey()).isEqualTo(sum.getValue().doubleValue());
      }
      if (WORDS.get(name).isEmpty()) {
        assertThat(model.warnings()).isEmpty();
      } else {
        assertThat(model.warnings()).singleElement().asString().contains(WORDS.get(name));
      }
    }
  }

  /** An index is believed where it is all there is. */
  @Test
  void anIndexWithoutItsShardsIsRefused() throws IOException {
    Path source = GOLDEN.resolve("single-over-lone-index");
    for (String file : List.of("config.json", "model.safetensors.index.json")) {
      Files.copy(source.resolve(file), temp.resolve(file));
    }
    assertThatThrownBy(() -> ModelFiles.open(temp))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("there is no such file");
  }

  /** What it is written as says what was read. */
  @Test
  void aHeadOfItsOwnIsWrittenUntied() throws IOException {
    Path out = temp.resolve("out");
    try (ModelFiles model = ModelFiles.open(GOLDEN.resolve("head-of-its-own"))) {
      ModelWriter.write(
          out, model.config(), model.specialTokens(), model.weights(), TensorType.F32);
    }
    try (ModelFiles again = ModelFiles.open(out)) {
      assertThat(again.config().tieEmbeddings()).isFalse();
      assertThat(again.warnings()).isEmpty();
    }
  }
}
