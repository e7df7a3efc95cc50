package dev.distillery.training.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.distillery.core.format.ModelFileException;
import dev.distillery.core.run.ModelHash;
import dev.distillery.model.format.AdapterConfig;
import dev.distillery.model.format.AdapterFiles;
import dev.distillery.model.format.ArrayWeights;
import dev.distillery.model.format.TensorSpec;
import dev.distillery.training.reward.TinyReward;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** See RewardJobTest too. */
class MergedModelTest {
  @TempDir Path temp;

  private Path adapter(String name, double alpha) throws IOException {
    ArrayWeights weights = new ArrayWeights();
    String module = "model.layers.1.self_attn.q_proj";
    weights.put(new TensorSpec(module + ".lora_A.weight", List.of(2, 32)), new float[64]);
    weights.put(new TensorSpec(module + ".lora_B.weight", List.of(32, 2)), new float[64]);
    String base = TinyReward.student().toString();
    AdapterFiles.write(
        temp.resolve(name),
        new AdapterConfig(2, alpha, 0, List.of("q_proj"), false, List.of(), "CAUSAL_LM", base),
        weights);
    return temp.resolve(name);
  }

  @Test
  void nothingOfTheModelThatGivesWayStays() throws IOException {
    Path merged = temp.resolve("merged");
    assertThat(MergedModel.write(adapter("one", 4), merged, false)).isTrue();
    for (String stale : List.of("chat_template.json", "model-00001-of-00002.safetensors")) {
      Files.writeString(merged.resolve(stale), "stale");
    }
    Files.createDirectory(merged.resolve("additional_chat_templates"));
    Files.writeString(merged.resolve("additional_chat_templates/rag.jinja"), "stale");
    assertThat(MergedModel.write(adapter("two", 6), merged, true)).isTrue();
    try (var files = Files.list(merged)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder(
              "config.json",
              "generation_config.json",
              "model.safetensors",
              "chat_template.jinja",
              "tokenizer.json",
              "tokenizer_config.json",
              "merged-from.txt");
    }
  }

  @Test
  void whatWasNotMergedHereStays() throws IOException {
    Path others = Files.createDirectories(temp.resolve("others"));
    Files.writeString(others.resolve("model.safetensors"), "theirs");
    assertThatThrownBy(() -> MergedModel.write(adapter("one", 4), others, true))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining(others + ": it holds files and no merged-from.txt");
    Path adapter = adapter("two", 4);
    assertThatThrownBy(() -> MergedModel.write(adapter, adapter, true))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining(adapter + ": the model that is merged reads this folder");
    assertThat(others.resolve("model.safetensors")).hasContent("theirs");
    assertThat(adapter.resolve("adapter_model.safetensors")).exists();
  }

  @Test
  void anAdapterThatDoesNotFitCostsNoEarlierResult() throws IOException {
    Path merged = temp.resolve("merged ü x");
    Path one = adapter("one", 4);
    assertThat(MergedModel.write(one, merged, false)).isTrue();
    String before = ModelHash.of(merged);
    ArrayWeights weights = new ArrayWeights();
    String module = "model.layers.99.self_attn.q_proj";
    weights.put(new TensorSpec(module + ".lora_A.weight", List.of(2, 32)), new float[64]);
    weights.put(new TensorSpec(module + ".lora_B.weight", List.of(32, 2)), new float[64]);
    Path wrong = temp.resolve("wrong");
    AdapterFiles.write(wrong, AdapterFiles.read(one).config(), weights);
    assertThatThrownBy(() -> MergedModel.write(wrong, merged, true))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("layers.99");
    assertThat(ModelHash.of(merged)).isEqualTo(before);
    assertThat(MergedModel.write(one, merged, false)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "unfinished"})
  void aMergeThatWasBrokenOffBeginsAgainInAnyFolder(String mark) throws IOException {
    Path merged = Files.createDirectories(temp.resolve("merged ü x"));
    Files.writeString(merged.resolve("merged-from.txt"), mark);
    Files.writeString(merged.resolve("vocab.json"), "stale");
    assertThat(MergedModel.write(adapter("one", 4), merged, false)).isTrue();
    assertThat(merged.resolve("vocab.json")).doesNotExist();
    assertThat(MergedModel.config(merged).hiddenSize()).isEqualTo(32);
  }
}
