package dev.distillery.training.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Written answers; EvaluateJobTest of jobs/training compares the rest with the reference. */
class WrittenAnswersTest {
  private static final EvalTask TASK =
      new TaskFile(
              "facts.yaml",
              """
              name: facts
              input: facts.jsonl
              prompt: "{question}"
              answer: "{answers}"
              generate: {stop: ["\\n"]}
              metrics: [exact_match, exact_match_raw, exact_match_squad, number_match, f1, rougeL]
              """)
          .task();

  private static Map<String, Double> metrics(String answer, String... right) {
    ObjectNode row = JsonNodeFactory.instance.objectNode().put("question", "What?");
    List.of(right).forEach(row.putArray("answers")::add);
    var question = new ItemEvaluator.Question("What?", List.of(), Map.of("shots", 2.0));
    return WrittenAnswers.of(TASK, "1", row, question, List.of(answer)).metrics();
  }

  @Test
  void eachMetricTakesTheNearestOfSeveralRightAnswers() {
    assertThat(metrics(" The Amazon.", "the Nile", "Amazon"))
        .containsEntry("shots", 2.0)
        .containsEntry("exact_match", 0.0)
        .containsEntry("exact_match_squad", 1.0)
        .containsEntry("f1", 1.0)
        .containsEntry("rougeL", 2.0 / 3);
    assertThat(metrics(" Amazon\n", "the Amazon", "Amazon"))
        .containsEntry("exact_match", 1.0)
        .containsEntry("exact_match_raw", 0.0);
    assertThat(metrics("1,000.0", "ten", "1000"))
        .containsEntry("exact_match", 0.0)
        .containsEntry("number_match", 1.0);
  }

  @Test
  void severalAnswersAreAveragedAndVoteAndPass() {
    ObjectNode row = JsonNodeFactory.instance.objectNode().put("question", "What?");
    row.putArray("answers").add("7");
    var question = new ItemEvaluator.Question("What?", List.of(), Map.of());
    List<String> answers = List.of("it is 8", "none", "7.0", "So 7", "8!");
    Evaluated evaluated = WrittenAnswers.of(TASK, "1", row, question, answers);
    assertThat(evaluated.answer()).contains("it is 8");
    assertThat(evaluated.answers()).isEqualTo(answers);
    // Eights and sevens have two votes each, and an eight was said first.
    assertThat(evaluated.metrics())
        .containsEntry("number_match", 2 / 5.0)
        .hasEntrySatisfying(
            "number_match,pass@2", value -> assertThat(value).isCloseTo(0.7, within(1e-12)))
        .containsEntry("number_match,pass@4", 1.0)
        .containsEntry("number_match,pass@5", 1.0)
        .containsEntry("number_match,maj@5", 0.0)
        .containsEntry("exact_match", 0.0)
        .containsEntry("exact_match,maj@5", 0.0)
        .doesNotContainKey("f1,pass@2");
    assertThat(
            WrittenAnswers.of(TASK, "1", row, question, List.of("7.0", "seven", "8", "+7"))
                .metrics())
        .containsEntry("number_match,maj@4", 1.0);
  }
}
