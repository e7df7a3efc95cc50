package dev.distillery.model.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.nn.Batch;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.DecoderLayout;
import dev.distillery.model.nn.Dropout;
import dev.distillery.model.nn.Golden;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.LoraConfig;
import dev.distillery.model.nn.Parameters;
import dev.distillery.model.nn.Slot;
import dev.distillery.model.nn.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What every kernel set must pass: the losses, gradient norms and metrics of a whole run of TRL's
 * SFTTrainer, of GPT-1's fine-tuning in torch, and of TRL's distillation losses, on the same rows.
 */
public abstract class TrainingParity {
  private static final int ACCUMULATION = 2;
  private static final List<String> LINEARS =
      List.of("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj");

  /** Whose rows are trained in the runs of PEFT's trainable tokens. */
  private static final List<Integer> TOKENS = List.of(2, 7, 30);

  /** The kernels under test. */
  protected abstract Kernels kernels();

  /** Steps of the fifty that are taken. */
  protected abstract int steps();

  /** A micro-batch as the reference had it. */
  private record MicroBatch(Batch batch, Targets targets) {}

  private static List<MicroBatch> microBatches(Golden golden) {
    List<int[]> documents = golden.sequences("ids", "lengths");
    List<int[]> weights = golden.sequences("weights", "lengths");
    List<MicroBatch> result = new ArrayList<>();
    int from = 0;
    for (double count : golden.get("counts")) {
      int to = from + (int) count;
      Batch batch = Batch.of(documents.subList(from, to));
      float[] flat = new float[batch.tokens()];
      int at = 0;
      for (int[] row : weights.subList(from, to)) {
        for (int weight : row) {
          flat[at++] = weight;
        }
      }
      result.add(new MicroBatch(batch, Targets.next(batch, flat)));
      from = to;
    }
    return result;
  }

  /** Sums of differences over the steps of a run. */
  private static final class Differences {
    private double loss;
    private double norm;
    private int steps;

    void add(Trainer.Step actual, double loss, double norm) {
      this.loss += Math.abs(actual.loss() - loss);
      this.norm += Math.abs(actual.gradNorm() - norm);
      steps++;
    }

    void check() {
      assertThat(loss / steps).as("mean difference of the losses").isLessThan(1e-4);
      assertThat(norm / steps).as("mean difference of the gradient norms").isLessThan(1e-4);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "llama-answers, llama-gqa31-tied, false",
    "gpt2-answers, gpt2, false",
    "llama-lora, llama-gqa31-tied, true",
    "llama-isolated, llama-gqa31-tied, false",
    "llama-tokens-tied, llama-gqa31-tied, true",
    "llama-tokens-untied, llama-gqa42-untied-bias, true"
  })
  void stepsEqualThoseOfSftTrainer(String run, String model, boolean adapters) {
    Golden golden = Golden.read("training", run);
    ModelConfig config = Golden.config(model);
    List<Integer> tokens = golden.names("after/").isEmpty() ? List.of() : TOKENS;
    Optional<LoraConfig> lora =
        adapters ? Optional.of(new LoraConfig(4, 8, 0, LINEARS, tokens)) : Optional.empty();
    List<Slot> slots = new ArrayList<>(DecoderLayout.slots(config));
    lora.ifPresent(l -> slots.addAll(DecoderLayout.slots(config, l)));
    try (Kernels kernels = kernels();
        Parameters parameters =
            Parameters.allocate(
                kernels, slots, slot -> !adapters || slot.name().startsWith("base_model."));
        Decoder decoder = new Decoder(config, kernels, parameters, lora, false);
        NextTokenLoss loss = new NextTokenLoss(decoder);
        AdamW optimizer =
            new AdamW(
                kernels, parameters.trainable(), new AdamW.Options(0.9, 0.999, 1e-8, 0.1, 1));
        Trainer trainer =
            new Trainer(decoder, optimizer, new Schedule(Schedule.Kind.COSINE, 5e-3, 5, 50, 0))) {
      Golden.read(model).load("w/", parameters);
      golden.load("a/", parameters);
      for (String rows : golden.names("after/")) {
        Tensor own = parameters.get(rows);
        Tensor of = parameters.get(module(rows) + ".weight");
        for (int i = 0; i < TOKENS.size(); i++) {
          own.rows(i, 1).write(of.rows(TOKENS.get(i), 1).toArray());
        }
      }
      List<MicroBatch> all = microBatches(golden);
      Differences differences = new Differences();
      for (int step = 0; step < steps(); step++) {
        List<MicroBatch> part = all.subList(step * ACCUMULATION, (step + 1) * ACCUMULATION);
        double weight = part.stream().mapToDouble(m -> m.targets.weight()).sum();
        List<TokenSums> seen = new ArrayList<>();
        List<Objective> objectives = new ArrayList<>();
        for (MicroBatch m : part) {
          objectives.add(loss.objective(m.batch, m.targets, weight, Dropout.NONE, seen::add));
        }
        Trainer.Step result = trainer.step(objectives);
        differences.add(result, golden.get("loss")[step], golden.get("grad_norm")[step]);
        assertMetrics(golden, step, seen);
      }
      differences.check();
      assertThat(golden.names("after/"))
          .allSatisfy(
              rows -> {
                float[] changed = parameters.get(rows).toArray();
                double[] begun = Golden.read(model).get("w/" + module(rows) + ".weight");
                for (int i = 0; i < changed.length; i++) {
                  int width = config.hiddenSize();
                  int at = TOKENS.get(i / width) * width + i % width;
                  assertThat(changed[i]).isNotEqualTo((float) begun[at]);
                  if (steps() == 50) {
                    assertThat((double) changed[i])
                        .isCloseTo(golden.get("after/" + rows)[i], within(1e-4));
                  }
                }
              });
    }
  }

  private static String module(String rows) {
    return rows.replaceFirst("base_model\\.model\\.(.*)\\.token_adapter.*", "$1");
  }

  /** TRL logs the mean of its micro-batches' means, not the mean over the step's tokens. */
  private static void assertMetrics(Golden golden, int step, List<TokenSums> seen) {
    double accuracy = seen.stream().mapToDouble(TokenSums::meanTokenAccuracy).average().orElse(0);
    double entropy = seen.stream().mapToDouble(TokenSums::meanEntropy).average().orElse(0);
    assertThat(accuracy)
        .as("mean_token_accuracy of step " + step)
        .isCloseTo(golden.get("mean_token_accuracy")[step], within(1e-5));
    assertThat(entropy)
        .as("entropy of step " + step)
        .isCloseTo(golden.get("entropy")[step], within(1e-3));
  }

  @Test
  void stepsOfGpt1sFineTuningEqualTorch() {
    Golden golden = Golden.read("training", "gpt2-head");
    ModelConfig config = Golden.config("gpt2").toBuilder().labels(3).build();
    try (Kernels kernels = kernels();
        Parameters parameters =
            Parameters.allocate(kernels, DecoderLayout.slots(config), slot -> true);
        Decoder decoder = new Decoder(config, kernels, parameters, Optional.empty(), false);
        ClassifierLoss loss = new ClassifierLoss(decoder, 0.5);
        AdamW optimizer =
            new AdamW(
                kernels, parameters.trainable(), new AdamW.Options(0.9, 0.999, 1e-8, 0.01, 1));
        Trainer trainer =
            new Trainer(decoder, optimizer, new Schedule(Schedule.Kind.COSINE, 5e-3, 5, 50, 0))) {
      Golden.read("gpt2").load("w/", parameters);
      double[] score = golden.get("score");
      float[] narrow = new float[score.length];
      for (int i = 0; i < narrow.length; i++) {
        narrow[i] = (float) score[i];
      }
      parameters.get("score.weight").write(narrow);
      List<MicroBatch> all = microBatches(golden);
      int[] labels = Arrays.stream(golden.get("labels")).mapToInt(l -> (int) l).toArray();
      Differences differences = new Differences();
      for (int step = 0; step < steps(); step++) {
        MicroBatch m = all.get(step);
        int[] own = {labels[2 * step], labels[2 * step + 1]};
        List<ClassifierLoss.Sums> seen = new ArrayList<>();
        Trainer.Step result =
            trainer.step(
                List.of(
                    loss.objective(m.batch, own, 2, m.targets.weight(), Dropout.NONE, seen::add)));
        differences.add(result, golden.get("loss")[step], golden.get("grad_norm")[step]);
        assertThat(seen.get(0).labels().tokens()).isEqualTo(2);
        assertThat(seen.get(0).labels().meanLoss() + 0.5 * seen.get(0).text().meanLoss())
            .isCloseTo(result.loss(), within(1e-9));
        assertThat(loss.probabilities(m.batch)).hasSize(6);
      }
      differences.check();
    }
  }

  @Test
  void divergencesFromATeacherEqualTrl() {
    Golden golden = Golden.read("training", "distillation");
    ModelConfig config = Golden.config("llama-gqa31-tied");
    MicroBatch m = microBatches(golden).get(0);
    TopLogProbs top = top(golden, m.batch);
    try (Kernels kernels = kernels();
        Parameters parameters =
            Parameters.allocate(kernels, DecoderLayout.slots(config), slot -> true);
        Parameters fixed =
            Parameters.allocate(kernels, DecoderLayout.slots(config), slot -> false);
        Decoder student = new Decoder(config, kernels, parameters, Optional.empty(), false);
        Decoder model = new Decoder(config, kernels, fixed, Optional.empty(), false);
        LanguageModelHead teacher = new LanguageModelHead(model);
        AdamW optimizer = new AdamW(kernels, parameters.trainable(), AdamW.Options.defaults());
        Trainer trainer =
            new Trainer(student, optimizer, new Schedule(Schedule.Kind.CONSTANT, 0, 0, 1, 0))) {
      Golden.read("llama-gqa31-tied").load("w/", parameters);
      Golden.read("llama3-rope").load("w/", fixed);
      for (double beta : new double[] {0, 0.3, 0.5, 1}) {
        for (String form : List.of("teacher", "tempered", "top")) {
          double temperature = form.equals("tempered") ? 2 : 1;
          DistillationLoss.Options options = new DistillationLoss.Options(beta, temperature);
          try (DistillationLoss loss = new DistillationLoss(student, options)) {
            List<TokenSums> seen = new ArrayList<>();
            double weight = m.targets.weight();
            Objective objective =
                form.equals("top")
                    ? loss.objective(m.batch, m.targets, weight, Dropout.NONE, top, seen::add)
                    : loss.objective(m.batch, m.targets, weight, Dropout.NONE, teacher, seen::add);
            double value = trainer.gradient(objective, trainer.gradient());
            double[] expected = golden.get(form + "/" + beta);
            assertThat(value).as(form + " " + beta).isCloseTo(expected[0], within(1e-5));
            assertThat(optimizer.norm(trainer.gradient()) / expected[1])
                .as("gradient norm, " + form + " " + beta)
                .isCloseTo(1, within(1e-4));
            assertThat(seen.get(0).meanLoss()).isCloseTo(value, within(1e-9));
          }
        }
      }
    }
  }

  /** The reference has rows for all tokens of a document but its last. */
  private static TopLogProbs top(Golden golden, Batch batch) {
    double[] ids = golden.get("top/ids");
    double[] logProbs = golden.get("top/logprobs");
    int[][] idRows = new int[batch.tokens()][0];
    float[][] logProbRows = new float[batch.tokens()][0];
    int at = 0;
    for (int s = 0; s < batch.sequences(); s++) {
      for (int i = 0; i < batch.counts()[s] - 1; i++) {
        int token = batch.starts()[s] + i;
        idRows[token] = new int[5];
        logProbRows[token] = new float[5];
        for (int k = 0; k < 5; k++, at++) {
          idRows[token][k] = (int) ids[at];
          logProbRows[token][k] = (float) logProbs[at];
        }
      }
    }
    return new TopLogProbs(idRows, logProbRows);
  }
}
