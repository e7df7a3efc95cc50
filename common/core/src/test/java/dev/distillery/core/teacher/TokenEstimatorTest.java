package dev.distillery.core.teacher;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.dialogue.Message;
import dev.distillery.core.teacher.testing.Requests;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TokenEstimatorTest {
  /** Counts of tiktoken itself, as OpenAI's cookbook on counting tokens prints them. */
  @ParameterizedTest
  @CsvSource({
    "gpt-4o, antidisestablishmentarianism, 6",
    "gpt-4, antidisestablishmentarianism, 6",
    "gpt-4o, 2 + 2 = 4, 7",
    "gpt-3.5-turbo, 2 + 2 = 4, 7",
    "gpt-4o-mini, \u304a\u8a95\u751f\u65e5\u304a\u3081\u3067\u3068\u3046, 8",
    "gpt-4-turbo, \u304a\u8a95\u751f\u65e5\u304a\u3081\u3067\u3068\u3046, 9",
    "gpt-4, tiktoken is great!, 6"
  })
  void countsAsTiktokenDoes(String model, String text, int tokens) {
    assertThat(TokenEstimator.of(model).count(text)).isEqualTo(tokens);
  }

  @Test
  void specialTokensInATextAreText() {
    assertThat(TokenEstimator.of("gpt-4o").count("<|endoftext|>")).isGreaterThan(1);
  }

  @ParameterizedTest
  @CsvSource({
    "gpt-4o, 8",
    "gpt-4.1-mini, 8",
    "gpt-5, 8",
    "gpt-5-mini, 8",
    "o1, 8",
    "o3-mini, 8",
    "o4-mini-2025-04-16, 8",
    "chatgpt-4o-latest, 8",
    "gpt-4, 9",
    "gpt-4-0613, 9",
    "gpt-3.5-turbo-0125, 9"
  })
  void modelsHaveTheirOwnEncodings(String model, int tokens) {
    assertThat(
            TokenEstimator.of(model)
                .count("\u304a\u8a95\u751f\u65e5\u304a\u3081\u3067\u3068\u3046"))
        .isEqualTo(tokens);
  }

  @Test
  void dialogueHasRoomForItsForm() {
    TeacherRequest request = Requests.chat("r", "gpt-4o", "2 + 2 = 4", Sampling.of(5));

    assertThat(TokenEstimator.of("gpt-4o").promptTokens(request)).isEqualTo(7 + 4 + 3);
  }

  @Property(tries = 200, seed = "20260801")
  void boundIsNeverBelowTheEstimate(@ForAll String text) {
    TeacherRequest request = Requests.chat("r", "m", text, Sampling.of(5));
    for (String model : List.of("gpt-4o", "gpt-4", "llama3")) {
      TokenEstimator estimator = TokenEstimator.of(model);
      assertThat(estimator.mostPromptTokens(request))
          .isGreaterThanOrEqualTo(estimator.promptTokens(request));
    }
  }

  @Test
  void whateverTheExtraBodyAddsCountsInTheBound() {
    String schema =
        "{\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\""
            + "x".repeat(14_000)
            + "\"}}}";
    for (String model : List.of("m", "gpt-4o")) {
      TokenEstimator estimator = TokenEstimator.of(model);
      int plain = estimator.mostPromptTokens(request("{}"));
      assertThat(estimator.mostPromptTokens(request(schema)) - plain)
          .isGreaterThanOrEqualTo(estimator.count(schema));
      assertThat(estimator.promptTokens(request(schema)))
          .isGreaterThan(estimator.promptTokens(request("{}")) + 1000);
    }
  }

  @Test
  void whateverAMessageHoldsBesideItsTextCounts() {
    String calls = "[{\"function\":{\"name\":\"f\",\"arguments\":\"" + "x".repeat(900) + "\"}}]";
    var call =
        new Message(
            "assistant", "", Optional.of("ann"), OptionalDouble.empty(), Optional.of(calls));
    for (String model : List.of("m", "gpt-4o")) {
      TokenEstimator estimator = TokenEstimator.of(model);
      int least = estimator.count(calls) + estimator.count("ann");
      assertThat(estimator.mostPromptTokens(dialogue(call))).isGreaterThan(least);
      assertThat(estimator.promptTokens(dialogue(call))).isGreaterThan(least);
    }
  }

  @Test
  void toolsCountInTheEstimate() {
    TokenEstimator estimator = TokenEstimator.of("gpt-4o");
    String tools =
        "[{\"type\":\"function\",\"function\":{\"name\":\"" + "look up ".repeat(200) + "\"}}]";
    assertThat(estimator.promptTokens(request("{\"tools\":" + tools + "}")))
        .isGreaterThanOrEqualTo(estimator.promptTokens(request("{}")) + estimator.count(tools));
  }

  private static TeacherRequest dialogue(Message message) {
    return new TeacherRequest(
        "r", Optional.empty(), "m", Optional.empty(), List.of(message), Sampling.of(5), "{}");
  }

  @Test
  void replyIsBoundBySamplingOrExtraBody() {
    TokenEstimator estimator = TokenEstimator.of("m");

    assertThat(estimator.mostCompletionTokens(request("{}"))).isEqualTo(5);
    assertThat(estimator.mostCompletionTokens(request("{\"top_k\":3}"))).isEqualTo(5);
    assertThat(estimator.mostCompletionTokens(request("{\"max_completion_tokens\":900}")))
        .isEqualTo(900);
    assertThat(estimator.mostCompletionTokens(request("{\"max_tokens\":2}"))).isEqualTo(2);
    assertThat(
            estimator.mostCompletionTokens(
                request("{\"max_tokens\":null,\"max_completion_tokens\":900}")))
        .isEqualTo(900);
    // llama.cpp goes by its own name before OpenAI's; others do not know it.
    assertThat(estimator.mostCompletionTokens(request("{\"n_predict\":900}"))).isEqualTo(900);
    assertThat(estimator.mostCompletionTokens(request("{\"n_predict\":2}"))).isEqualTo(5);
    // Tokens of a prediction that were not used are billed as written.
    assertThat(
            estimator.mostCompletionTokens(
                request("{\"prediction\":{\"content\":\"" + "x".repeat(900) + "\"}}")))
        .isGreaterThan(900);
  }

  private static TeacherRequest request(String extraBody) {
    return new TeacherRequest(
        "r", Optional.empty(), "m", Optional.of("p"), List.of(), Sampling.of(5), extraBody);
  }
}
