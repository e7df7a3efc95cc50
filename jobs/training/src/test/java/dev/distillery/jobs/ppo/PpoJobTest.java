package dev.distillery.jobs.ppo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.distillery.core.dialogue.Message;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.teacher.testing.FetchedModel;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.format.ModelTensors;
import dev.distillery.model.format.ModelWriter;
import dev.distillery.model.format.TensorType;
import dev.distillery.model.nn.Batch;
import dev.distillery.model.nn.KernelSets;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.Parameters;
import dev.distillery.model.nn.Weights;
import dev.distillery.model.rl.Algorithm;
import dev.distillery.model.rl.MissingEnd;
import dev.distillery.model.tokenizer.Tokenizer;
import dev.distillery.model.tokenizer.Tokenizers;
import dev.distillery.model.train.NextTokenLoss;
import dev.distillery.model.train.PreferenceLoss;
import dev.distillery.model.train.Targets;
import dev.distillery.spark.testing.LocalSpark;
import dev.distillery.training.reward.RewardModel;
import dev.distillery.training.reward.TinyReward;
import dev.distillery.training.run.FrozenModel;
import dev.distillery.training.run.MicroBatch;
import dev.distillery.training.tokens.AnswerEncoder;
import dev.distillery.training.tokens.RowEncoder;
import dev.distillery.training.tokens.TokenSequence;
import dev.distillery.training.tokens.TokenSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** On golden/student of common/model, a tiny model of random weights. */
class PpoJobTest {
  private static final Path MODEL =
      FetchedModel.root().resolve("common/model/src/test/resources/golden/student");

  private final SparkSession spark = LocalSpark.session();

  @TempDir Path temp;

  private Path prompts;

  @BeforeEach
  void writePrompts() throws IOException {
    var lines = new StringBuilder();
    for (int i = 0; i < 5; i++) {
      lines.append("{\"id\": \"q").append(i).append("\", \"text\": \"question ").append(i);
      lines.append("\"}\n");
    }
    prompts = Files.writeString(temp.resolve("prompts.jsonl"), lines.toString());
  }

  private PpoSummary run(String id, Map<String, String> given) {
    var values = new HashMap<String, List<String>>();
    values.put("model", List.of(MODEL.toString()));
    values.put("input", List.of(prompts.toString()));
    values.put("run-id", List.of(id));
    values.put("warehouse", List.of(temp.resolve("warehouse").toString()));
    values.put("output-dir", List.of(temp.resolve("out-" + id).toString()));
    values.put("reward", List.of("count:e=1", "length=-0.1"));
    values.put("rollout-batch-size", List.of("8"));
    values.put("mini-batch-size", List.of("4"));
    values.put("batch-size", List.of("2"));
    values.put("ppo-epochs", List.of("2"));
    values.put("response-length", List.of("6"));
    values.put("max-steps", List.of("2"));
    values.put("learning-rate", List.of("0.003"));
    given.forEach((name, value) -> values.put(name, List.of(value)));
    return new PpoJob().run(spark, OptionsBinder.of(PpoOptions.class).bind(values));
  }

  private List<Row> table(String name, String id) {
    return spark
        .read()
        .parquet(temp.resolve("warehouse").resolve(name).resolve("run_id=" + id).toString())
        .collectAsList();
  }

  private Map<String, Double> metrics(String id) {
    var metrics = new HashMap<String, Double>();
    for (Row row : table("metrics", id)) {
      metrics.put(row.getAs("step") + " " + row.getAs("name"), row.getAs("value"));
    }
    return metrics;
  }

  private List<String> rollouts(String id) {
    return table("rollouts", id).stream().map(Row::json).sorted().toList();
  }

  private byte[] weights(String id) throws IOException {
    return Files.readAllBytes(temp.resolve("out-" + id).resolve("model.safetensors"));
  }

  /** Pitfalls 6, 7 and 24: the temperature is in every log-probability; no two samples share. */
  @Test
  void oneToFourWorkersSampleAndLearnTheSameBits() throws IOException {
    for (int workers : new int[] {1, 2, 4}) {
      run("w" + workers, Map.of("workers", "" + workers, "temperature", "0.7"));
    }
    Map<String, Double> one = metrics("w1");
    assertThat(one.get("1 kl")).isCloseTo(0, within(1e-5));
    assertThat(one.get("1 rollout/logprob_drift_max")).isLessThan(1e-4);
    assertThat(one).containsKeys("2 ppo/loss/value", "2 objective/kl_coef", "2 probe/length");
    List<String> answers = rollouts("w1");
    assertThat(answers).hasSize(16);
    assertThat(table("rollouts", "w1").stream().map(row -> row.getAs("answer")).distinct().count())
        .isGreaterThan(8);
    for (String other : List.of("w2", "w4")) {
      assertThat(rollouts(other)).isEqualTo(answers);
      assertThat(weights(other)).isEqualTo(weights("w1"));
      assertThat(metrics(other)).isEqualTo(one);
    }
    assertThat(temp.resolve("out-w1/value_head.safetensors")).exists();
  }

  /** Controller, moments, counters and the average go on where they stood. */
  @Test
  void resumingGivesTheBitsOfARunThatNothingStopped() throws IOException {
    var options = Map.of("ema-decay", "0.9", "score-scaling", "scale", "save-steps", "1");
    run("whole", with(options, "max-steps", "3"));
    run("cut", with(options, "max-steps", "1"));
    Files.delete(temp.resolve("warehouse/_runs/cut.json"));
    run("cut", with(options, "max-steps", "3"));
    assertThat(weights("cut")).isEqualTo(weights("whole"));
    assertThat(rollouts("cut")).isEqualTo(rollouts("whole"));
    assertThat(metrics("cut")).isEqualTo(metrics("whole"));
  }

  /** The first version wrote replace down, its default. */
  @ParameterizedTest
  @CsvSource({"PPO, REPLACE", "RLOO, REPLACE", "GRPO, OFF"})
  void theRuleOfAnAnswerWithoutAnEndIsTheAlgorithmsAndIsWrittenDown(
      Algorithm algorithm, MissingEnd usual) {
    UpdateOptions update = UpdateOptions.builder().algorithm(algorithm).build();
    PpoOptions options = new PpoJob().settled(PpoOptions.builder().update(update).build());
    assertThat(options.rewards().missingEos()).contains(usual);
    assertThat(OptionsBinder.of(PpoOptions.class).decisive(options))
        .containsEntry("missing-eos", usual.name().toLowerCase(Locale.ROOT));
  }

  @Test
  void aRunGoesOnWithTheRuleThatItBeganWith() throws IOException {
    Map<String, String> options = Map.of("algorithm", "grpo", "save-steps", "1");
    run("ruled", with(options, "max-steps", "1"));
    assertThat(temp.resolve("out-ruled/checkpoint-1/manifest.json"))
        .content()
        .containsPattern("\"missing-eos\" ?: ?\"off\"");
    run("ruled", with(with(options, "max-steps", "2"), "missing-eos", "off"));
    assertThat(metrics("ruled")).containsKey("2 kl");
    assertThatThrownBy(
            () -> run("ruled", with(with(options, "max-steps", "3"), "missing-eos", "subtract")))
        .hasMessageContaining("--missing-eos was off, now subtract");
  }

  /** Neither the record nor the checkpoint of an earlier version names what was added since. */
  @Test
  void aRunOfAnEarlierVersionGoesOn() throws IOException {
    Map<String, String> options = Map.of("algorithm", "grpo", "save-steps", "1");
    run("old", with(options, "max-steps", "1"));
    for (String file : List.of("warehouse/_runs/old.json", "out-old/checkpoint-1/manifest.json")) {
      String now = Files.readString(temp.resolve(file));
      String then = now.replaceAll(",\\s*\"(missing-eos|whiten-variance)\" ?: ?\"[^\"]*\"", "");
      assertThat(now).contains("\"missing-eos\"", "\"whiten-variance\"");
      assertThat(then).doesNotContain("\"missing-eos\"", "\"whiten-variance\"");
      Files.writeString(temp.resolve(file), then);
    }
    run("old", with(options, "max-steps", "2"));
    assertThat(metrics("old")).containsKey("2 kl");
  }

  private static Map<String, String> with(Map<String, String> options, String name, String value) {
    var more = new HashMap<>(options);
    more.put(name, value);
    return more;
  }

  @Test
  void learnsWithoutACriticToo() {
    for (String algorithm : List.of("rloo", "grpo")) {
      run(algorithm, Map.of("algorithm", algorithm, "trainable", "lora"));
      assertThat(metrics(algorithm).get("1 kl")).isCloseTo(0, within(1e-5));
      assertThat(metrics(algorithm)).doesNotContainKey("1 ppo/loss/value");
      assertThat(temp.resolve("out-" + algorithm + "/adapter_config.json")).exists();
      assertThat(temp.resolve("out-" + algorithm + "/value_head.safetensors")).doesNotExist();
    }
  }

  /** Pitfall 17: after updates, the policy without its adapters is the model that it began from. */
  @Test
  void theReferenceStaysTheModelThatTrainingBeganFrom() throws IOException {
    run("r", Map.of("trainable", "lora", "max-steps", "3", "learning-rate", "0.03"));
    List<Row> last =
        table("rollouts", "r").stream().filter(row -> row.<Long>getAs("step") == 3).toList();
    assertThat(last).hasSize(8);
    Tokenizer tokenizer = Tokenizers.open(MODEL);
    try (Kernels kernels = KernelSets.create(1);
        FrozenModel.Open base = new FrozenModel(MODEL.toString(), "").open(kernels);
        PreferenceLoss loss =
            new PreferenceLoss(
                base.decoder(), new PreferenceLoss.Options(PreferenceLoss.Kind.SIGMOID, 1, 0, 0))) {
      double moved = 0;
      for (Row row : last) {
        assertThat(tokenizer.prefix()).isEmpty();
        int[] prompt = tokenizer.encodeOrdinary(row.getAs("prompt"));
        List<Row> tokens = row.getList(row.fieldIndex("tokens"));
        int[] ids = Arrays.copyOf(prompt, prompt.length + tokens.size());
        float[] weights = new float[ids.length];
        double reference = 0;
        for (int t = 0; t < tokens.size(); t++) {
          ids[prompt.length + t] = tokens.get(t).getAs("id");
          weights[prompt.length + t] = 1;
          reference += tokens.get(t).<Number>getAs("ref_logprob").doubleValue();
          moved += Math.abs(reference - tokens.get(t).<Number>getAs("logprob").doubleValue());
        }
        assertThat(loss.logProbs(Batch.of(List.of(ids)), weights)[0])
            .isCloseTo(reference, within(1e-4));
      }
      assertThat(moved).as("the policy itself has moved").isGreaterThan(0.1);
    }
  }

  /** Pitfall 25: what is logged as KL is what rewards were shaped with, whatever its estimator. */
  @Test
  void theDivergenceThatIsLoggedIsTheOneThatRewardsAreShapedWith() {
    run("k", Map.of("kl-estimator", "k3", "kl-coef", "0.5", "warmup-steps", "0"));
    Map<String, Double> metrics = metrics("k");
    List<Row> answers =
        table("rollouts", "k").stream().filter(row -> row.<Long>getAs("step") == 2).toList();
    double kl = 0;
    int tokens = 0;
    for (Row row : answers) {
      kl += row.<Number>getAs("kl").doubleValue() / answers.size();
      tokens += row.getList(row.fieldIndex("tokens")).size();
    }
    assertThat(kl).isGreaterThan(1e-3);
    assertThat(metrics.get("2 kl")).isCloseTo(kl, within(1e-6));
    assertThat(metrics.get("2 objective/kl")).isEqualTo(metrics.get("2 kl"));
    double shaped =
        metrics.get("2 ppo/mean_scores") - metrics.get("2 objective/kl_coef") * metrics.get("2 kl");
    assertThat(metrics.get("2 ppo/mean_rewards") * tokens / answers.size())
        .isCloseTo(shaped, within(1e-4));
  }

  @Test
  void dialoguesAreAskedUpToTheirLastQuestionAndHeldOutOnesEvaluated() throws IOException {
    Path dialogues =
        Files.writeString(
            temp.resolve("dialogues.jsonl"),
            """
            {"id": "a", "messages": [{"role": "user", "content": "One?"}, {"role": "assistant", "content": "1"}]}
            {"id": "b", "messages": [{"role": "assistant", "content": "Hello."}]}
            {"id": "c", "messages": [{"role": "user", "content": "%s"}]}
            {"id": "d", "messages": []}
            """
                .formatted("long ".repeat(60)));
    Path held =
        Files.writeString(
            temp.resolve("held.jsonl"), "{\"instruction\": \"Two?\", \"output\": \"hoped\"}");
    PpoSummary summary =
        run(
            "talk",
            Map.of(
                "input",
                dialogues.toString(),
                "eval-input",
                held.toString(),
                "eval-steps",
                "1",
                "ref-model",
                MODEL.toString(),
                "max-length",
                "64",
                "reward",
                "matches-answer=2"));

    assertThat(summary.run().rejects())
        .isEqualTo(Map.of("no_user_turn", 2L, "longer_than_max_length", 1L));
    assertThat(table("rejects", "talk")).hasSize(3);
    assertThat(rollouts("talk"))
        .allMatch(row -> row.contains("One?") && !row.contains("\"prompt\":\"1"));
    assertThat(metrics("talk")).containsKeys("1 eval_reward", "2 eval_kl");
    assertThat(temp.resolve("out-talk/samples/samples-0000000002.jsonl"))
        .content()
        .contains("Two?", "\"expected\":\"hoped\",\"score\":0.0,\"kl\":");
    assertThat(temp.resolve("out-talk/metrics.html"))
        .content()
        .contains("Held-out prompts", "Two?", "Expected: hoped", "<th scope=\"col\">score</th>");
    assertThat(metrics("talk").get("1 kl")).isCloseTo(0, within(1e-5));
    assertThat(Files.readString(temp.resolve("out-talk/README.md")))
        .contains("Reinforcement learning of student", "dialogues.jsonl", "NOASSERTION");
  }

  /** As that model reads them, with a tokenizer of its own; an answer that was cut has no mark. */
  @Test
  void aRewardModelScoresWhatItReadsWithItsOwnTokenizer() throws IOException {
    Path reward = TinyReward.write(temp.resolve("scorer"), 0.25);
    forgetMerges(reward.resolve("tokenizer.json"));
    Map<String, String> given =
        Map.of("reward", "length=0", "reward-model", reward + "=2", "response-length", "4");
    for (int workers : new int[] {1, 2}) {
      run("m" + workers, with(given, "workers", "" + workers));
    }
    assertThat(rollouts("m2")).isEqualTo(rollouts("m1"));
    assertThat(weights("m2")).isEqualTo(weights("m1"));
    assertThat(metrics("m1")).containsKey("1 rewards/scorer/mean");
    List<Row> rows = table("rollouts", "m1");
    assertThat(rows).hasSize(16);
    int scored = 0;
    try (RewardModel model = RewardModel.open(reward, 1)) {
      AnswerEncoder encoder = model.encoder("");
      assertThat(encoder.closed(List.of(new Message("user", "the")), "the").ids())
          .as("another tokenizer")
          .hasSizeGreaterThan(
              AnswerEncoder.open(MODEL, "")
                  .closed(List.of(new Message("user", "the")), "the")
                  .ids()
                  .length);
      for (Row row : rows) {
        List<Message> prompt = List.of(new Message("user", row.getAs("prompt")));
        AnswerEncoder.Answered answered =
            row.<Boolean>getAs("ended")
                ? encoder.closed(prompt, row.getAs("answer"))
                : encoder.cut(prompt, row.getAs("answer"));
        boolean readable =
            answered.hasAnswer() && answered.ids().length <= model.config().maxPositions();
        assertThat(row.isNullAt(row.fieldIndex("score"))).isEqualTo(!readable);
        if (readable) {
          scored++;
          assertThat(row.<Number>getAs("score").doubleValue())
              .isEqualTo(2 * model.score(List.of(answered.ids()))[0]);
        }
      }
    }
    assertThat(scored).isGreaterThan(8);
  }

  /** A reward model whose template writes a date is told the run's day. */
  @Test
  void aRewardModelOfADatedTemplateScores() throws IOException {
    Path reward = TinyReward.write(temp.resolve("dated"), 0.25);
    Files.writeString(
        reward.resolve("chat_template.jinja"),
        "{% for m in messages %}{% if m.role == 'user' %}{{ strftime_now('%d/%m/%y') }}{% endif"
            + " %}{{ m.content }}<|im_end|>{% endfor %}");
    run(
        "told",
        Map.of(
            "reward",
            "length=0",
            "reward-model",
            reward.toString(),
            "response-length",
            "4",
            "max-steps",
            "1"));
    assertThat(table("rollouts", "told")).anyMatch(row -> !row.isNullAt(row.fieldIndex("score")));
  }

  /** The value of a token is the score of what stands before it. */
  private void assertValuesAreScores(String id, Path reward) throws IOException {
    Tokenizer tokenizer = Tokenizers.open(MODEL);
    int seen = 0;
    try (RewardModel model = RewardModel.open(reward, 1)) {
      for (Row row : table("rollouts", id)) {
        int[] prompt = tokenizer.encodeOrdinary(row.getAs("prompt"));
        List<Row> tokens = row.getList(row.fieldIndex("tokens"));
        int[] ids = Arrays.copyOf(prompt, prompt.length + tokens.size());
        for (int t = 0; t < tokens.size(); t++) {
          int[] before = Arrays.copyOf(ids, prompt.length + t);
          assertThat(tokens.get(t).<Number>getAs("value").doubleValue())
              .isCloseTo(model.score(List.of(before))[0], within(1e-4));
          ids[prompt.length + t] = tokens.get(t).getAs("id");
          seen++;
        }
      }
    }
    assertThat(seen).isGreaterThan(16);
  }

  private byte[] file(String id, String name) throws IOException {
    return Files.readAllBytes(temp.resolve("out-" + id).resolve(name));
  }

  /** It is written as a reward model, an adapter of one here, and another run begins from that. */
  @Test
  void aValueNetworkBeginsAsItsRewardModelAndOnlyTheErrorOfValuesMovesIt() throws IOException {
    Path reward = TinyReward.write(temp.resolve("scorer"), 0.25);
    Map<String, String> given =
        with(
            Map.of("trainable", "lora", "max-steps", "1", "warmup-steps", "0"),
            "value-model",
            reward.toString());
    run("v", given);
    run("still", with(given, "vf-coef", "0"));

    assertValuesAreScores("v", reward);
    String adapter = "adapter_model.safetensors";
    assertThat(file("still", adapter)).isEqualTo(file("v", adapter));
    assertThat(file("still", "value-model/" + adapter))
        .isNotEqualTo(file("v", "value-model/" + adapter));
    assertThat(temp.resolve("out-v/value_head.safetensors")).doesNotExist();
    assertThat(metrics("v").get("1 ppo/val/grad_norm")).isGreaterThan(0);
    assertThat(metrics("still").get("1 ppo/val/grad_norm")).isEqualTo(0);
    int[] some = {5, 6, 7};
    try (RewardModel before = RewardModel.open(reward, 1);
        RewardModel after = RewardModel.open(temp.resolve("out-still/value-model"), 1)) {
      assertThat(after.score(List.of(some))).containsExactly(before.score(List.of(some)));
    }
    Path learned = temp.resolve("out-v/value-model");
    run("next", with(given, "value-model", learned.toString()));
    assertValuesAreScores("next", learned);
    assertThat(temp.resolve("out-next/value-base/model.safetensors")).exists();
    assertThatThrownBy(() -> assertValuesAreScores("next", reward))
        .isInstanceOf(AssertionError.class);
  }

  @Test
  void aValueNetworkIsTheSameBitsWhoeverComputesAndWhereverItStopped() throws IOException {
    Path reward = TinyReward.write(temp.resolve("scorer"), 0.25);
    Map<String, String> given =
        Map.of("value-model", reward.toString(), "ema-decay", "0.5", "save-steps", "1");
    run("n1", given);
    run("n2", with(given, "workers", "2"));
    run("n4", with(with(given, "workers", "4"), "max-steps", "1"));
    Files.delete(temp.resolve("warehouse/_runs/n4.json"));
    run("n4", with(given, "workers", "4"));
    assertThat(metrics("n1")).containsKeys("2 ppo/loss/value", "2 ppo/val/var_explained");
    String weights = "value-model/model.safetensors";
    assertThat(file("n1", weights))
        .isNotEqualTo(Files.readAllBytes(reward.resolve("model.safetensors")));
    for (String other : List.of("n2", "n4")) {
      assertThat(rollouts(other)).isEqualTo(rollouts("n1"));
      assertThat(weights(other)).isEqualTo(weights("n1"));
      assertThat(file(other, weights)).isEqualTo(file("n1", weights));
      assertThat(metrics(other)).isEqualTo(metrics("n1"));
    }
  }

  @Test
  void aValueModelThatCannotReadThePolicysTokensIsRefusedBeforeTheFirstStep() throws IOException {
    assertThatThrownBy(() -> run("b", Map.of("value-model", MODEL.toString())))
        .hasMessageContaining("Option --value-model")
        .hasMessageContaining("without a score head");
    Path other = TinyReward.write(temp.resolve("other"), 0);
    Path tokenizer = other.resolve("tokenizer.json");
    String json = Files.readString(tokenizer);
    Files.writeString(
        tokenizer,
        json.replace("\"a\":", "\"both\":")
            .replace("\"b\":", "\"a\":")
            .replace("\"both\":", "\"b\":"));
    assertThatThrownBy(() -> run("o", Map.of("value-model", other.toString())))
        .hasMessageContaining("Option --value-model: " + other)
        .hasMessageContaining("theirs are two vocabularies");
    assertThatThrownBy(() -> run("r", Map.of("value-model", other.toString(), "algorithm", "rloo")))
        .hasMessageContaining("Option --value-model: expected only with --algorithm ppo");
    assertThat(temp.resolve("out-o")).doesNotExist();
  }

  /** As many models have it: rows for tokens that no tokenizer names, and that are sampled too. */
  @Test
  void aValueModelWithoutThePaddingOfThePolicysVocabularyIsRefused() throws IOException {
    Path padded = Files.createDirectories(temp.resolve("padded"));
    try (ModelFiles files = ModelFiles.open(MODEL);
        Kernels kernels = KernelSets.create(1)) {
      ModelConfig config = files.config().toBuilder().vocabSize(308).build();
      try (Parameters fresh = Weights.fresh(config, kernels, 1)) {
        var source = Weights.source(fresh, ModelTensors.of(config));
        ModelWriter.write(padded, config, files.specialTokens(), source, TensorType.F32);
      }
    }
    for (String name : List.of("tokenizer.json", "tokenizer_config.json")) {
      Files.copy(MODEL.resolve(name), padded.resolve(name));
    }
    Path reward = TinyReward.write(temp.resolve("scorer"), 0);
    Map<String, String> given =
        Map.of("model", padded.toString(), "value-model", reward.toString());
    assertThatThrownBy(() -> run("p", given))
        .hasMessageContaining("its vocabulary has 300 tokens, and the student writes 308");
  }

  @Test
  void anAdapterGoesOnBesideAValueNetworkWhichALaterRunWithoutTakesAway() throws IOException {
    Map<String, String> lora = Map.of("trainable", "lora", "warmup-steps", "0");
    run("first", with(lora, "learning-rate", "0.03"));
    Path reward = TinyReward.write(temp.resolve("scorer"), 0.25);
    Map<String, String> begun =
        with(
            with(with(lora, "adapter", temp + "/out-first"), "ref-model", MODEL.toString()),
            "max-steps",
            "1");
    run("both", with(begun, "value-model", reward.toString()));
    assertValuesAreScores("both", reward);
    assertThat(Math.abs(metrics("both").get("1 kl"))).isGreaterThan(1e-3);
    assertThat(temp.resolve("out-both/value-model")).exists();
    run("both", with(begun, "overwrite", "true"));
    assertThat(temp.resolve("out-both/value_head.safetensors")).exists();
    assertThat(temp.resolve("out-both/value-model")).doesNotExist();
  }

  /** Leaves nearly every byte a token of its own. */
  private static void forgetMerges(Path tokenizer) throws IOException {
    ObjectMapper mapper = new ObjectMapper();
    JsonNode json = mapper.readTree(tokenizer.toFile());
    ArrayNode merges = (ArrayNode) json.path("model").path("merges");
    while (merges.size() > 1) {
      merges.remove(1);
    }
    mapper.writeValue(tokenizer.toFile(), json);
  }

  /** Gamma is of a mean over the tokens of a step: texts of any length count by their tokens. */
  @Test
  void textsAreLearnedBesideRewards() throws IOException {
    List<String> texts = List.of("the fox in the water", "one", "the water and the fox and the");
    var lines = new StringBuilder();
    texts.forEach(text -> lines.append("{\"text\": \"").append(text).append("\"}\n"));
    Path file = Files.writeString(temp.resolve("texts.jsonl"), lines);
    Map<String, String> given =
        Map.of("ptx-input", file.toString(), "ptx-coef", "3", "ptx-batch-size", "3");
    run("still", with(given, "learning-rate", "0"));
    run("x1", given);
    run("x2", with(given, "workers", "2"));

    Map<String, Double> still = metrics("still");
    Tokenizer tokenizer = Tokenizers.open(MODEL);
    var settings =
        new TokenSettings(
            "",
            TokenSettings.TrainOn.ALL_TURNS,
            TokenSettings.OverLength.SPLIT,
            64,
            TokenSettings.Packing.NONE,
            tokenizer.id("<|im_end|>").orElseThrow());
    RowEncoder encoder = RowEncoder.ofDocuments(tokenizer, settings);
    List<TokenSequence> rows =
        texts.stream().map(text -> encoder.document(text, 1).sequences().get(0)).toList();
    var all = new MicroBatch(rows, new long[3]);
    try (Kernels kernels = KernelSets.create(1);
        FrozenModel.Open base = new FrozenModel(MODEL.toString(), "").open(kernels);
        NextTokenLoss loss = new NextTokenLoss(base.decoder())) {
      double mean =
          loss.evaluate(all.documents(), Targets.next(all.documents(), all.weights())).meanLoss();
      assertThat(still.get("1 ppo/loss/ptx")).isCloseTo(mean, within(1e-5));
      assertThat(still.get("2 ppo/loss/ptx")).isCloseTo(mean, within(1e-5));
    }
    assertThat(still.get("2 loss"))
        .isCloseTo(
            still.get("2 ppo/loss/policy")
                + 0.1 * still.get("2 ppo/loss/value")
                + 3 * still.get("2 ppo/loss/ptx"),
            within(1e-6));
    assertThat(metrics("x1").get("2 ppo/loss/ptx")).isLessThan(still.get("2 ppo/loss/ptx"));
    assertThat(metrics("x2")).isEqualTo(metrics("x1"));
    assertThat(weights("x2")).isEqualTo(weights("x1"));
    assertThat(temp.resolve("out-x1/README.md")).content().contains("texts.jsonl");
  }

  @Test
  void aRewardModelWithoutAHeadIsRefusedBeforeTheFirstStep() throws IOException {
    assertThatThrownBy(() -> run("h", Map.of("reward-model", MODEL.toString())))
        .hasMessageContaining("Option --reward-model")
        .hasMessageContaining("without a score head");
    assertThatThrownBy(() -> run("n", Map.of("reward-model", temp.resolve("none").toString())))
        .hasMessageContaining("Option --reward-model");
    Path reward = TinyReward.write(temp.resolve("scorer"), 0);
    assertThatThrownBy(
            () ->
                run("t", Map.of("reward-model", reward.toString(), "reward-template", "none-such")))
        .hasMessageContaining("Option --reward-template");
    assertThat(temp.resolve("out-h")).doesNotExist();
  }

  /** The day is the run's, of its first try; see JobRunTest. */
  @Test
  void questionsAreWrittenByTheModelsOwnTemplateOnADayAndWithArguments() throws IOException {
    Path model = Files.createDirectory(temp.resolve("model"));
    try (var files = Files.list(MODEL)) {
      for (Path file : files.toList()) {
        Files.copy(file, model.resolve(file.getFileName().toString()));
      }
    }
    Files.writeString(
        model.resolve("chat_template.jinja"),
        "{% for m in messages %}{{ strftime_now('%d/%m/%y') }}{{ mood }}{{ m.content }}<|im_end|>{%"
            + " endfor %}");
    Path dialogues =
        Files.writeString(
            temp.resolve("dialogues.jsonl"),
            """
            {"id": "a", "messages": [{"role": "user", "content": "One?"}]}
            """);

    run(
        "day",
        Map.of(
            "model",
            model.toString(),
            "input",
            dialogues.toString(),
            "template-date",
            "1999-12-31",
            "template-args",
            "{\"mood\": \"!\"}"));

    assertThat(rollouts("day")).isNotEmpty().allMatch(row -> row.contains("31/12/99!One?"));
  }

  @Test
  void aPlanCountsEveryAnswerAndWritesNothing() {
    Map<String, Number> ppo = run("p", Map.of("dry-run", "true")).training();
    Map<String, Number> grpo =
        run("g", Map.of("dry-run", "true", "algorithm", "grpo", "num-generations", "4")).training();

    assertThat(ppo.get("total_steps")).isEqualTo(2L);
    // Two updates of eight answers; with four to a prompt they go over fewer prompts.
    assertThat(grpo.get("total_tokens").doubleValue())
        .isCloseTo(ppo.get("total_tokens").doubleValue(), within(0.01 * 16 * 64));
    assertThat(temp.resolve("out-p")).doesNotExist();
    assertThat(temp.resolve("warehouse/_runs")).doesNotExist();
  }

  @Test
  void refusesWhatCannotBeLearnedFrom() {
    assertThatThrownBy(() -> run("c", Map.of("algorithm", "rloo", "whiten", "both")))
        .hasMessageContaining("Option --whiten: expected only with --algorithm ppo");
    assertThatThrownBy(() -> run("f", Map.of("algorithm", "grpo", "missing-eos-penalty", "2")))
        .hasMessageContaining(
            "Option --missing-eos-penalty: expected only with --missing-eos replace or subtract,"
                + " found off");
    assertThatThrownBy(() -> run("d", Map.of("gradient-accumulation-steps", "2")))
        .hasMessageContaining("an optimiser step is --mini-batch-size answers");
    assertThatThrownBy(() -> run("e", Map.of("use", "commercial"))).hasMessageContaining("license");
    assertThatThrownBy(() -> run("a", Map.of("algorithm", "grpo", "num-generations", "1")))
        .hasMessageContaining("a group of one has nothing to compare with");
    assertThatThrownBy(() -> run("b", Map.of("reward", "lenght=1")))
        .hasMessageContaining("no reward function is called lenght")
        .hasMessageContaining("length");
  }
}
