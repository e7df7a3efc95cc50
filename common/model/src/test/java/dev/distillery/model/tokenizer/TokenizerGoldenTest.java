package dev.distillery.model.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Ids and texts as golden/make_tokenizer_goldens.py got them from the reference libraries. */
class TokenizerGoldenTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "gpt2",
        "smollm",
        "llama3",
        "qwen2",
        "tekken",
        "llama",
        "llama-metaspace",
        "gemma"
      })
  void givesTheIdsAndTextsOfHuggingFace(String name) throws IOException {
    assertGolden(Tokenizers.open(path(name + ".json")), name + "-cases.json");
  }

  /** A model with LLaMA's settings, exported as llama2.c does it, against SentencePiece itself. */
  @Test
  void givesTheIdsAndTextsOfSentencePiece() throws IOException {
    assertGolden(Tokenizers.open(path("llama2c.bin")), "llama2c-cases.json");
  }

  /** Ends of pieces, in characters. */
  @Test
  void tekkenCutsWhereItsExpressionDoes() throws IOException {
    SoftAssertions soft = new SoftAssertions();
    for (JsonNode row : json(path("tekken-cuts.json"))) {
      String text = row.get("text").textValue();
      List<Integer> expected = new ArrayList<>();
      row.get("ends").forEach(end -> expected.add(end.intValue()));
      List<Integer> ends = new ArrayList<>();
      PreTokenizer.TEKKEN.cut(
          text, 0, text.length(), (from, to) -> ends.add(text.codePointCount(0, to)));
      soft.assertThat(ends).as("ends of the pieces of %s", text).isEqualTo(expected);
    }
    soft.assertAll();
  }

  @Test
  void givesGpt2sOwnIds() throws IOException {
    Path folder = Path.of("../../../shared/data/gpt2-bpe");
    assumeTrue(Files.isDirectory(folder), "GPT-2's vocabulary is not beside the repository");
    Map<String, Integer> vocabulary = new HashMap<>();
    for (var entry : json(folder.resolve("encoder.json")).properties()) {
      vocabulary.put(entry.getKey(), entry.getValue().intValue());
    }
    List<String> merges = new ArrayList<>(Files.readAllLines(folder.resolve("vocab.bpe")));
    merges.remove(0);
    merges.removeIf(String::isEmpty);
    assertGolden(
        new ByteLevelBpe(
            PreTokenizer.GPT2, vocabulary, merges, List.of(), false, false, new int[0], new int[0]),
        "published-gpt2-cases.json");
  }

  @Test
  void knowsPrefixAndSpecialTokens() throws IOException {
    Tokenizer tokenizer = Tokenizers.open(path("llama3.json"));
    assertThat(tokenizer.prefix()).containsExactly(0);
    assertThat(tokenizer.suffix()).isEmpty();
    assertThat(tokenizer.id("<|im_end|>")).hasValue(2);
    assertThat(tokenizer.token(2)).isEqualTo("<|im_end|>");
    assertThat(tokenizer.isSpecial(2)).isTrue();
    assertThat(tokenizer.isSpecial(300)).isFalse();
    int[] ids = tokenizer.encode("da<|im_end|>ne");
    assertThat(ids).contains(2);
    assertThat(tokenizer.decode(ids, true)).isEqualTo("dane");
    int[] ordinary = tokenizer.encodeOrdinary("da<|im_end|>ne");
    assertThat(ordinary).doesNotContain(2);
    assertThat(tokenizer.decode(ordinary, true)).isEqualTo("da<|im_end|>ne");
  }

  static void assertGolden(Tokenizer tokenizer, String cases) throws IOException {
    SoftAssertions soft = new SoftAssertions();
    int count = 0;
    for (JsonNode row : json(path(cases))) {
      String text = row.get("text").textValue();
      int[] expected = new int[row.get("ids").size()];
      for (int i = 0; i < expected.length; i++) {
        expected[i] = row.get("ids").get(i).intValue();
      }
      soft.assertThat(tokenizer.encode(text)).as("ids of %s", text).isEqualTo(expected);
      if (!cases.startsWith("published")) {
        soft.assertThat(tokenizer.decode(expected, false))
            .as("text of the ids of %s", text)
            .isEqualTo(row.path("decoded").asText(text));
      }
      count++;
    }
    assertThat(count).isGreaterThan(100);
    soft.assertAll();
  }

  static Path path(String name) {
    try {
      return Path.of(
          Objects.requireNonNull(
                  TokenizerGoldenTest.class.getResource("/golden/tokenizer/" + name), name)
              .toURI());
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }

  static JsonNode json(Path path) throws IOException {
    try (InputStream stream = Files.newInputStream(path)) {
      return new ObjectMapper().readTree(stream);
    }
  }
}
