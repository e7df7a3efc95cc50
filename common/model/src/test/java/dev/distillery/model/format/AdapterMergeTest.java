package dev.distillery.model.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.format.ModelFileException;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Adapters of golden/make_adapter_goldens.py, as peft saves and merges them. */
class AdapterMergeTest {
  private static final Path GOLDEN = GoldenFiles.path("").resolveSibling("adapters");
  private static final ObjectMapper JSON = new ObjectMapper();

  /** What is said of those that peft does not load, or merges to something else. */
  private static final Map<String, String> WORDS =
      Map.ofEntries(
          Map.entry("another-rank", "does not fit r = 3"),
          Map.entry("tensors-of-no-target", "belongs to no module that adapter_config.json adapts"),
          Map.entry("tensors-of-no-layer", "belongs to no module that adapter_config.json adapts"),
          Map.entry("a-saved-module-without-tensors", "names lm_head, but it has no tensor"),
          Map.entry("some-saved-modules-without-tensors", "names norm, but it has no tensor"),
          Map.entry("a-resized-vocabulary", "trained with another vocabulary"),
          Map.entry("a-lone-factor", "do not fit the model"),
          Map.entry("use_dora", "use_dora should be absent or off"),
          Map.entry("bias", "bias should be none"),
          Map.entry("lora_bias", "lora_bias should be absent or off"),
          Map.entry("layer_replication", "layer_replication should be absent or off"),
          Map.entry(
              "trainable_token_indices",
              "trainable_token_indices should be ids of rows that the adapter has"),
          Map.entry("target_parameters", "target_parameters should be absent"),
          Map.entry("pissa", "init_lora_weights should be true, false, gaussian"),
          Map.entry("an-unknown-key", "no_such_key should be absent"));

  @TempDir Path temp;

  static List<String> adapters() throws IOException {
    try (Stream<Path> folders = Files.list(GOLDEN)) {
      List<String> names =
          folders
              .filter(folder -> Files.exists(folder.resolve("merged.safetensors")))
              .map(folder -> folder.getFileName().toString())
              .sorted()
              .toList();
      assertThat(names)
          .hasSizeGreaterThan(12)
          .contains("patterns-rslora", "embedding", "saved", "tokens-of-both", "tokens-tied");
      return names;
    }
  }

  @ParameterizedTest
  @MethodSource("adapters")
  void mergesToWhatPeftDoes(String name) throws IOException {
    mergesTo(GOLDEN.resolve(name), GOLDEN.resolve(name));
  }

  /** Compares all tensors, those that are not in the other's merged.safetensors with the base. */
  private static void mergesTo(Path adapter, Path other) throws IOException {
    try (ModelFiles base = ModelFiles.open(base(adapter));
        SafetensorsFile merged = SafetensorsFile.open(other.resolve("merged.safetensors"))) {
      WeightSource ours = merged(base, adapter);
      int changed = 0;
      for (TensorSpec spec : ModelTensors.of(base.config())) {
        SafetensorsFile.Entry entry = merged.entries().get(spec.name());
        float[] values = ours.read(spec.name());
        if (entry == null) {
          assertThat(values).as(spec.name()).isEqualTo(base.weights().read(spec.name()));
          continue;
        }
        changed++;
        FloatBuffer expected =
            merged.file().slice(entry.offset(), 4 * values.length).asFloatBuffer();
        for (float value : values) {
          assertThat(value).as(spec.name()).isCloseTo(expected.get(), within(2e-6f));
        }
      }
      assertThat(changed).isEqualTo(merged.entries().size());
    }
  }

  private static Path base(Path adapter) throws IOException {
    AdapterFiles.Adapter read = AdapterFiles.read(adapter);
    read.weights().close();
    return GOLDEN.resolve(read.config().baseModel());
  }

  private static WeightSource merged(ModelFiles base, Path adapter) throws IOException {
    AdapterFiles.Adapter read = AdapterFiles.read(adapter);
    try (WeightSource weights = read.weights()) {
      return MergedWeights.of(base.config(), base.weights(), read);
    }
  }

  @Test
  void whatPeftRefusesOrLeavesOutIsRefusedByName() throws IOException {
    JsonNode asked = JSON.readTree(GOLDEN.resolve("asked.json").toFile());
    assertThat(asked).hasSizeGreaterThan(15);
    for (var question : asked.properties()) {
      Path folder = GOLDEN.resolve("asked").resolve(question.getKey());
      if (WORDS.containsKey(question.getKey())) {
        refused(folder, WORDS.get(question.getKey()));
      } else {
        assertThat(question.getValue().path("as_plain").asBoolean()).as(question.getKey()).isTrue();
        mergesTo(folder, GOLDEN.resolve("plain"));
      }
    }
  }

  private static void refused(Path folder, String words) throws IOException {
    try (ModelFiles base = ModelFiles.open(GOLDEN.resolve("base"))) {
      assertThatThrownBy(() -> merged(base, folder))
          .as(folder.toString())
          .isInstanceOf(ModelFileException.class)
          .hasMessageContaining(words);
    }
  }

  @ParameterizedTest
  @CsvSource({"saved, modules_to_save names embed_tokens", "embedding, its head is its embedding"})
  void aTiedEmbeddingIsNotChangedWithTheHead(String name, String words) throws IOException {
    try (ModelFiles base = ModelFiles.open(GOLDEN.resolve("base-tied"))) {
      assertThatThrownBy(() -> merged(base, GOLDEN.resolve(name)))
          .isInstanceOf(ModelFileException.class)
          .hasMessageContaining(words);
    }
  }

  private interface Change {
    void accept(ObjectNode config) throws IOException;
  }

  private Path changed(Change change) throws IOException {
    return changed("plain", change);
  }

  private Path changed(String name, Change change) throws IOException {
    Path plain = GOLDEN.resolve(name);
    Path folder = Files.createTempDirectory(temp, "adapter");
    Files.copy(
        plain.resolve("adapter_model.safetensors"), folder.resolve("adapter_model.safetensors"));
    var config = (ObjectNode) JSON.readTree(plain.resolve("adapter_config.json").toFile());
    change.accept(config);
    JSON.writeValue(folder.resolve("adapter_config.json").toFile(), config);
    return folder;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "(a+)+[^a]*\\1",
        ".*\\p{L}",
        "[a&&b]",
        "(?i).*",
        "[[:alpha:]]+",
        "(?P=x)",
        "*",
        "\\",
        "(?<name>q)",
        "[]a]"
      })
  void aPatternThatPythonReadsOtherwiseIsRefused(String pattern) throws IOException {
    refused(changed(config -> config.put("target_modules", pattern)), "is not read");
  }

  @Test
  void aPatternThatTakesForeverIsRefused() throws IOException {
    Path folder = changed(config -> config.put("target_modules", "(([a-z_.0-9]+)+)+!"));
    refused(folder, "it takes too long to match");
    // At the end of a name these read no character, so that no step of theirs is counted.
    String ways = "($|$)".repeat(60);
    refused(changed(config -> config.put("target_modules", ".*q_proj" + ways + "x")), "too many");
    String layers = String.join("|", Collections.nCopies(32, "1"));
    String usual = ".*layers\\.(" + layers + ")\\..*(q|k|v|o)_proj|x";
    assertThat(PythonPattern.of(usual).matches("layers.1.self_attn.q_proj")).isTrue();
    // Ways of different branches add up; only those in a row multiply.
    String layerByLayer =
        IntStream.range(0, 32)
            .mapToObj(
                layer -> String.format(Locale.ROOT, "model\\.layers\\.%d\\.(q|k|v|o)_proj", layer))
            .collect(Collectors.joining("|"));
    assertThat(PythonPattern.of(layerByLayer).matches("model.layers.31.o_proj")).isTrue();
    assertThat(PythonPattern.of("(" + layerByLayer + ")x?").matches("model.layers.9.k_proj"))
        .isTrue();
    refused(
        changed(config -> config.put("target_modules", "y|(z|.*q_proj" + ways + ")x")), "too many");
  }

  @Test
  void aPatternOfPythonsIsRead() throws IOException {
    Path folder =
        changed(
            config ->
                config.put(
                    "target_modules", "(?P<all>(?:.*\\.)?)(?=self)(?!mlp)self_attn\\.[^xy]_proj$"));
    mergesTo(folder, GOLDEN.resolve("plain"));
  }

  /** What is read of a part of a matrix is what the whole has there, wherever the part begins. */
  @Test
  void rowsOfTokensAreReadInParts() throws IOException {
    try (ModelFiles base = ModelFiles.open(GOLDEN.resolve("base"))) {
      WeightSource ours = merged(base, GOLDEN.resolve("tokens-of-both"));
      float[] whole = ours.read("lm_head.weight");
      for (int start = 0; start < whole.length; start += 3) {
        float[] part = new float[Math.min(11, whole.length - start)];
        ours.read("lm_head.weight", start, FloatBuffer.wrap(part));
        assertThat(part).isEqualTo(Arrays.copyOfRange(whole, start, start + part.length));
      }
    }
  }

  @Test
  void rowsOfTokensThatDoNotFitAreRefused() throws IOException {
    String rows = "model.embed_tokens.token_adapter.trainable_tokens_delta";
    refusedTokens("{\"embed_tokens\": [5, 1]}", "does not fit the 2 ids");
    refusedTokens("{\"embed_tokens\": [5, 1, 1]}", "lists of ids, each once");
    refusedTokens("{\"embed_tokens\": [5, 1, -1]}", "lists of ids from 0 on");
    refusedTokens("{\"embed_tokens\": [5, 1, 24]}", rows + " of [3, 8], for the tokens [5, 1, 24]");
    refusedTokens("{\"lm_head\": [5, 1, 23]}", "the rows that the adapter has of model.embed_tok");
    refusedTokens(
        "{\"embed_tokens\": [5, 1, 23], \"lm_head\": [5, 1, 23]}",
        "names lm_head, but it has no tensor lm_head.token_adapter");
    refusedTokens("null", "the rows that the adapter has of model.embed_tokens");
    try (ModelFiles tied = ModelFiles.open(GOLDEN.resolve("base-tied"))) {
      assertThatThrownBy(() -> merged(tied, GOLDEN.resolve("tokens-of-both")))
          .isInstanceOf(ModelFileException.class)
          .hasMessageContaining("its head is its embedding");
    }
  }

  private void refusedTokens(String tokens, String words) throws IOException {
    refused(
        changed("tokens", config -> config.set("trainable_token_indices", JSON.readTree(tokens))),
        words);
  }

  /** GGUF adapters are factors alone. */
  @Test
  void rowsOfTokensAreNotWrittenAsGguf() throws IOException {
    try (ModelFiles base = ModelFiles.open(GOLDEN.resolve("base"))) {
      AdapterFiles.Adapter adapter = AdapterFiles.read(GOLDEN.resolve("tokens"));
      try (WeightSource weights = adapter.weights()) {
        assertThatThrownBy(
                () -> GgufAdapterWriter.write(temp.resolve("a.gguf"), base.config(), adapter))
            .isInstanceOf(ModelFileException.class)
            .hasMessageContaining("trainable_tokens_delta")
            .hasMessageContaining("export the merged model");
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"tokens", "tokens-of-both"})
  void rowsOfTokensAreWrittenAndReadBack(String name) throws IOException {
    Path out = temp.resolve("written");
    AdapterFiles.Adapter adapter = AdapterFiles.read(GOLDEN.resolve(name));
    try (WeightSource weights = adapter.weights()) {
      AdapterFiles.write(out, adapter.config(), weights);
    }
    AdapterFiles.Adapter again = AdapterFiles.read(out);
    again.weights().close();
    assertThat(again.config()).isEqualTo(adapter.config());
    assertThat(again.config().tokens().get("model.embed_tokens")).contains(1).doesNotContain(0);
    mergesTo(out, GOLDEN.resolve(name));
  }

  /** Ranks and alphas of single modules come back as they were written. */
  @Test
  void patternsAreWrittenAndReadBack() throws IOException {
    Path out = temp.resolve("written");
    AdapterFiles.Adapter adapter = AdapterFiles.read(GOLDEN.resolve("patterns"));
    try (WeightSource weights = adapter.weights()) {
      AdapterFiles.write(out, adapter.config(), weights);
    }
    AdapterFiles.Adapter again = AdapterFiles.read(out);
    again.weights().close();
    assertThat(again.config()).isEqualTo(adapter.config());
    assertThat(again.config().rank("model.layers.0.self_attn.q_proj")).isEqualTo(4);
    assertThat(again.config().rank("model.layers.1.self_attn.q_proj")).isEqualTo(1);
    assertThat(again.config().scale("model.layers.1.mlp.up_proj")).isEqualTo(7.0 / 3);
    mergesTo(out, GOLDEN.resolve("patterns"));
  }
}
