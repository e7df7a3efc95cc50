package dev.distillery.core.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class WordTokenizerTest {
  private final WordTokenizer rouge = WordTokenizer.named("rouge");
  private final WordTokenizer unicode = WordTokenizer.named("unicode");

  @Test
  void rougeCutsAsRougeScoreDoes() throws IOException {
    JsonNode cases = Golden.rougeScore().get("tokens");
    assertThat(cases).hasSizeGreaterThan(40);
    for (JsonNode each : cases) {
      String text = each.get(0).textValue();
      assertThat(rouge.tokenize(text)).as(text).isEqualTo(Golden.strings(each.get(1)));
    }
  }

  @Test
  void rougeSeparatesAtTheSameCodePointsAsRougeScore() throws IOException {
    JsonNode exceptions = Golden.rougeScore().get("not_separators");
    assertThat(exceptions).isNotEmpty();
    for (JsonNode each : exceptions) {
      String text = "x" + Character.toString(each.get(0).intValue()) + "y";
      assertThat(rouge.tokenize(text)).as(text).isEqualTo(Golden.strings(each.get(1)));
    }
    long others = 0;
    for (int c = 128; c <= Character.MAX_CODE_POINT; c++) {
      if (!rouge.tokenize("x" + Character.toString(c) + "y").equals(java.util.List.of("x", "y"))) {
        others++;
      }
    }
    assertThat(others).isEqualTo(exceptions.size());
  }

  @Test
  void unicodeKeepsWordsOfSpacedScriptsWhole() {
    assertThat(unicode.tokenize("Xin chào, bạn khoẻ không?"))
        .containsExactly("xin", "chào", "bạn", "khoẻ", "không");
    assertThat(unicode.tokenize("Привет, МИР! naïve 3x"))
        .containsExactly("привет", "мир", "naïve", "3x");
    assertThat(unicode.tokenize("مرحبا بالعالم")).containsExactly("مرحبا", "بالعالم");
  }

  @Test
  void unicodeCutsUnspacedScriptsByCharacter() {
    assertThat(unicode.tokenize("写一首诗。Use GPT4 写"))
        .containsExactly("写", "一", "首", "诗", "use", "gpt4", "写");
    assertThat(unicode.tokenize("강아지를 그려")).containsExactly("강", "아", "지", "를", "그", "려");
    assertThat(unicode.tokenize("東京タワー")).containsExactly("東", "京", "タ", "ワ", "ー");
    assertThat(unicode.tokenize("ที่นี่")).containsExactly("ที่", "นี่");
    assertThat(unicode.tokenize("abc漢def")).containsExactly("abc", "漢", "def");
    assertThat(unicode.tokenize("\uD840\uDC00\uD840\uDC01")).hasSize(2);
  }

  @Test
  void unicodeFoldsCaseWidthAndComposition() {
    assertThat(unicode.tokenize("ＡＢＣ１２３")).containsExactly("abc123");
    assertThat(unicode.tokenize("cafe\u0301")).isEqualTo(unicode.tokenize("CAF\u00C9"));
    assertThat(unicode.tokenize("\u1112\u1161\u11AB")).containsExactly("\uD55C");
    assertThat(unicode.tokenize("ｶﾞ")).isEqualTo(unicode.tokenize("ガ"));
  }

  @Test
  void textWithoutLettersHasNoToken() {
    assertThat(unicode.tokenize("")).isEmpty();
    assertThat(unicode.tokenize(" …\u0301!? 😀")).isEmpty();
    assertThat(rouge.tokenize("写一首诗")).isEmpty();
  }

  @Test
  void unknownNameIsRefused() {
    assertThatThrownBy(() -> WordTokenizer.named("bpe"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Unknown tokenizer 'bpe': use one of rouge, unicode");
  }
}
