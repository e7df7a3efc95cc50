package dev.distillery.jobs.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.distillery.core.dialogue.Message;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.teacher.testing.FetchedModel;
import dev.distillery.model.format.AdapterConfig;
import dev.distillery.model.format.AdapterFiles;
import dev.distillery.model.format.ArrayWeights;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.format.TensorSpec;
import dev.distillery.spark.testing.LocalSpark;
import dev.distillery.training.reward.RewardModel;
import dev.distillery.training.tokens.AnswerEncoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On the tiny model of common/model's golden/student: ChatML, a context of 64. */
class RewardJobTest {
  private static final Path MODEL =
      FetchedModel.root().resolve("common/model/src/test/resources/golden/student");

  @TempDir Path temp;

  private Path pairs;
  private Path held;

  /** Good answers say "the", the shorter of two is never told by that. */
  @BeforeEach
  void writePairs() throws IOException {
    pairs = file("pairs.jsonl", pairs(0, 12));
    held = file("held.jsonl", pairs(12, 6));
  }

  private static String pairs(int from, int count) {
    var lines = new StringBuilder();
    for (int i = from; i < from + count; i++) {
      String more = i % 2 == 0 ? " the" : "";
      String other = i % 2 == 0 ? "" : " on";
      lines.append(pair("ask " + i, "the the" + more, "on on" + other, ""));
    }
    return lines.toString();
  }

  private static String pair(String prompt, String chosen, String rejected, String more) {
    return "{\"prompt\": [{\"role\": \"user\", \"content\": \"%s\"}], \"chosen\": \"%s\", \"rejected\": \"%s\"%s}\n"
        .formatted(prompt, chosen, rejected, more);
  }

  private Path file(String name, String lines) throws IOException {
    return Files.writeString(temp.resolve(name), lines);
  }

  private RewardSummary run(String id, Map<String, String> given) {
    var values = new HashMap<String, List<String>>();
    values.put("model", List.of(MODEL.toString()));
    values.put("input", List.of(pairs.toString()));
    values.put("run-id", List.of(id));
    values.put("warehouse", List.of(temp.resolve("warehouse").toString()));
    values.put("output-dir", List.of(output(id).toString()));
    values.put("batch-size", List.of("2"));
    values.put("gradient-accumulation-steps", List.of("2"));
    values.put("max-steps", List.of("6"));
    values.put("learning-rate", List.of("0.003"));
    given.forEach((name, value) -> values.put(name, List.of(value)));
    return new RewardJob()
        .run(LocalSpark.session(), OptionsBinder.of(RewardOptions.class).bind(values));
  }

  private Path output(String id) {
    return temp.resolve("out-" + id);
  }

  private Map<String, Double> metrics(String id) {
    var metrics = new HashMap<String, Double>();
    for (Row row :
        LocalSpark.session()
            .read()
            .parquet(temp.resolve("warehouse/metrics/run_id=" + id).toString())
            .collectAsList()) {
      metrics.put(row.getAs("step") + " " + row.getAs("name"), row.getAs("value"));
    }
    return metrics;
  }

  /** The scores of the held-out answers, those that were chosen first, by the result itself. */
  private List<double[]> scores(Path model) throws IOException {
    List<double[]> scores = new ArrayList<>();
    try (RewardModel reward = RewardModel.open(model, 1)) {
      AnswerEncoder encoder = reward.encoder("");
      for (int i = 12; i < 18; i++) {
        List<Message> prompt = List.of(new Message("user", "ask " + i));
        scores.add(
            reward.score(
                List.of(
                    encoder.closed(prompt, "the the" + (i % 2 == 0 ? " the" : "")).ids(),
                    encoder.closed(prompt, "on on" + (i % 2 == 0 ? "" : " on")).ids())));
      }
    }
    return scores;
  }

  private static double mean(List<double[]> scores) {
    return scores.stream().mapToDouble(pair -> (pair[0] + pair[1]) / 2).average().orElseThrow();
  }

  @Test
  void learnsWhichAnswerIsBetterAndSaysWhatLooksWouldHave() throws IOException {
    RewardSummary summary = run("full", Map.of("eval-input", held.toString(), "max-steps", "12"));

    assertThat(metrics("full").get("12 loss")).isLessThan(0.8 * metrics("full").get("1 loss"));
    assertThat(summary.training())
        .containsEntry("held_out_pairs", 6L)
        .containsEntry("held_out_accuracy", 1.0)
        .containsEntry("eval_accuracy", 1.0)
        .containsEntry("held_out_roc_auc", 1.0)
        .containsEntry("rule_longer_wins", 0.5)
        .containsEntry("rule_repeats_less_wins", 0.5)
        .containsKeys("held_out_calibration_error", "margin", "min_reward", "rows_kept");
    assertThat(summary.bySource())
        .extracting(RewardSummary.Group::name)
        .containsExactly("held.jsonl");
    assertThat(summary.byLength()).extracting(RewardSummary.Group::pairs).containsExactly(6L);
    // Pitfall 19, of a whole model: what is written scores as what was trained.
    List<double[]> scores = scores(output("full"));
    assertThat(mean(scores)).isCloseTo(metrics("full").get("12 eval_mean_reward"), within(1e-4));
    assertThat(summary.training().get("held_out_margin").doubleValue())
        .isCloseTo(
            scores.stream().mapToDouble(pair -> pair[0] - pair[1]).average().orElseThrow(),
            within(1e-9));
    assertThat(Files.readString(output("full").resolve("config.json")))
        .contains("LlamaForSequenceClassification", "\"0\" : \"reward\"");
    // Pitfall 10: transformers reads the last token that is no padding, and closes answers by it.
    assertThat(Files.readString(output("full").resolve("config.json")))
        .contains("\"eos_token_id\" : 2", "\"pad_token_id\" : 1");
    assertThat(Files.readString(output("full").resolve("tokenizer_config.json")))
        .contains("\"pad_token\" : \"<|im_start|>\"");
    assertThat(Files.readString(output("full").resolve("held-out.html")))
        .contains("the shorter answer wins", "By source", "held.jsonl", "<polyline");
    assertThat(Files.readString(output("full").resolve("README.md")))
        .contains("Reward model of student", "What looks alone would get", "pairs.jsonl");
  }

  /** A model that knows lengths only is seen for what it is. */
  @Test
  void aRuleOfLengthThatIsAsGoodIsNamed() throws IOException {
    var longer = new StringBuilder();
    for (int i = 0; i < 8; i++) {
      longer.append(pair("ask " + i, "on the on the on the", "the on", ""));
    }
    Path rows = file("longer.jsonl", longer.toString());
    RewardSummary summary =
        run("longer", Map.of("input", rows.toString(), "eval-input", rows.toString()));

    assertThat(summary.training())
        .containsEntry("rule_longer_wins_training", 1.0)
        .containsEntry("rule_shorter_wins", 0.0)
        .containsEntry("rule_fitted", 1.0);
    assertThat(Files.readString(output("longer").resolve("held-out.html")))
        .contains("as far as these pairs tell, no better than that rule");
  }

  @Test
  void whoComputesAndAResumeChangeNoBit() throws IOException {
    run("one", Map.of("max-steps", "4"));
    run("two", Map.of("max-steps", "4", "workers", "2"));
    run("cut", Map.of("max-steps", "2"));
    Files.delete(temp.resolve("warehouse/_runs/cut.json"));
    run("cut", Map.of("max-steps", "4"));

    for (String other : List.of("two", "cut")) {
      assertThat(output(other).resolve("model.safetensors"))
          .hasSameBinaryContentAs(output("one").resolve("model.safetensors"));
    }
    assertThat(metrics("two")).isEqualTo(metrics("one"));
    Map<String, Double> resumed = metrics("cut");
    assertThat(resumed.keySet()).isEqualTo(metrics("one").keySet());
    assertThat(resumed.get("4 loss")).isEqualTo(metrics("one").get("4 loss"));
  }

  /** K answers to a prompt are one row, each once; splitting the prompt's pairs is another loss. */
  @Test
  void answersToOnePromptAreRankedTogether() throws IOException {
    String group = ", \"group_id\": \"g\"";
    Path ranked =
        file(
            "ranked.jsonl",
            pair("ask", "the the", "the on", group)
                + pair("ask", "the the", "on on", group)
                + pair("ask", "the on", "on on", group + ", \"margin\": 0.5")
                + pair("ask 2", "the", "on", ""));
    RewardSummary summary =
        run(
            "ranked",
            Map.of(
                "input", ranked.toString(),
                "gradient-accumulation-steps", "1",
                "max-steps", "1",
                "center-rewards", "0.01"));

    assertThat(summary.training()).containsEntry("rows_kept", 4L).containsEntry("epochs", 1.0);
    assertThat(summary.training().get("tokens_shared").longValue()).isPositive();
    assertThat(metrics("ranked").get("1 loss")).isPositive();
  }

  /** What is held out is written as what is trained on, with the run's day. */
  @Test
  void heldOutPairsAreWrittenByADatedTemplateToo() throws IOException {
    Path dated = temp.resolve("dated");
    Files.createDirectory(dated);
    try (Stream<Path> files = Files.list(MODEL)) {
      for (Path file : files.toList()) {
        Files.copy(file, dated.resolve(file.getFileName()));
      }
    }
    Files.writeString(
        dated.resolve("chat_template.jinja"),
        "{% for m in messages %}{% if m.role == 'user' %}{{ strftime_now('%d/%m/%y') }}{% endif"
            + " %}{{ m.content }}<|im_end|>{% endfor %}");
    RewardSummary summary =
        run(
            "dated",
            Map.of("model", dated.toString(), "eval-input", held.toString(), "max-steps", "1"));
    assertThat(summary.training()).containsEntry("held_out_pairs", 6L);
    assertThat(summary.training().get("held_out_accuracy"))
        .isEqualTo(summary.training().get("eval_accuracy"));
  }

  /** Pitfalls 19 and 20: the head is saved with the adapter, on a base that was merged first. */
  @Test
  void anAdaptersModelIsMergedFirstAndItsResultKeepsItsHead() throws IOException {
    Path sft = temp.resolve("sft");
    ArrayWeights weights = new ArrayWeights();
    String module = "model.layers.1.self_attn.q_proj";
    weights.put(new TensorSpec(module + ".lora_A.weight", List.of(2, 32)), values(64, 7));
    weights.put(new TensorSpec(module + ".lora_B.weight", List.of(32, 2)), values(64, 3));
    AdapterFiles.write(
        sft,
        new AdapterConfig(
            2, 4, 0, List.of("q_proj"), false, List.of(), "CAUSAL_LM", MODEL.toString()),
        weights);
    RewardSummary summary =
        run(
            "adapter",
            Map.of(
                "model", sft.toString(),
                "trainable", "lora",
                "eval-input", held.toString(),
                "normalize-input", pairs.toString()));

    try (ModelFiles merged = ModelFiles.open(output("adapter").resolve("base"));
        ModelFiles plain = ModelFiles.open(MODEL)) {
      assertThat(merged.weights().read(module + ".weight"))
          .isNotEqualTo(plain.weights().read(module + ".weight"));
      assertThat(merged.config().labels()).isZero();
    }
    AdapterFiles.Adapter result = AdapterFiles.read(output("adapter"));
    result.weights().close();
    assertThat(result.config().baseModel()).endsWith("base");
    assertThat(result.config().taskType()).isEqualTo("SEQ_CLS");
    assertThat(result.config().savedModules()).containsExactly("score");
    assertThat(output("adapter").resolve("score_bias.json")).exists();
    // The evaluation of training is of the scores before they are normalised.
    double mean = metrics("adapter").get("6 eval_mean_reward");
    double gained =
        (mean - summary.training().get("normalize_mean").doubleValue())
            / summary.training().get("normalize_deviation").doubleValue();
    assertThat(mean(scores(output("adapter")))).isCloseTo(gained, within(1e-3));

    // What stands on a merged base keeps it.
    Path base = output("adapter").resolve("base");
    assertThatThrownBy(
            () ->
                run(
                    "other",
                    Map.of(
                        "model", output("adapter").toString(),
                        "output-dir", output("adapter").toString())))
        .hasMessageContaining("is --model " + output("adapter"));
    Path another = temp.resolve("another");
    AdapterFiles.write(
        another,
        new AdapterConfig(
            2, 6, 0, List.of("q_proj"), false, List.of(), "CAUSAL_LM", MODEL.toString()),
        weights);
    assertThatThrownBy(
            () ->
                run(
                    "third",
                    Map.of(
                        "model", another.toString(), "output-dir", output("adapter").toString())))
        .hasMessageContaining(base + ": it was merged from another adapter or base");

    // An earlier reward model, an adapter too, is where another begins.
    run(
        "again",
        Map.of("model", output("adapter").toString(), "learning-rate", "1e-12", "max-steps", "1"));
    List<double[]> before = scores(output("adapter"));
    List<double[]> after = scores(output("again"));
    for (int i = 0; i < before.size(); i++) {
      assertThat(after.get(i)).containsExactly(before.get(i), within(1e-4));
    }
  }

  private static float[] values(int count, int period) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (i % period - period / 2) / 9f;
    }
    return values;
  }

  @Test
  void scoresOfReferenceAnswersGetMeanZeroAndVarianceOne() throws IOException {
    Path answers =
        file(
            "answers.jsonl",
            """
            {"messages": [{"role": "user", "content": "ask 1"}, {"role": "assistant", "content": "the the"}]}
            {"messages": [{"role": "user", "content": "ask 2"}, {"role": "assistant", "content": "on"}]}
            {"messages": [{"role": "user", "content": "ask 3"}, {"role": "assistant", "content": "on the"}]}
            """);
    run("plain", Map.of("max-steps", "2"));
    RewardSummary summary =
        run("normal", Map.of("max-steps", "2", "normalize-input", answers.toString()));

    assertThat(summary.training()).containsEntry("normalize_answers", 3.0);
    double[] scores;
    try (RewardModel reward = RewardModel.open(output("normal"), 1)) {
      AnswerEncoder encoder = reward.encoder("");
      scores =
          reward.score(
              List.of(
                  encoder.closed(List.of(new Message("user", "ask 1")), "the the").ids(),
                  encoder.closed(List.of(new Message("user", "ask 2")), "on").ids(),
                  encoder.closed(List.of(new Message("user", "ask 3")), "on the").ids()));
    }
    double sum = scores[0] + scores[1] + scores[2];
    double squares = scores[0] * scores[0] + scores[1] * scores[1] + scores[2] * scores[2];
    assertThat(sum).isCloseTo(0, within(1e-3));
    assertThat(squares / 3).isCloseTo(1, within(1e-3));
    List<double[]> plain = scores(output("plain"));
    List<double[]> normal = scores(output("normal"));
    double deviation = summary.training().get("normalize_deviation").doubleValue();
    for (int i = 0; i < plain.size(); i++) {
      assertThat((plain.get(i)[0] - plain.get(i)[1]) / deviation)
          .isCloseTo(normal.get(i)[0] - normal.get(i)[1], within(1e-3));
    }
  }

  /** Silent faults 4 and 21: nothing is cut or left out unsaid, and nothing empty is trained on. */
  @Test
  void whatCannotBeLearnedFromIsRejectedByNameAndCounted() throws IOException {
    Path rows =
        file(
            "bad.jsonl",
            pairs(0, 4)
                + pair("same", "the", "the", "")
                + pair("long ".repeat(80), "the", "on", "")
                + pair("cut", "the " + "on ".repeat(80), "on", "")
                + pair("far", "the " + "on ".repeat(80) + "a", "the " + "on ".repeat(80) + "b", "")
                + pair("twice", "the", "on", ", \"weight\": 2"));
    RewardSummary cut = run("cut", Map.of("input", rows.toString(), "max-steps", "1"));
    assertThat(cut.run().rejects())
        .isEqualTo(
            Map.of(
                "equal_answers", 1L,
                "prompt_too_long", 1L,
                "equal_answers_after_cut", 1L,
                "bad_weight", 1L));
    assertThat(cut.training())
        .containsEntry("rows_read", 9L)
        .containsEntry("rows_kept", 5L)
        .containsEntry("rows_cut", 1L)
        .containsEntry("rows_without_stop", 1L);

    RewardSummary dropped =
        run("drop", Map.of("input", rows.toString(), "over-length", "reject", "dry-run", "true"));
    assertThat(dropped.run().rejects()).containsEntry("longer_than_max_length", 2L);
    assertThat(output("drop")).doesNotExist();
    assertThat(dropped.training()).containsKeys("total_steps", "memory_bytes");
  }

  @Test
  void whatCannotBeTrainedIsRefusedBeforeTheFirstStep() {
    assertThatThrownBy(() -> run("a", Map.of("packing", "isolated")))
        .hasMessageContaining("Option --packing: a pair stands alone");
    assertThatThrownBy(() -> run("b", Map.of("over-length", "split")))
        .hasMessageContaining("a pair cannot be split: expected cut or reject");
    assertThatThrownBy(() -> run("c", Map.of("template", "llama3")))
        .hasMessageContaining("needs <|begin_of_text|>");
    assertThatThrownBy(() -> run("d", Map.of("max-length", "65")))
        .hasMessageContaining("a context of 64 tokens, found 65");
    assertThatThrownBy(() -> run("e", Map.of("use", "commercial"))).hasMessageContaining("license");
    assertThatThrownBy(() -> run("f", Map.of("center-rewards", "-1")))
        .hasMessageContaining("Option --center-rewards");
    assertThatThrownBy(() -> run("h", Map.of("eval-steps", "1")))
        .hasMessageContaining("give --eval-input");
  }
}
