package dev.distillery.training.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.distillery.core.run.ModelHash;
import dev.distillery.model.format.AdapterFiles;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.Dropout;
import dev.distillery.model.nn.Gradients;
import dev.distillery.model.train.Schedule;
import dev.distillery.spark.testing.LocalSpark;
import dev.distillery.training.tokens.TokenSequence;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainingRunTest {
  @TempDir Path folder;
  private final SparkSession spark = LocalSpark.session();

  private TinyTraining tiny(String config) throws IOException {
    return new TinyTraining(spark, folder, config);
  }

  private static void same(TinyTraining tiny, String one, String other) throws IOException {
    Map<String, byte[]> first = tiny.result(one);
    Map<String, byte[]> second = tiny.result(other);
    assertThat(second).containsOnlyKeys(first.keySet());
    first.forEach((name, bytes) -> assertThat(second.get(name)).as(name).isEqualTo(bytes));
    assertThat(tiny.metrics(other)).isEqualTo(tiny.metrics(one));
  }

  @Test
  void oneToFourWorkersGiveTheSameBits() throws IOException {
    TinyTraining tiny =
        tiny("lora").with("trainable", "lora").with("lora-dropout", 0.3).with("dropout", 0.1);
    tiny.spelt().with("train-tokens", "#,A");
    tiny.eval = Optional.of(new TinyTraining.RandomRows(7, 9));
    for (int workers = 1; workers <= 4; workers++) {
      Map<String, Number> figures = tiny.with("workers", workers).run("w" + workers).figures();
      if (workers == 1) {
        assertThat(figures).doesNotContainKey("exchange_seconds");
      } else {
        assertThat(figures.get("exchange_seconds").doubleValue()).isPositive();
      }
    }
    for (int workers = 2; workers <= 4; workers++) {
      same(tiny, "w1", "w" + workers);
    }
    assertThat(tiny.result("w1")).containsKey("adapter_model.safetensors");
  }

  @Test
  void allWeightsAndRecomputationGiveTheSameBitsToo() throws IOException {
    TinyTraining tiny = tiny("gpt2").with("max-steps", 2);
    tiny.run("plain");
    tiny.with("workers", 3).with("gradient-checkpointing", true).run("spread");
    same(tiny, "plain", "spread");
    assertThat(tiny.result("plain")).containsKeys("config.json", "model.safetensors", "merges.txt");
  }

  /** transformers reads templates, shards and adapters that lie there, whoever wrote them. */
  @Test
  void nothingOfAnEarlierResultStaysBesideTheNext() throws IOException {
    TinyTraining tiny = tiny("gpt2").with("max-steps", 1);
    Path output = tiny.output("next");
    for (String stale :
        List.of(
            "chat_template.jinja",
            "tokenizer.json",
            "additional_chat_templates/tool_use.jinja",
            "model-00001-of-00002.safetensors",
            "model.safetensors.index.json",
            "adapter_config.json",
            "adapter_model.safetensors",
            "value_head.safetensors",
            "score_bias.json",
            "notes.txt")) {
      Files.createDirectories(output.resolve(stale).getParent());
      Files.writeString(output.resolve(stale), "stale");
    }
    // Not before a run of ours is known to have written them.
    assertThatThrownBy(() -> tiny.run("next"))
        .hasMessageContaining("Option --output-dir: " + output + " holds adapter_config.json")
        .hasMessageContaining("which no training run wrote");
    assertThat(output.resolve("tokenizer.json")).hasContent("stale");
    Files.writeString(output.resolve("written-by-distillery.txt"), "");
    tiny.run("next");
    assertThat(tiny.result("next").keySet())
        .containsExactlyInAnyOrder(
            "config.json",
            "generation_config.json",
            "merges.txt",
            "metrics.html",
            "model.safetensors",
            "notes.txt",
            "written-by-distillery.txt");
    assertThat(output.resolve("additional_chat_templates")).doesNotExist();
  }

  /** On an executor a reference stays for the tasks to come, until a policy needs the room. */
  @Test
  void aFrozenModelMakesRoomForAPolicy() throws IOException {
    TinyTraining tiny = tiny("gpt2").with("max-steps", 1).with("workers", 2);
    String model = tiny.values.get("model");
    var frozen = new FrozenModel(model, ModelHash.of(Path.of(model)));
    Decoder first = decoder(frozen);
    assertThat(decoder(frozen)).isSameAs(first);
    tiny.run("policy");
    assertThat(decoder(frozen)).isNotSameAs(first);
    SharedFrozen.closeIdle();
  }

  private static Decoder decoder(FrozenModel model) {
    try (SharedFrozen.Use use = SharedFrozen.of(model)) {
      return use.with(decoder -> decoder);
    }
  }

  /** Dies in the middle of a step, once, with everything that a process loses. */
  private static final class Dying implements TrainingObjective {
    private static final long serialVersionUID = 1L;
    private final NextTokenObjective plain = new NextTokenObjective();
    private final AtomicInteger left;

    Dying(int microBatches) {
      left = new AtomicInteger(microBatches);
    }

    @Override
    public double weight(TokenSequence row) {
      return plain.weight(row);
    }

    @Override
    public Map<String, Double> metrics(double[] sums) {
      return plain.metrics(sums);
    }

    @Override
    public Computation open(Decoder decoder) {
      Computation work = plain.open(decoder);
      return new Computation() {
        @Override
        public double[] addGradient(
            MicroBatch batch, Normaliser normaliser, Dropout dropout, Gradients gradients) {
          if (left.decrementAndGet() == 0) {
            throw new IllegalStateException("The lights went out");
          }
          return work.addGradient(batch, normaliser, dropout, gradients);
        }

        @Override
        public double[] evaluate(MicroBatch batch) {
          return work.evaluate(batch);
        }

        @Override
        public void close() {
          work.close();
        }
      };
    }
  }

  private static void interrupted(TinyTraining tiny, String run, int microBatches) {
    tiny.objective = new Dying(microBatches);
    assertThatThrownBy(() -> tiny.run(run)).hasMessageContaining("lights went out");
    tiny.objective = new Dying(Integer.MAX_VALUE);
  }

  /** 23 rows in micro-batches of 2 are 12 of them: steps of 5, 5 and 2. */
  @Test
  void resumingGivesTheBitsOfARunThatNothingStopped() throws IOException {
    TinyTraining tiny =
        tiny("lora").with("trainable", "lora").with("max-steps", 20).with("save-steps", 5);
    tiny.spelt().with("eval-steps", 4).with("train-tokens", "A");
    tiny.eval = Optional.of(new TinyTraining.RandomRows(5, 9));
    tiny.objective = new Dying(Integer.MAX_VALUE);
    tiny.run("whole");
    interrupted(tiny, "cut", 50);
    assertThat(tiny.checkpoints("cut")).containsExactly("checkpoint-10", "checkpoint-5");
    interrupted(tiny, "cut", 1);
    TinyTraining.TinySummary summary = tiny.run("cut");
    assertThat(summary.figures()).containsEntry("steps", 20L);
    same(tiny, "whole", "cut");
    assertThat(tiny.metrics("cut")).doesNotHaveDuplicates();
  }

  /**
   * Token 2 is "#", token 32 "A"; the rows of an untied model's head go with those of its
   * embedding.
   */
  @Test
  void rowsOfTokensAreTrainedAndGoOnWithTheirAdapter() throws IOException {
    TinyTraining tiny = tiny("llama-gqa42-untied-bias").spelt().with("trainable", "lora");
    tiny.with("max-steps", 2).with("train-tokens", "A,#").run("one");
    AdapterFiles.Adapter one = AdapterFiles.read(tiny.output("one"));
    String rows = "model.embed_tokens.token_adapter.trainable_tokens_delta";
    try (var own = one.weights()) {
      assertThat(one.config().tokens())
          .containsEntry("lm_head", List.of(2, 32))
          .containsEntry("model.embed_tokens", List.of(2, 32));
      assertThat(own.read(rows)).isNotEqualTo(rowsOf(tiny, "model.embed_tokens.weight"));
    }
    tiny.with("adapter", tiny.output("one")).with("learning-rate", 0).run("still");
    AdapterFiles.Adapter still = AdapterFiles.read(tiny.output("still"));
    try (var own = AdapterFiles.read(tiny.output("one")).weights();
        var other = still.weights()) {
      for (String name : own.weights().keySet()) {
        assertThat(other.read(name)).as(name).isEqualTo(own.read(name));
      }
    }
    assertThatThrownBy(() -> tiny.with("train-tokens", "A").run("other"))
        .hasMessageContaining("has rows of the tokens [#, A], and here those of [A] are trained")
        .hasMessageContaining("give --train-tokens with the adapter's");
    tiny.values.remove("train-tokens");
    assertThatThrownBy(() -> tiny.run("none")).hasMessageContaining("here those of [] are trained");
  }

  private static float[] rowsOf(TinyTraining tiny, String matrix) throws IOException {
    try (ModelFiles files = ModelFiles.open(Path.of(tiny.values.get("model")))) {
      int width = files.config().hiddenSize();
      float[] rows = new float[2 * width];
      files.weights().read(matrix, 2L * width, FloatBuffer.wrap(rows, 0, width));
      files.weights().read(matrix, 32L * width, FloatBuffer.wrap(rows, width, width));
      return rows;
    }
  }

  @Test
  void tokensThatCannotBeTrainedAreRefusedInWords() throws IOException {
    TinyTraining tiny = tiny("lora").spelt().with("trainable", "lora").with("max-steps", 1);
    assertThatThrownBy(() -> tiny.with("train-tokens", "A,HELLO").run("pieces"))
        .hasMessageContaining("'HELLO' is not one token")
        .hasMessageContaining("which writes it as 5 (H E L L O)");
    assertThatThrownBy(() -> tiny.with("train-tokens", "auto").run("auto"))
        .hasMessageContaining("the rows are written in none: name tokens");
    assertThatThrownBy(() -> tiny.with("trainable", "full").run("full"))
        .hasMessageContaining("--train-tokens")
        .hasMessageContaining("--trainable");
  }

  @Test
  void aDamagedCheckpointIsPassedOverAndTheEndIsTheSame() throws IOException {
    TinyTraining tiny = tiny("lora").with("max-steps", 8).with("save-steps", 2);
    tiny.run("whole");
    for (String how : List.of("truncated", "flipped")) {
      tiny.with("max-steps", 6).run(how);
      damage(tiny.output(how).resolve("checkpoint-6/parameters.f32"), how);
      tiny.forget(how);
      tiny.with("max-steps", 8).run(how);
      same(tiny, "whole", how);
    }
  }

  private static void damage(Path file, String how) throws IOException {
    try (var access = new RandomAccessFile(file.toFile(), "rw")) {
      if (how.equals("truncated")) {
        access.setLength(access.length() - 100);
        return;
      }
      access.seek(access.length() / 2);
      int old = access.read();
      access.seek(access.length() / 2);
      access.write(old ^ 1);
    }
  }

  @Test
  void refusesWhereNoCheckpointIsWholeAndNamesThem() throws IOException {
    TinyTraining tiny = tiny("lora").with("max-steps", 4).with("save-steps", 2);
    tiny.run("lost");
    damage(tiny.output("lost").resolve("checkpoint-2/first_moments.f32"), "flipped");
    Files.writeString(tiny.output("lost").resolve("checkpoint-4/manifest.json"), "{\"format\": 1");
    tiny.forget("lost");
    assertThatThrownBy(() -> tiny.run("lost"))
        .hasMessageContaining("is whole")
        .hasMessageContaining("checkpoint-2: first_moments.f32 has another CRC-32C")
        .hasMessageContaining("checkpoint-4");
  }

  @Test
  void refusesACheckpointOfOtherOptionsAndSaysWhich() throws IOException {
    TinyTraining tiny = tiny("lora").with("max-steps", 4).with("save-steps", 2);
    tiny.run("changed");
    tiny.forget("changed");
    tiny.with("batch-size", 3).with("weight-decay", 0.1);
    assertThatThrownBy(() -> tiny.run("changed"))
        .hasMessageContaining("--batch-size was 2, now 3")
        .hasMessageContaining("--weight-decay was 0.0, now 0.1");
  }

  /** As where a version wrote the checkpoint that had no such option. */
  @Test
  void anOptionThatACheckpointDoesNotNameHadItsDefault() throws IOException {
    TinyTraining tiny = tiny("lora").with("max-steps", 2);
    tiny.run("old");
    Path manifest = tiny.output("old").resolve("checkpoint-2/manifest.json");
    String written = Files.readString(manifest);
    String old = written.replaceAll("\"max-grad-norm\" : \"[^\"]*\",", "");
    assertThat(old).isNotEqualTo(written);
    Files.writeString(manifest, old);
    tiny.forget("old");
    assertThat(tiny.with("max-steps", 3).run("old").figures()).containsEntry("steps", 3L);
    Files.writeString(manifest, old);
    Files.delete(tiny.output("old").resolve("checkpoint-3/manifest.json"));
    tiny.forget("old");
    tiny.with("max-grad-norm", 0.5);
    assertThatThrownBy(() -> tiny.run("old"))
        .hasMessageContaining("--max-grad-norm was 1.0, now 0.5");
  }

  @Test
  void moreStepsGoOnFromTheLastCheckpoint() throws IOException {
    TinyTraining tiny = tiny("lora").with("max-steps", 6);
    tiny.run("long");
    tiny.with("max-steps", 3).run("longer");
    tiny.forget("longer");
    tiny.with("max-steps", 6).run("longer");
    same(tiny, "long", "longer");
  }

  /** Rates by the formula of transformers' cosine schedule. */
  @Test
  void aPlanSaysWhatBecomesOfTheRateWhereARunIsMadeLonger() throws IOException {
    TinyTraining tiny = tiny("lora").with("max-steps", 10).with("lr-schedule", "cosine");
    tiny.with("learning-rate", 1e-3).with("warmup-steps", 0).run("cosine");
    tiny.with("max-steps", 20).with("dry-run", true);
    Map<String, Number> plan = tiny.run("cosine").figures();
    assertThat(plan).containsEntry("steps_taken", 10L).containsEntry("total_steps", 20L);
    assertThat(plan.get("next_learning_rate").doubleValue()).isCloseTo(5e-4, within(1e-12));
    var state = new TrainingState(10, 0, 0, 10, 0, -1, 0, false);
    var now = new Schedule(Schedule.Kind.COSINE, 1e-3, 0, 20, 0);
    assertThat(TrainingLoop.longer(now, 0, state))
        .hasValue(
            "The schedule is made anew for 20 steps, and was for 10: the rate was 2.447174e-05 at"
                + " the last step and is 5.000000e-04 at the next, a jump upwards");
    assertThat(TrainingLoop.longer(now, 0, state.planned(20))).isEmpty();
  }

  /** DiLoCo. One worker, one outer step of rate 1 without momentum: where its own steps end. */
  @Test
  void stepsOnItsOwnOfOneWorkerEndWhereStepsTogetherDo() throws IOException {
    TinyTraining tiny = tiny("lora").with("trainable", "lora").with("max-steps", 6);
    tiny.run("together");
    tiny.with("local-steps", 3).with("outer-learning-rate", 1).with("outer-momentum", 0);
    tiny.run("alone");
    double[] together = weights(tiny, "together");
    double[] alone = weights(tiny, "alone");
    for (int i = 0; i < together.length; i++) {
      // began - (began - ended) is ended, up to rounding.
      assertThat(alone[i]).isCloseTo(together[i], within(1e-6));
    }
    assertThat(tiny.metrics("alone"))
        .contains("3 inner_moments_rebuilt 0.0", "6 inner_moments_rebuilt 0.0");
  }

  @Test
  void workersOnTheirOwnLearnAndMeetAndSayWhatAResumedRunLost() throws IOException {
    TinyTraining tiny = tiny("lora").with("max-steps", 12).with("workers", 2);
    tiny.with("local-steps", 3).with("save-steps", 3);
    tiny.eval = Optional.of(tiny.rows);
    tiny.run("local");
    List<String> metrics = tiny.metrics("local");
    assertThat(value(metrics, "12 eval_loss")).isLessThan(value(metrics, "1 loss"));
    assertThat(tiny.checkpoints("local")).containsExactly("checkpoint-12", "checkpoint-9");
    tiny.forget("local");
    tiny.with("max-steps", 15).run("local");
    assertThat(tiny.metrics("local")).contains("15 inner_moments_rebuilt 2.0");
  }

  private static double[] weights(TinyTraining tiny, String run) throws IOException {
    try (var adapter = AdapterFiles.read(tiny.output(run)).weights()) {
      return adapter.weights().keySet().stream()
          .flatMapToDouble(
              name -> {
                try {
                  float[] values = adapter.read(name);
                  return IntStream.range(0, values.length).mapToDouble(i -> values[i]);
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              })
          .toArray();
    }
  }

  /** The held-out rows are other text: what is learned makes them worse. */
  @Test
  void anEarlyStopCountsAcrossTriesAndKeepsTheBestWeights() throws IOException {
    TinyTraining tiny =
        tiny("lora").with("max-steps", 60).with("learning-rate", 0.01).with("eval-steps", 1);
    tiny.with("save-steps", 1).with("save-total-limit", 1).with("early-stop", 3);
    tiny.eval = Optional.of(new TinyTraining.RandomRows(6, 77));
    tiny.objective = new Dying(Integer.MAX_VALUE);
    TinyTraining.TinySummary whole = tiny.run("whole");
    long steps = whole.figures().get("steps").longValue();
    long best = whole.figures().get("best_step").longValue();
    assertThat(best).isGreaterThan(4);
    assertThat(steps).isLessThan(60).isEqualTo(best + 3);
    for (int i = 0; i < 3; i++) {
      interrupted(tiny, "cut", 9);
    }
    assertThat(tiny.run("cut").figures())
        .containsEntry("steps", steps)
        .containsEntry("best_step", best);
    same(tiny, "whole", "cut");
    assertThat(tiny.checkpoints("cut"))
        .containsExactlyInAnyOrder("checkpoint-" + best, "checkpoint-" + steps);
    tiny.forget("cut");
    assertThat(tiny.with("max-steps", 90).run("cut").figures()).containsEntry("steps", steps);
  }

  @Test
  void whatCannotBeTrainedIsRefusedInWords() throws IOException {
    assertThatThrownBy(() -> tiny("lora").with("early-stop", 2).run("blind"))
        .hasMessageContaining("--early-stop need rows to evaluate on")
        .hasMessageContaining("give --eval-input");
    assertThatThrownBy(() -> tiny("lora").with("trainable", "head").run("head"))
        .hasMessageContaining("The output head of this model is its token embedding");
    assertThatThrownBy(() -> tiny("gpt2").with("trainable", "lora").run("targets"))
        .hasMessageContaining("The model has no linear layer called q_proj to adapt");
    TinyTraining empty = tiny("lora");
    empty.rows = new TinyTraining.RandomRows(0, 1);
    assertThatThrownBy(() -> empty.run("empty")).hasMessageContaining("no row to train on");
  }

  @Test
  void aLossThatIsNotFiniteNamesItsRowsAndKeepsTheCheckpoint() throws IOException {
    TinyTraining tiny = tiny("lora").with("max-steps", 9).with("save-steps", 1);
    tiny.with("learning-rate", "1e30").with("max-grad-norm", 0).with("shuffle", false);
    tiny.with("warmup-steps", 1);
    assertThatThrownBy(() -> tiny.run("nan"))
        .hasMessageContaining("not finite")
        .hasMessageContaining("[20, 21, 22]");
    assertThat(tiny.checkpoints("nan")).contains("checkpoint-2");
  }

  @Test
  void metricsHaveHuggingFacesNamesAndLayersTheirNorms() throws IOException {
    TinyTraining tiny = tiny("lora").with("max-steps", 10).with("learning-rate", 0.01);
    tiny.eval = Optional.of(tiny.rows);
    TinyTraining.TinySummary summary = tiny.run("named");
    List<String> metrics = tiny.metrics("named");
    assertThat(metrics)
        .filteredOn(row -> row.startsWith("1 "))
        .extracting(row -> row.split(" ")[1])
        .containsExactly(
            "entropy",
            "epoch",
            "grad_norm",
            "learning_rate",
            "loss",
            "mean_token_accuracy",
            "num_tokens");
    assertThat(metrics)
        .filteredOn(row -> row.startsWith("10 "))
        .extracting(row -> row.split(" ")[1])
        .contains("eval_loss", "eval_entropy", "grad_norm/layer_1", "update_ratio/layer_0");
    // Warm-up of 3 % of 10 steps is one, at rate 0.
    assertThat(metrics).contains("1 learning_rate 0.0", "2 learning_rate 0.01");
    long tokens = 0;
    for (long row = 0; row < 23; row++) {
      tokens += tiny.rows.row(row).ids().length;
    }
    assertThat(metrics).contains("3 num_tokens " + (double) tokens, "3 epoch 1.0");
    assertThat(summary.figures().get("eval_loss").doubleValue())
        .isLessThan(value(metrics, "1 loss"));
  }

  private static double value(List<String> metrics, String name) {
    return metrics.stream()
        .filter(row -> row.startsWith(name + " "))
        .mapToDouble(row -> Double.parseDouble(row.split(" ")[2]))
        .findFirst()
        .orElseThrow();
  }
}
