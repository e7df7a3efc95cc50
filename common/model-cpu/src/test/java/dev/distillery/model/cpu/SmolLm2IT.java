package dev.distillery.model.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.core.teacher.testing.FetchedModel;
import dev.distillery.model.sample.Generator;
import dev.distillery.model.tokenizer.Tokenizer;
import dev.distillery.model.tokenizer.Tokenizers;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The published SmolLM2-135M-Instruct, out of its GGUF file (Q4_1): the student against
 * transformers, which widens the same weights to float32, and against llama.cpp, which also rounds
 * what it multiplies them with to 8 bits.
 */
class SmolLm2IT {
  /** Logits of the two float32 computations differ by rounding only. */
  private static final double FLOAT32 = 2e-4;

  /** Logits on llama.cpp's way: what its rounding of activations may change. */
  private static final double QUANTISED = 0.5;

  private static final int LENGTH = 24;

  private static Path model;
  private static Tokenizer tokenizer;
  private static final List<Case> CASES = new ArrayList<>();

  @SuppressWarnings("ArrayRecordComponent") // Built once and only read.
  private record Case(
      String text, int[] ids, int[] top, double[] logits, int[] continuation, double[] margins) {
    static Case of(JsonNode row) {
      return new Case(
          row.get("text").textValue(),
          integers(row.get("ids")),
          integers(row.get("top")),
          numbers(row.get("logits")),
          integers(row.get("continuation")),
          numbers(row.get("margins")));
    }

    private static double[] numbers(JsonNode array) {
      double[] values = new double[array.size()];
      Arrays.setAll(values, i -> array.get(i).doubleValue());
      return values;
    }

    private static int[] integers(JsonNode array) {
      return Arrays.stream(numbers(array)).mapToInt(v -> (int) v).toArray();
    }
  }

  @BeforeAll
  static void open() throws IOException {
    Optional<Path> fetched = FetchedModel.path();
    assumeTrue(fetched.isPresent(), "submit/fetch-model cannot bring the model here");
    model = fetched.orElseThrow();
    tokenizer = Tokenizers.open(model);
    try (InputStream stream = SmolLm2IT.class.getResourceAsStream("/golden/smollm2/prompts.json")) {
      new ObjectMapper().readTree(stream).forEach(row -> CASES.add(Case.of(row)));
    }
    assertThat(CASES).hasSize(20);
  }

  @Test
  void logitsAndGreedyTokensEqualTransformersInFloat32() throws IOException {
    assertEqualsTransformers(false);
  }

  @Test
  void logitsAndGreedyTokensEqualTransformersDecodingFromBlocks() throws IOException {
    assertEqualsTransformers(true);
  }

  private static List<int[]> prompts() {
    return CASES.stream().map(Case::ids).toList();
  }

  private static void assertEqualsTransformers(boolean blocks) throws IOException {
    try (LoadedStudent student = new LoadedStudent(model, tokenizer, blocks)) {
      List<Generator.Reply> replies = student.greedy(prompts(), LENGTH, List.of());
      for (int p = 0; p < CASES.size(); p++) {
        Case c = CASES.get(p);
        assertThat(tokenizer.encode(c.text)).as(c.text).isEqualTo(c.ids);
        float[] logits = student.logits(c.ids, c.ids.length - 1)[0];
        for (int i = 0; i < c.top.length; i++) {
          assertThat((double) logits[c.top[i]])
              .as("logit %d after %s", i, c.text)
              .isCloseTo(c.logits[i], within(FLOAT32));
        }
        // Two tokens nearer to each other than twice the tolerance may change places.
        int sure = 0;
        while (sure < LENGTH && c.margins[sure] > 2 * FLOAT32) {
          sure++;
        }
        assertThat(Arrays.copyOf(replies.get(p).tokens(), sure))
            .as(c.text)
            .isEqualTo(Arrays.copyOf(c.continuation, sure));
      }
    }
  }

  @Test
  void greedyTextIsLlamaCppsAsFarAsItsRoundingAllows() throws IOException {
    LlamaCpp oracle = new LlamaCpp(model);
    int same = 0;
    try (LoadedStudent student = new LoadedStudent(model, tokenizer, true)) {
      List<Generator.Reply> own =
          student.greedy(prompts(), LENGTH, student.files().specialTokens().stop());
      for (int p = 0; p < CASES.size(); p++) {
        Case c = CASES.get(p);
        String reply = oracle.greedy(c.text, LENGTH);
        double gap = student.worstGap(c.ids, reply);
        same += own.get(p).text().equals(reply) ? 1 : 0;
        assertThat(gap).as("%s -> %s", c.text, reply).isLessThan(QUANTISED);
      }
    }
    assertThat(same).isGreaterThanOrEqualTo(10);
  }
}
