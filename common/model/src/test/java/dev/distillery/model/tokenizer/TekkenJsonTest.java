package dev.distillery.model.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.format.ModelFileException;
import dev.distillery.model.format.SpecialTokens;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Against mistral-common, by golden/make_tekken_goldens.py. */
class TekkenJsonTest {
  @TempDir Path temp;

  private static Path folder() {
    try {
      return Path.of(
          Objects.requireNonNull(TekkenJsonTest.class.getResource("/golden/tekken")).toURI());
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void givesTheIdsAndTextsOfMistralCommon() throws IOException {
    Tokenizer tokenizer = Tokenizers.open(folder());
    JsonNode golden = TokenizerGoldenTest.json(folder().resolve("cases.json"));
    assertThat(tokenizer.vocabSize()).isEqualTo(golden.get("size").intValue());
    assertThat(tokenizer.prefix()).containsExactly(golden.get("bos").intValue());
    for (int id = 0; id < golden.get("marks").size(); id++) {
      assertThat(tokenizer.token(id)).isEqualTo(golden.get("marks").get(id).textValue());
      assertThat(tokenizer.isSpecial(id)).isTrue();
    }
    SoftAssertions soft = new SoftAssertions();
    JsonNode cases = golden.get("cases");
    for (JsonNode row : cases) {
      String text = row.get("text").textValue();
      int[] ids = ids(row.get("ids"));
      soft.assertThat(tokenizer.encodeOrdinary(text)).as("ids of %s", text).isEqualTo(ids);
      soft.assertThat(tokenizer.decode(ids, false)).isEqualTo(row.path("decoded").asText(text));
    }
    soft.assertAll();
    assertThat(cases.size()).isGreaterThan(300);
    assertThat(tokenizer.encode("[INST]da[/INST]")).startsWith(3).endsWith(4);
  }

  private static int[] ids(JsonNode array) {
    int[] ids = new int[array.size()];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = array.get(i).intValue();
    }
    return ids;
  }

  /** What an export of a model with tekken.json alone holds. */
  @Test
  void isWrittenAsTokenizerJson() throws IOException {
    Tokenizer tokenizer = Tokenizers.open(folder().resolve("tekken.json"));
    SpecialTokens special = new SpecialTokens(OptionalInt.of(1), List.of(2), OptionalInt.of(11));
    TokenizerWriter.write(temp, tokenizer, special, Optional.empty());
    Tokenizer again = Tokenizers.open(temp);
    assertThat(again.prefix()).isEqualTo(tokenizer.prefix());
    for (JsonNode row : TokenizerGoldenTest.json(folder().resolve("cases.json")).get("cases")) {
      assertThat(again.encodeOrdinary(row.get("text").textValue())).isEqualTo(ids(row.get("ids")));
    }
  }

  @Test
  void tokenizerJsonComesFirst() throws IOException {
    Files.copy(folder().resolve("tekken.json"), temp.resolve("tekken.json"));
    Files.copy(TokenizerGoldenTest.path("gpt2.json"), temp.resolve("tokenizer.json"));
    assertThat(Tokenizers.open(temp).prefix()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"version\":\"v3\" | \"version\":\"v4\" | field config.version should be one of v1, v2",
        "\"version\":\"v3\" | \"version\":\"v11\" | field special_tokens should be there",
        "\"pattern\":\" | \"pattern\":\"a | field config.pattern should be Tekken's",
        "_size\":810 | _size\":831 | field config.default_vocab_size should be 30 marks with 256",
        "_size\":810 | _size\":285 | field config.default_vocab_size should be",
        "_tokens\":30 | _tokens\":-1 | field config.default_num_special_tokens should be 0 to",
        "_tokens\":30 | _tokens\":65537 | config.default_num_special_tokens should be 0 to 65536",
        "_tokens\":30 | _tokens\":19 | field config.default_num_special_tokens should be the 20",
        "\"rank\":300, | \"rank\":301, | token 300 of vocab has another rank",
        "\"token_bytes\":\"AQ==\" | \"token_bytes\":\"AA==\" | token 1 of vocab has bytes other",
        "\"token_bytes\":\"AQ==\" | \"token_bytes\":\"?\" | token 1 of vocab has token_bytes that",
        "\"token_bytes\":\"AQ==\" | \"token_bytes\":\"\" | token 1 of vocab has 0 bytes",
        "\"vocab\": | \"merges\":[],\"vocab\": | field merges should be absent",
      })
  void whatWouldGiveOtherIdsIsRefused(String from, String to, String message) throws IOException {
    String text = Files.readString(folder().resolve("tekken.json"));
    assertThat(text).contains(from);
    Path file = Files.writeString(temp.resolve("tekken.json"), text.replace(from, to));
    assertThatThrownBy(() -> Tokenizers.open(temp))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining(message);
  }

  @Test
  void aTokenOfAMegabyteIsRefused() throws IOException {
    String text = Files.readString(folder().resolve("tekken.json"));
    String huge = "\"token_bytes\":\"" + "QUFB".repeat(350_000) + "\"";
    String changed = text.replaceFirst("(?<=\"rank\":400,)\"token_bytes\":\"[^\"]*\"", huge);
    Files.writeString(temp.resolve("tekken.json"), changed);
    assertThatThrownBy(() -> Tokenizers.open(temp))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("token 400 of vocab has 1050000 bytes, not 1 to 256")
        .satisfies(e -> assertThat(e.getMessage()).hasSizeLessThan(500));
  }

  /**
   * Each run of a before b is made of up to 254 pairs: a gigabyte of merges from eight megabytes.
   */
  @Test
  void moreMergesThanAnyVocabularyHasAreRefused() throws IOException {
    ObjectNode file = (ObjectNode) TokenizerGoldenTest.json(folder().resolve("tekken.json"));
    ArrayNode vocab = (ArrayNode) file.get("vocab");
    while (vocab.size() > 256) {
      vocab.remove(256);
    }
    for (int length = 2; length <= 256; length++) {
      for (int as = 0; as <= length; as++) {
        byte[] bytes = ("a".repeat(as) + "b".repeat(length - as)).getBytes(StandardCharsets.UTF_8);
        vocab
            .addObject()
            .put("rank", vocab.size() - 1)
            .put("token_bytes", Base64.getEncoder().encodeToString(bytes));
      }
    }
    ObjectNode config = (ObjectNode) file.get("config");
    int marks = config.get("default_num_special_tokens").intValue();
    config.put("default_vocab_size", marks + vocab.size());
    Files.writeString(temp.resolve("tekken.json"), file.toString());
    assertThatThrownBy(() -> Tokenizers.open(temp))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("tekken.json")
        .hasMessageContaining("their merges have more than 67108864 characters");
  }
}
