package dev.distillery.training.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Against golden/samples.json, which make_samples_goldens.py made. */
class SampledAnswersTest {
  private static JsonNode golden(String member) throws IOException {
    return new ObjectMapper()
        .readTree(SampledAnswersTest.class.getResourceAsStream("/golden/samples.json"))
        .path(member);
  }

  @Test
  void passAtKIsThatOfHumanEval() throws IOException {
    JsonNode rows = golden("pass_at_k");
    assertThat(rows).hasSizeGreaterThan(80);
    for (JsonNode row : rows) {
      assertThat(SampledAnswers.passAt(row.get(0).asInt(), row.get(1).asInt(), row.get(2).asInt()))
          .as("%s", row)
          .isCloseTo(row.get(3).asDouble(), within(1e-12));
    }
  }

  @Test
  void theMajorityIsThatOfLmEvaluationHarness() throws IOException {
    JsonNode lists = golden("majorities");
    assertThat(lists).hasSize(40);
    for (JsonNode list : lists) {
      List<String> answers =
          IntStream.range(0, list.get(0).size())
              .mapToObj(i -> list.get(0).get(i).asText())
              .toList();
      assertThat(
              SampledAnswers.majority(answers.stream().map(Optional::of).toList())
                  .map(answers::get))
          .as("%s", list)
          .contains(list.get(1).asText());
    }
  }

  @Test
  void anAnswerThatSaysNothingHasNoVote() {
    Optional<String> none = Optional.empty();
    assertThat(SampledAnswers.majority(List.of(none, none, Optional.of("7")))).contains(2);
    assertThat(SampledAnswers.majority(List.of(none, none))).isEmpty();
  }

  @Test
  void powersOfTwoAndAllSamplesAreCounted() {
    assertThat(SampledAnswers.sizes(2)).containsExactly(2);
    assertThat(SampledAnswers.sizes(8)).containsExactly(2, 4, 8);
    assertThat(SampledAnswers.sizes(10)).containsExactly(2, 4, 8, 10);
  }
}
