package dev.distillery.model.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.core.format.ModelFileException;
import dev.distillery.model.format.ArrayWeights;
import dev.distillery.model.format.GgufWriter;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.format.ModelTensors;
import dev.distillery.model.format.ModelWriter;
import dev.distillery.model.format.SpecialTokens;
import dev.distillery.model.format.TensorType;
import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Lists of named templates, read as transformers reads them ({@code read.json}), and written. */
class ModelTemplatesTest {
  private static final SpecialTokens TOKENS =
      new SpecialTokens(OptionalInt.of(1), List.of(2), OptionalInt.empty());

  @TempDir Path temp;

  private static Path goldens() throws URISyntaxException {
    URL read = ModelTemplatesTest.class.getResource("/golden/named-templates/read.json");
    return Objects.requireNonNull(Path.of(Objects.requireNonNull(read).toURI()).getParent());
  }

  private static ModelConfig config(int vocabulary) {
    return ModelConfig.llama()
        .vocabSize(vocabulary)
        .hiddenSize(8)
        .intermediateSize(8)
        .layers(1)
        .heads(2)
        .tieEmbeddings(true)
        .build();
  }

  private static ArrayWeights weights(ModelConfig config) {
    ArrayWeights weights = new ArrayWeights();
    ModelTensors.of(config).forEach(s -> weights.put(s, new float[(int) s.elements()]));
    return weights;
  }

  /** A model's folder with the template files of a golden. */
  private Path folder(String golden) throws IOException, URISyntaxException {
    Path model = temp.resolve(golden);
    ModelConfig config = config(8);
    ModelWriter.write(model, config, TOKENS, weights(config), TensorType.F32);
    Path from = goldens().resolve(golden);
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path to = model.resolve(from.relativize(file).toString());
        Files.createDirectories(Objects.requireNonNull(to.getParent()));
        Files.copy(file, to);
      }
    }
    return model;
  }

  private static ModelTemplates read(Path model) throws IOException {
    try (ModelFiles files = ModelFiles.open(model)) {
      return ModelTemplates.read(files).orElseThrow();
    }
  }

  private static Map<String, String> all(ModelTemplates templates) {
    Map<String, String> all = new HashMap<>(templates.others());
    all.put("default", templates.jinja());
    return all;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "files",
        "list",
        "one-file",
        "one-text",
        "one-file-beside-a-list",
        "files-beside-a-list"
      })
  void namedTemplatesAreThoseThatTransformersReads(String golden) throws Exception {
    JsonNode expected =
        new ObjectMapper().readTree(goldens().resolve("read.json").toFile()).get(golden);
    Map<String, String> wanted = new HashMap<>();
    expected.properties().forEach(t -> wanted.put(t.getKey(), t.getValue().asText()));
    ModelTemplates read = read(folder(golden));
    assertThat(all(read)).isEqualTo(wanted);
    assertThat(read.spellings()).containsEntry("eos_token", "</s>");
  }

  @Test
  void filesWithoutOneForDialoguesAreRefusedByName() {
    assertThatThrownBy(() -> read(folder("files-without-default")))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("additional_chat_templates")
        .hasMessageContaining("no chat_template.jinja")
        .hasMessageContaining("[rag, tool_use]");
  }

  /** What is written is laid out as transformers does, so that it finds the named ones too. */
  @Test
  void namedTemplatesAreWrittenWhereTransformersLooks() throws Exception {
    Path output = temp.resolve("written");
    Tokenizer tokenizer = Tokenizers.open(TokenizerGoldenTest.path("gpt2.json"));
    ModelTemplates templates = read(folder("list"));
    TokenizerWriter.write(output, tokenizer, TOKENS, Optional.of(ChatTemplate.carried(templates)));
    for (String file :
        List.of(
            "chat_template.jinja",
            "additional_chat_templates/rag.jinja",
            "additional_chat_templates/tool_use.jinja")) {
      assertThat(output.resolve(file)).hasSameTextualContentAs(goldens().resolve("files/" + file));
    }
    JsonNode older = new ObjectMapper().readTree(output.resolve("tokenizer_config.json").toFile());
    assertThat(older.get("chat_template").findValuesAsText("name"))
        .containsExactly("default", "rag", "tool_use");
  }

  @Test
  void aNameThatIsNoFilesNameIsRefused() throws IOException {
    Tokenizer tokenizer = Tokenizers.open(TokenizerGoldenTest.path("gpt2.json"));
    var template =
        ChatTemplate.carried(new ModelTemplates("{}", Map.of("../../a", "{}"), Map.of()));
    assertThatThrownBy(() -> TokenizerWriter.write(temp, tokenizer, TOKENS, Optional.of(template)))
        .hasMessageContaining("'../../a' cannot be a file");
  }

  private Path gguf(Optional<ModelTemplates> templates, Consumer<Map<String, Object>> change)
      throws IOException {
    Tokenizer tokenizer = Tokenizers.open(TokenizerGoldenTest.path("gpt2.json"));
    ModelConfig config = config(tokenizer.vocabSize());
    Map<String, Object> metadata =
        new HashMap<>(
            TokenizerWriter.ggufMetadata(
                tokenizer, tokenizer.vocabSize(), templates.map(ChatTemplate::carried)));
    change.accept(metadata);
    Path file = temp.resolve("model.gguf");
    GgufWriter.write(file, config, TOKENS, metadata, weights(config), TensorType.F32);
    return file;
  }

  /** The keys of gguf-py: the names in a list, each text under its name, the default's alone. */
  @Test
  void namedTemplatesGoToGgufAndBack() throws Exception {
    ModelTemplates templates = read(folder("files"));
    Map<String, Object> written = new HashMap<>();
    Path file = gguf(Optional.of(templates), written::putAll);
    assertThat(written)
        .containsEntry("tokenizer.chat_template", templates.jinja())
        .containsEntry("tokenizer.chat_template.rag", templates.others().get("rag"))
        .containsEntry("tokenizer.chat_template.tool_use", templates.others().get("tool_use"))
        .containsEntry("tokenizer.chat_templates", List.of("rag", "tool_use"));
    assertThat(all(read(file))).isEqualTo(all(templates));
  }

  @Test
  void oneTemplateOfAGgufFileHasNoList() throws Exception {
    Map<String, Object> written = new HashMap<>();
    Path file = gguf(Optional.of(read(folder("one-text"))), written::putAll);
    assertThat(written).doesNotContainKey("tokenizer.chat_templates");
    assertThat(read(file).others()).isEmpty();
  }

  @Test
  void aTemplateThatAGgufFileOnlyNamesIsRefused() throws Exception {
    ModelTemplates templates = read(folder("files"));
    Path missing =
        gguf(
            Optional.of(templates),
            metadata -> metadata.put("tokenizer.chat_templates", List.of("rag", "old")));
    assertThatThrownBy(() -> read(missing))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("tokenizer.chat_template.old should be there");
    Path without =
        gguf(Optional.of(templates), metadata -> metadata.remove("tokenizer.chat_template"));
    assertThatThrownBy(() -> read(without))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("tokenizer.chat_template should be there")
        .hasMessageContaining("[rag, tool_use]");
  }
}
