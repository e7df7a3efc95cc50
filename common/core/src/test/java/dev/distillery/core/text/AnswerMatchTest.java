package dev.distillery.core.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class AnswerMatchTest {
  @Test
  void wordsAreComparedAndCountedAsBySquadsScript() throws IOException {
    JsonNode matches = Golden.answers().path("matches");
    assertThat(matches).hasSizeGreaterThan(200);
    for (JsonNode each : matches) {
      String answer = each.path(0).textValue();
      String right = each.path(1).textValue();
      assertThat(AnswerMatch.squad(answer, right))
          .as("%s / %s", answer, right)
          .isEqualTo(each.path(2).intValue() == 1);
      assertThat(AnswerMatch.f1(answer, right))
          .as("%s / %s", answer, right)
          .isCloseTo(each.path(3).doubleValue(), within(1e-12));
    }
  }

  @Test
  void onlyWhiteSpaceAtTheEndsIsTrimmed() {
    assertThat(AnswerMatch.trimmed("\u00a0Paris \n", "Paris")).isTrue();
    assertThat(AnswerMatch.trimmed("paris", "Paris")).isFalse();
    assertThat(AnswerMatch.trimmed("New  York", "New York")).isFalse();
  }

  @Test
  void theLastNumberCountsInValue() {
    assertThat(AnswerMatch.numbers("It was 5, now it is 1,234.50.", "1234.5")).isTrue();
    assertThat(AnswerMatch.numbers("so \u22127", "-7.0")).isTrue();
    assertThat(AnswerMatch.numbers("12-5 = 7", "7")).isTrue();
    assertThat(AnswerMatch.numbers("7", "-7")).isFalse();
    assertThat(AnswerMatch.numbers("1,23", "123")).isFalse();
    assertThat(AnswerMatch.numbers("seven", "7")).isFalse();
    assertThat(AnswerMatch.lastNumber("x2 and v1.5")).isEmpty();
  }
}
