package dev.distillery.model.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Random added tokens in random texts, against the ids of tokenizers 0.23: drawn here as
 * golden/make_added_token_goldens.py draws them, which prints a seed's tokens, texts and ids.
 */
class AddedTokensTest {
  private static final List<String> PIECES =
      List.of(
          "a", "b", "ab", "<s>", "</s>", "<x>", " ", "  ", "\u2581", "\n", "\u00E9", "e\u0301", "1",
          "12", "'s", "\u4E2D");

  private static final List<String> WORDS =
      List.of("da ne", " stu", "\t", "   ", "I'm", "123", "\u3000", "x", " \n ", "la la");

  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path temp;

  /** The script's generator. */
  private static final class Numbers {
    private long state;

    Numbers(long seed) {
      state = seed;
    }

    int below(int n) {
      state = state * 6364136223846793005L + 1442695040888963407L;
      return (int) ((state >>> 33) % n);
    }
  }

  private static ArrayNode drawn(Numbers numbers, JsonNode vocabulary) {
    ArrayNode tokens = JSON.createArrayNode();
    Set<String> contents = new HashSet<>();
    int next = vocabulary.size();
    int count = 2 + numbers.below(7);
    for (int i = 0; i < count; i++) {
      var content = new StringBuilder();
      int pieces = 1 + numbers.below(3);
      for (int p = 0; p < pieces; p++) {
        content.append(PIECES.get(numbers.below(PIECES.size())));
      }
      boolean special = numbers.below(2) == 1;
      boolean normalized = numbers.below(2) == 1;
      boolean lstrip = numbers.below(3) == 0;
      boolean rstrip = numbers.below(3) == 0;
      if (!contents.add(content.toString())) {
        continue;
      }
      JsonNode known = vocabulary.get(content.toString());
      tokens
          .addObject()
          .put("id", known == null ? next++ : known.intValue())
          .put("content", content.toString())
          .put("single_word", false)
          .put("lstrip", lstrip)
          .put("rstrip", rstrip)
          .put("normalized", normalized)
          .put("special", special);
    }
    return tokens;
  }

  private static List<String> texts(Numbers numbers, ArrayNode tokens, int count) {
    List<String> contents = new ArrayList<>();
    tokens.forEach(token -> contents.add(token.get("content").textValue()));
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      var text = new StringBuilder();
      int parts = 1 + numbers.below(9);
      for (int p = 0; p < parts; p++) {
        int kind = numbers.below(3);
        List<String> pool = kind == 0 ? contents : kind == 1 ? PIECES : WORDS;
        text.append(pool.get(numbers.below(pool.size())));
      }
      texts.add(text.toString());
    }
    return texts;
  }

  private Tokenizer tokenizer(String file, String scheme, ArrayNode tokens) throws IOException {
    ObjectNode json = base(file);
    if (scheme != null) {
      ((ObjectNode) json.get("pre_tokenizer")).put("prepend_scheme", scheme);
    }
    json.set("added_tokens", tokens);
    Path path = temp.resolve("tokenizer.json");
    Files.write(path, JSON.writeValueAsBytes(json));
    return Tokenizers.open(path);
  }

  private static ObjectNode base(String file) throws IOException {
    return (ObjectNode) TokenizerGoldenTest.json(TokenizerGoldenTest.path(file + ".json"));
  }

  @ParameterizedTest
  @CsvSource({
    "gpt2, gpt2, ",
    "smollm, smollm, ",
    "llama3, llama3, ",
    "qwen2, qwen2, ",
    "llama, llama, ",
    "metaspace-first, llama-metaspace, first",
    "metaspace-always, llama-metaspace, always",
    "metaspace-never, llama-metaspace, never",
    "gemma, gemma, "
  })
  void randomTokensInRandomTextsGiveTheIdsOfTokenizers(String kind, String file, String scheme)
      throws IOException {
    JsonNode golden = TokenizerGoldenTest.json(TokenizerGoldenTest.path("added-tokens.json"));
    JsonNode own = golden.get("kinds").get(kind);
    Set<String> panics = new HashSet<>();
    own.get("panics").forEach(panic -> panics.add(panic.textValue()));
    JsonNode vocabulary = base(file).get("model").get("vocab");
    List<Integer> wrong = new ArrayList<>();
    int seeds = golden.get("seeds").intValue();
    assertThat(own.get("hashes")).hasSize(seeds).hasSizeGreaterThan(99);
    for (int seed = 0; seed < seeds; seed++) {
      Numbers numbers = new Numbers(seed);
      ArrayNode tokens = drawn(numbers, vocabulary);
      List<String> texts = texts(numbers, tokens, golden.get("texts").intValue());
      Tokenizer tokenizer = tokenizer(file, scheme, tokens);
      long hash = 0xCBF29CE484222325L;
      for (int i = 0; i < 2 * texts.size(); i++) {
        String text = texts.get(i / 2);
        if (panics.contains(seed + "." + i / 2 + "." + i % 2)) {
          continue;
        }
        int[] ids = i % 2 == 0 ? tokenizer.encode(text) : tokenizer.encodeOrdinary(text);
        hash = IntStream.of(ids).asLongStream().reduce(hash, AddedTokensTest::hashed);
        hash = hashed(hash, -1);
      }
      if (!String.format(Locale.ROOT, "%016x", hash)
          .equals(own.get("hashes").get(seed).textValue())) {
        wrong.add(seed);
      }
    }
    assertThat(wrong).as("seeds of " + kind).isEmpty();
  }

  private static long hashed(long hash, long id) {
    return (hash ^ id) * 0x100000001B3L;
  }

  /** Case 12: LLaMA's own marks, normalised under Prepend and Replace. */
  @Test
  void aNormalisedMarkIsFoundBehindASpaceOnly() throws IOException {
    ObjectNode json = base("llama");
    json.get("added_tokens").forEach(token -> ((ObjectNode) token).put("normalized", true));
    Tokenizer tokenizer = tokenizer("llama", null, (ArrayNode) json.get("added_tokens"));
    int end = tokenizer.id("</s>").orElseThrow();

    assertThat(tokenizer.encode("ok</s>")).doesNotContain(end);
    assertThat(tokenizer.encode("ok </s>")).endsWith(end);
    assertThat(tokenizer.encode("</s>")).containsExactly(end);
    assertThat(tokenizer.encode("a<s>b")).doesNotContain(tokenizer.id("<s>").orElseThrow());
  }
}
