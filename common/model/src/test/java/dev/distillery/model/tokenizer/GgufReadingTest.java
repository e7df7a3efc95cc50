package dev.distillery.model.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.distillery.core.format.ModelFileException;
import dev.distillery.model.format.ArrayWeights;
import dev.distillery.model.format.GgufWriter;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.format.ModelTensors;
import dev.distillery.model.format.RopeScaling;
import dev.distillery.model.format.SpecialTokens;
import dev.distillery.model.format.TensorType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What keys of a GGUF file mean that are missing or older: as llama.cpp takes them ({@code
 * src/llama-vocab.cpp}, {@code src/llama-model.cpp}).
 */
class GgufReadingTest {
  private static final String TEXT = "da ne stu 1234567 <|im_end|> <s> \n\n I'M";

  @TempDir Path temp;

  /** A file of random sizes with a tokenizer's metadata, changed. */
  private Path file(String tokenizer, Consumer<Map<String, Object>> change) throws IOException {
    Tokenizer original = Tokenizers.open(TokenizerGoldenTest.path(tokenizer));
    ModelConfig config =
        ModelConfig.llama()
            .vocabSize(original.vocabSize())
            .hiddenSize(8)
            .intermediateSize(8)
            .layers(1)
            .heads(2)
            .tieEmbeddings(true)
            .build();
    Map<String, Object> metadata =
        new HashMap<>(
            TokenizerWriter.ggufMetadata(original, original.vocabSize(), Optional.empty()));
    change.accept(metadata);
    ArrayWeights weights = new ArrayWeights();
    ModelTensors.of(config).forEach(s -> weights.put(s, new float[(int) s.elements()]));
    Path file = temp.resolve("model.gguf");
    SpecialTokens special = new SpecialTokens(OptionalInt.of(1), List.of(2), OptionalInt.empty());
    GgufWriter.write(file, config, special, metadata, weights, TensorType.F32);
    return file;
  }

  private static int[] encode(Path file) throws IOException {
    return Tokenizers.open(file).encode(TEXT);
  }

  @ParameterizedTest
  @CsvSource({
    ", 4, 0, 4",
    ", 0, 4, 4",
    ", 2, 4, 2",
    ", 0, 0, 0",
    ", 1, 0, 0",
    "linear, 4, 0, 4",
    "linear, 0, 8, 8",
    "none, 4, 4, 0"
  })
  void aFactorWithoutATypeIsLinear(String type, float factor, float older, double linear)
      throws IOException {
    Path file =
        file(
            "gpt2.json",
            metadata -> {
              if (type != null) {
                metadata.put("llama.rope.scaling.type", type);
              }
              if (factor > 0) {
                metadata.put("llama.rope.scaling.factor", factor);
              }
              if (older > 0) {
                metadata.put("llama.rope.scale_linear", older);
              }
            });
    try (ModelFiles model = ModelFiles.open(file)) {
      assertThat(model.config().ropeScaling())
          .isEqualTo(linear == 0 ? Optional.empty() : Optional.of(new RopeScaling.Linear(linear)));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "llama.rope.scaling.type, longrope, 'none, linear or yarn'",
    "llama.rope.scaling.type, dynamic, 'none, linear or yarn'",
    "llama.rope.scaling.yarn_ext_factor, 1, it is not known what it does",
    "llama.rope.scaling.yarn_log_multiplier, 1, it is not known what it does"
  })
  void otherScalingIsRefusedByName(String key, String value, String words) throws IOException {
    Path file = file("gpt2.json", metadata -> metadata.put(key, value));
    assertThatThrownBy(() -> ModelFiles.open(file))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining(key)
        .hasMessageContaining(words);
  }

  /** llama.cpp's LongRoPE is these tensors, without a type of scaling. */
  @ParameterizedTest
  @ValueSource(strings = {"rope_factors_long.weight", "rope_factors_short.weight"})
  void longRopesFactorsAreRefusedByName(String tensor) throws IOException {
    Path file = file("gpt2.json", metadata -> {});
    try (ModelFiles model = ModelFiles.open(file)) {
      assertThat(model.config().ropeScaling()).isEmpty();
    }
    addTensor(file, tensor);
    assertThatThrownBy(() -> ModelFiles.open(file))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("the llama architecture has no place for its tensor " + tensor);
  }

  /** Adds a vector of 4 values to a file whose others are zero. */
  private static void addTensor(Path file, String name) throws IOException {
    ByteBuffer old = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    String text = new String(old.array(), StandardCharsets.ISO_8859_1);
    int dimensions = text.lastIndexOf(".weight") + ".weight".length();
    int end = dimensions + 4 + 8 * old.getInt(dimensions) + 4 + 8;
    int data = (end + 31) / 32 * 32;
    int longer = (end + 8 + name.length() + 24 + 31) / 32 * 32;
    int values = (old.capacity() - data + 31) / 32 * 32;
    ByteBuffer more = ByteBuffer.allocate(longer + values + 32).order(ByteOrder.LITTLE_ENDIAN);
    more.put(0, old.array(), 0, end).putLong(8, old.getLong(8) + 1);
    more.position(end).putLong(name.length()).put(name.getBytes(StandardCharsets.US_ASCII));
    more.putInt(1).putLong(4).putInt(0).putLong(values);
    more.put(longer, old.array(), data, old.capacity() - data);
    Files.write(file, more.array());
  }

  @ParameterizedTest
  @CsvSource({
    "llama3.json, llama-bpe, , true",
    "llama3.json, llama-v3, , true",
    "llama3.json, llama-bpe, false, false",
    "llama3.json, falcon-h1, , true",
    "llama3.json, smaug-bpe, , false",
    "llama3.json, dbrx, , false",
    "llama3.json, dbrx, true, true",
    "smollm.json, refact, , false",
    "tekken.json, tekken, , true",
    "gpt2.json, gpt-2, , false",
    "gpt2.json, gpt-2, true, true",
    "smollm.json, smollm, , false",
    "llama.json, , , true",
    "llama.json, , false, false"
  })
  void bosIsAddedWhereNoKeySaysElse(String tokenizer, String pre, Boolean given, boolean added)
      throws IOException {
    Path file =
        file(
            tokenizer,
            metadata -> {
              metadata.remove("tokenizer.ggml.add_bos_token");
              if (given != null) {
                metadata.put("tokenizer.ggml.add_bos_token", given);
              }
              if (pre != null) {
                metadata.put("tokenizer.ggml.pre", pre);
              }
            });
    int bos = tokenizer.equals("llama3.json") ? 0 : 1;
    assertThat(Tokenizers.open(file).prefix()).isEqualTo(added ? new int[] {bos} : new int[0]);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ':',
      value = {
        "llama3.json: llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2",
        "gpt2.json: phi-2 mpt olmo jais gigachat a.x-4.0 mellum exaone4 trillion granite-docling",
        "smollm.json: starcoder refact command-r codeshell exaone minerva-7b"
      })
  void otherNamesOfPreTokenizersAreRead(String tokenizer, String names) throws IOException {
    int[] ids = encode(file(tokenizer, metadata -> {}));
    for (String name : names.split(" ")) {
      Path other = file(tokenizer, metadata -> metadata.put("tokenizer.ggml.pre", name));
      assertThat(encode(other)).as(name).isEqualTo(ids);
    }
  }

  /** A tokenizer.json with one word of it replaced. */
  private Tokenizer changed(String tokenizer, String from, String to) throws IOException {
    String json = Files.readString(TokenizerGoldenTest.path(tokenizer));
    assertThat(json).contains(from);
    return Tokenizers.open(
        Files.writeString(temp.resolve("tokenizer.json"), json.replace(from, to)));
  }

  /** LLaMA-3's pattern without its way with words that are tokens: SmaugBPE, DBRX and OLMo 2. */
  @ParameterizedTest
  @ValueSource(strings = {"smaug-bpe", "dbrx"})
  void llama3sPatternMayMergeWholeWordsToo(String name) throws IOException {
    Tokenizer merging = changed("llama3.json", "\"ignore_merges\":true", "\"ignore_merges\":false");
    Path file = file("llama3.json", metadata -> metadata.put("tokenizer.ggml.pre", name));
    for (String text : List.of(TEXT, "the cat sat", "stu stuff nest", "1234 ' s 'll")) {
      assertThat(Tokenizers.open(file).encodeOrdinary(text))
          .isEqualTo(merging.encodeOrdinary(text));
    }
    assertThat(TokenizerWriter.ggufMetadata(merging, merging.vocabSize(), Optional.empty()))
        .containsEntry("tokenizer.ggml.pre", "smaug-bpe");
  }

  /** Qwen's pattern under names whose tokenizers do not compose text. */
  @ParameterizedTest
  @ValueSource(strings = {"deepseek-r1-qwen", "megrez", "kormo", "stablelm2", "hunyuan"})
  void qwensPatternMayLeaveTextAsItIs(String name) throws IOException {
    Path qwen = file("qwen2.json", metadata -> {});
    String decomposed = "Ko\u0308ln 12";
    int[] composing = Tokenizers.open(qwen).encode(decomposed);
    assertThat(composing).isEqualTo(Tokenizers.open(qwen).encode("K\u00f6ln 12"));
    Tokenizer plain =
        Tokenizers.open(file("qwen2.json", metadata -> metadata.put("tokenizer.ggml.pre", name)));
    assertThat(plain.encode("K\u00f6ln 12")).isEqualTo(composing);
    assertThat(plain.decode(plain.encode(decomposed), false)).isEqualTo(decomposed);
    assertThat(TokenizerWriter.ggufMetadata(plain, plain.vocabSize(), Optional.empty()))
        .containsEntry("tokenizer.ggml.pre", "deepseek-r1-qwen");
  }

  @Test
  void whatNoNameImpliesIsNotWritten() throws IOException {
    Tokenizer whole = changed("gpt2.json", "\"ignore_merges\":false", "\"ignore_merges\":true");
    assertThatThrownBy(
            () -> TokenizerWriter.ggufMetadata(whole, whole.vocabSize(), Optional.empty()))
        .hasMessageContaining("no key for ignore_merges")
        .hasMessageContaining("gpt-2");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "default",
        "gpt-4o",
        "llama4",
        "deepseek-llm",
        "deepseek-v3",
        "chatglm-bpe",
        "roberta-bpe",
        "falcon",
        "bloom",
        "kimi-k2",
        "superbpe",
        "no-such"
      })
  void otherPreTokenizersAreRefusedByName(String name) throws IOException {
    Path file = file("gpt2.json", metadata -> metadata.put("tokenizer.ggml.pre", name));
    assertThatThrownBy(() -> Tokenizers.open(file))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("tokenizer.ggml.pre should be one of gpt-2, phi-2, mpt")
        .hasMessageEndingWith("but is " + name);
  }

  @Test
  void aMissingPreTokenizerIsRefused() throws IOException {
    Path file = file("gpt2.json", metadata -> metadata.remove("tokenizer.ggml.pre"));
    assertThatThrownBy(() -> Tokenizers.open(file))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("tokenizer.ggml.pre")
        .hasMessageContaining("missing");
  }

  /** All are plain text then, but those whose spelling ends a text. */
  @ParameterizedTest
  @CsvSource({"smollm.json", "llama.json"})
  void aFileWithoutTypesHasPlainTokensAndEnds(String tokenizer) throws IOException {
    Tokenizer typed = Tokenizers.open(file(tokenizer, metadata -> {}));
    Tokenizer untyped =
        Tokenizers.open(file(tokenizer, metadata -> metadata.remove("tokenizer.ggml.token_type")));
    assertThat(untyped.vocabSize()).isEqualTo(typed.vocabSize());
    String plain = "da ne stu";
    assertThat(untyped.encode(plain)).isEqualTo(typed.encode(plain));
    int marks = 0;
    for (int id = 0; id < typed.vocabSize(); id++) {
      String token = typed.token(id);
      boolean end = token.equals("<|im_end|>") || token.equals("<|endoftext|>");
      assertThat(untyped.isSpecial(id)).as(token).isEqualTo(end);
      if (typed.isSpecial(id) && !token.isEmpty()) {
        marks++;
        boolean found = untyped.encode("a" + token + "b").length < token.length();
        assertThat(found && untyped.isSpecial(id)).as(token).isEqualTo(end);
      }
    }
    assertThat(marks).isPositive();
  }
}
