package dev.distillery.jobs.score;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.distillery.core.dialogue.Message;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.teacher.testing.FetchedModel;
import dev.distillery.model.format.AdapterConfig;
import dev.distillery.model.format.AdapterFiles;
import dev.distillery.model.format.ArrayWeights;
import dev.distillery.model.format.ScoreBias;
import dev.distillery.model.format.TensorSpec;
import dev.distillery.spark.testing.LocalSpark;
import dev.distillery.training.reward.RewardModel;
import dev.distillery.training.reward.TinyReward;
import dev.distillery.training.tokens.AnswerEncoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A head and an adapter over golden/student of common/model: ChatML, a context of 64. */
class ScoreJobTest {
  private static final Path STUDENT =
      FetchedModel.root().resolve("common/model/src/test/resources/golden/student");

  private static final String COMPLETION =
      "{\"request_id\": \"%s\", \"model\": \"m\", \"status\": \"%s\", \"finish_reason\": \"%s\","
          + " \"prompt\": \"%s\", \"text\": \"%s\"}\n";

  @TempDir Path temp;

  private Path model;

  @BeforeEach
  void writeModel() throws IOException {
    model = temp.resolve("model");
    float[] head = new float[32];
    for (int i = 0; i < head.length; i++) {
      head[i] = (i % 5 - 2) / 3f;
    }
    ArrayWeights weights = new ArrayWeights();
    weights.put(new TensorSpec("score.weight", List.of(1, 32)), head);
    String module = "model.layers.1.self_attn.q_proj";
    weights.put(new TensorSpec(module + ".lora_A.weight", List.of(1, 32)), head);
    weights.put(new TensorSpec(module + ".lora_B.weight", List.of(32, 1)), head);
    AdapterFiles.write(
        model,
        new AdapterConfig(
            1, 1, 0, List.of("q_proj"), false, List.of("score"), "SEQ_CLS", STUDENT.toString()),
        weights);
    ScoreBias.write(model, 0.25);
  }

  private Path file(String name, String lines) throws IOException {
    return Files.writeString(temp.resolve(name), lines);
  }

  private ScoreSummary run(String id, Map<String, String> given) {
    var values = new HashMap<String, List<String>>();
    values.put("model", List.of(model.toString()));
    values.put("run-id", List.of(id));
    values.put("warehouse", List.of(temp.resolve("warehouse").toString()));
    given.forEach((name, value) -> values.put(name, Arrays.asList(value.split(","))));
    return new ScoreJob()
        .run(LocalSpark.session(), OptionsBinder.of(ScoreOptions.class).bind(values));
  }

  private List<Row> table(String name, String id) {
    return LocalSpark.session()
        .read()
        .parquet(temp.resolve("warehouse").resolve(name).resolve("run_id=" + id).toString())
        .collectAsList();
  }

  private Map<String, Double> scores(String id) {
    return table("scores", id).stream()
        .collect(
            Collectors.toMap(
                row -> row.getAs("id") + (row.isNullAt(3) ? "" : " " + row.getAs("side")),
                row -> row.getAs("score")));
  }

  private double byHand(String prompt, String answer, boolean ended) throws IOException {
    try (RewardModel reward = RewardModel.open(model, 1)) {
      AnswerEncoder encoder = reward.encoder("");
      List<Message> turns = List.of(new Message("user", prompt));
      return reward
          .score(
              List.of((ended ? encoder.closed(turns, answer) : encoder.cut(turns, answer)).ids()))[
          0];
    }
  }

  /** The day is the run's, of its first try; see JobRunTest. */
  @Test
  void anAnswerIsWrittenByTheModelsOwnTemplateOnADayAndWithArguments() throws IOException {
    Path dated = TinyReward.write(temp.resolve("dated"), 0);
    Files.writeString(
        dated.resolve("chat_template.jinja"),
        "{% for m in messages %}{% if m.role == 'user' %}{{ strftime_now('%d/%m/%y') }}{{ mood }}{%"
            + " endif %}{{ m.content }}<|im_end|>{% endfor %}");
    Path rows = file("rows.jsonl", COMPLETION.formatted("a", "ok", "stop", "ask", "the the"));
    Map<String, String> given = new HashMap<>();
    given.put("model", dated.toString());
    given.put("input", rows.toString());
    given.put("template-date", "1999-12-31");
    run("d1", given);
    run("d2", given);
    given.put("template-date", "2001-02-03");
    run("d3", given);
    given.put("template-args", "{\"mood\": \"!\"}");
    run("d4", given);

    assertThat(scores("d2")).isEqualTo(scores("d1"));
    assertThat(scores("d3").get("a")).isNotEqualTo(scores("d1").get("a"));
    assertThat(scores("d4").get("a")).isNotEqualTo(scores("d3").get("a"));
    assertThatThrownBy(
            () -> run("d5", Map.of("input", rows.toString(), "template-date", "1999-12-31")))
        .hasMessageContaining("--template-date: the model's own template writes no date");
  }

  /** Silent fault 19: what stopped is closed before it is scored, what was cut is not. */
  @Test
  void anAnswerIsScoredWhereItEnds() throws IOException {
    Path rows =
        file(
            "completions.jsonl",
            COMPLETION.formatted("a", "ok", "stop", "ask", "the the")
                + COMPLETION.formatted("b", "ok", "length", "ask", "the the")
                + COMPLETION.formatted("c", "failed", "", "ask", "")
                + COMPLETION.formatted("d", "ok", "stop", "ask", "on ".repeat(90))
                + COMPLETION.formatted(
                    "e",
                    "ok",
                    "stop",
                    "[{\\\"role\\\": \\\"user\\\", \\\"content\\\": \\\"ask\\\"}]",
                    "the the"));
    ScoreSummary summary = run("ends", Map.of("input", rows.toString()));

    Map<String, Double> scores = scores("ends");
    assertThat(scores).containsOnlyKeys("a", "b", "e");
    assertThat(scores.get("a")).isEqualTo(byHand("ask", "the the", true));
    assertThat(scores.get("b")).isEqualTo(byHand("ask", "the the", false));
    assertThat(scores.get("e")).isEqualTo(scores.get("a"));
    assertThat(summary.run().rejects()).isEqualTo(Map.of("failed", 1L, "longer_than_context", 1L));
    assertThat(summary.rowsRead()).isEqualTo(5);
    assertThat(summary.meanScore().orElseThrow())
        .isCloseTo(
            scores.values().stream().mapToDouble(score -> score).average().orElseThrow(),
            within(1e-9));
    assertThat(table("scores", "ends"))
        .allMatch(row -> row.<String>getAs("model").matches("model@[0-9a-f]{12}\\+[0-9a-f]{12}"));
  }

  @Test
  void everyTableOfAnswersHasAPlaceForTheAnswer() throws IOException {
    Path pairs =
        file(
            "pairs.jsonl",
            """
            {"id": "p", "prompt": [{"role": "user", "content": "ask"}], "chosen": "the the", "rejected": "on"}
            """);
    Path dialogues =
        file(
            "dialogues.jsonl",
            """
            {"id": "d", "messages": [{"role": "user", "content": "ask"}, {"role": "assistant", "content": "the the"}]}
            {"id": "q", "messages": [{"role": "user", "content": "ask"}]}
            """);
    Path tasks =
        file(
            "tasks.jsonl",
            """
            {"id": "t", "task_id": "t", "instruction": "ask", "input": "", "output": "the the"}
            """);
    String prompt;
    try (RewardModel reward = RewardModel.open(model, 1)) {
      prompt = reward.encoder("").template().render(List.of(new Message("user", "ask")), true);
    }
    Path rollouts =
        file(
            "rollouts.jsonl",
            "{\"step\": 3, \"id\": \"r\", \"prompt\": \"%s\", \"answer\": \"the the\", \"ended\": true}\n"
                .formatted(prompt.replace("\n", "\\n")));
    run(
        "all",
        Map.of("input", String.join(",", "" + pairs, "" + dialogues, "" + tasks, "" + rollouts)));

    Map<String, Double> scores = scores("all");
    double expected = byHand("ask", "the the", true);
    assertThat(scores)
        .isEqualTo(
            Map.of(
                "p chosen", expected,
                "p rejected", byHand("ask", "on", true),
                "d", expected,
                "t", expected,
                "r", expected));
    assertThat(table("scores", "all").stream().filter(row -> !row.isNullAt(4)).count())
        .isEqualTo(1);
    assertThat(table("rejects", "all")).hasSize(1);
  }

  @Test
  void theBestOfSeveralAnswersIsATableOfItsOwn() throws IOException {
    var lines = new StringBuilder();
    String[] answers = {"the", "on", "the on", "on the"};
    for (int i = 0; i < answers.length; i++) {
      lines.append(COMPLETION.formatted("x" + i, "ok", "stop", "ask", answers[i]));
    }
    lines.append(COMPLETION.formatted("y0", "ok", "stop", "other", "the"));
    Path rows = file("completions.jsonl", lines.toString());
    ScoreSummary summary = run("best", Map.of("input", rows.toString(), "best-of", "3"));

    double[] three = new double[3];
    for (int i = 0; i < 3; i++) {
      three[i] = byHand("ask", answers[i], true);
    }
    double best = Arrays.stream(three).max().orElseThrow();
    List<Row> chosen = table("best_of", "best");
    assertThat(chosen).hasSize(1);
    assertThat(chosen.get(0).<Double>getAs("score")).isEqualTo(best);
    assertThat(chosen.get(0).<Integer>getAs("answers")).isEqualTo(3);
    assertThat(chosen.get(0).<String>getAs("license")).isEqualTo("NOASSERTION");
    ScoreSummary.BestOf figures = summary.bestOf().orElseThrow();
    assertThat(figures.prompts()).isEqualTo(1);
    assertThat(figures.promptsLeftOut()).isEqualTo(1);
    assertThat(figures.meanOfBest()).isCloseTo(best, within(1e-9));
    assertThat(figures.meanOfFirst()).isCloseTo(three[0], within(1e-9));
    assertThat(figures.meanOfAll())
        .isCloseTo(Arrays.stream(three).average().orElseThrow(), within(1e-9));
    assertThat(figures.kl()).isCloseTo(Math.log(3) - 2.0 / 3, within(1e-12));
  }

  /** Silent fault 29: other weights under the same name are another model. */
  @Test
  void aRunIdWhoseModelHasChangedIsRefused() throws IOException {
    Path rows = file("completions.jsonl", COMPLETION.formatted("a", "ok", "stop", "ask", "the"));
    run("kept", Map.of("input", rows.toString()));
    Files.write(
        model.resolve("adapter_model.safetensors"),
        flipped(Files.readAllBytes(model.resolve("adapter_model.safetensors"))));
    assertThatThrownBy(() -> run("kept", Map.of("input", rows.toString())))
        .hasMessageContaining("the model content was");
  }

  private static byte[] flipped(byte[] bytes) {
    bytes[bytes.length - 2] ^= 1;
    return bytes;
  }

  @Test
  void whatIsNoRewardModelAndWhatHoldsNoAnswersIsRefused() throws IOException {
    Path rows = file("completions.jsonl", COMPLETION.formatted("a", "ok", "stop", "ask", "the"));
    assertThatThrownBy(
            () -> run("a", Map.of("input", rows.toString(), "model", STUDENT.toString())))
        .hasMessageContaining("Option --model: ")
        .hasMessageContaining("a language model without a score head");
    Path texts = file("texts.jsonl", "{\"id\": \"a\", \"text\": \"b\"}\n");
    assertThatThrownBy(() -> run("b", Map.of("input", texts.toString())))
        .hasMessageContaining("has the columns [id, text] and is none of preferences");
    ScoreSummary plan = run("c", Map.of("input", rows.toString(), "dry-run", "true"));
    assertThat(plan.answers()).isEqualTo(1);
    assertThat(plan.meanScore()).isEmpty();
    assertThat(temp.resolve("warehouse/scores")).doesNotExist();
  }
}
