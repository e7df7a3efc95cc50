package dev.distillery.training.evaluate;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.PortableKernels;
import dev.distillery.model.nn.Weights;
import dev.distillery.model.sample.ContinuationScorer;
import dev.distillery.model.sample.Student;
import dev.distillery.model.tokenizer.Tokenizer;
import dev.distillery.training.reward.TinyReward;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Likelihoods and their other metrics are compared in EvaluateJobTest. */
class ItemEvaluatorTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<String> QUESTIONS =
      List.of("The cat sat on the", "A river runs to the", "What is the", "1, 2, 3 and", "user");
  private static final List<String> CHOICES =
      List.of("mat.", "sea", "wide river", "cat", "4", "name of it", "the");

  private static EvalTask task(String unconditional) {
    return new TaskFile(
            "gain.yaml",
            """
            name: gain
            prompt: "{question}"
            choices: choices
            answer: "{label}"
            metrics: [acc_mutual_info]
            """
                + unconditional)
        .task();
  }

  /** The choice of the highest P(choice | prompt) / P(choice | unconditional), by hand. */
  private static int gains(
      Tokenizer tokenizer, ContinuationScorer scorer, String prompt, String unconditional) {
    int best = -1;
    double most = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < CHOICES.size(); i++) {
      double gain = 0;
      for (String context : List.of(prompt, unconditional)) {
        int[] before = tokenizer.begun(context);
        int[] whole = tokenizer.begun(context + " " + CHOICES.get(i));
        assertThat(whole).startsWith(before);
        double sum =
            scorer.score(before, Arrays.copyOfRange(whole, before.length, whole.length)).sum();
        gain += context.equals(prompt) ? sum : -sum;
      }
      if (gain > most) {
        most = gain;
        best = i;
      }
    }
    return best;
  }

  private static boolean isRight(
      String unconditional,
      Student student,
      ContinuationScorer scorer,
      String question,
      int label) {
    ObjectNode row = JSON.createObjectNode().put("question", question).put("label", label);
    row.set("choices", JSON.valueToTree(CHOICES));
    var evaluator =
        new ItemEvaluator(
            task(unconditional),
            new ItemEvaluator.Settings(0, false, 1),
            List.of(),
            student,
            Optional.empty());
    return evaluator.score("i", row, scorer).metrics().get("acc_mutual_info") == 1.0;
  }

  @Test
  void theAnswerThatGainsMostOverTheUnconditionalContextIsTaken() throws IOException {
    int others = 0;
    try (Student student = Student.open(TinyReward.student(), 1);
        ModelFiles files = ModelFiles.open(TinyReward.student());
        Kernels kernels = new PortableKernels();
        Decoder decoder = Weights.openForDecoding(files.config(), kernels, files.weights());
        ContinuationScorer scorer = new ContinuationScorer(decoder)) {
      for (String question : QUESTIONS) {
        int right = gains(student.tokenizer(), scorer, question, "Answer:");
        for (int label : new int[] {right, (right + 1) % CHOICES.size()}) {
          assertThat(isRight("unconditional: \"Answer:\"\n", student, scorer, question, label))
              .as("%s %s", question, CHOICES.get(label))
              .isEqualTo(label == right);
        }
        others += isRight("", student, scorer, question, right) ? 0 : 1;
      }
      decoder.pack().close();
      decoder.parameters().close();
    }
    assertThat(others).as("questions that the empty context answers otherwise").isPositive();
  }
}
