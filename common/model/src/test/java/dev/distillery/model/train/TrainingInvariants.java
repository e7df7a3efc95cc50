package dev.distillery.model.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.distillery.core.random.CounterRandom;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.nn.Batch;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.DecoderLayout;
import dev.distillery.model.nn.Dropout;
import dev.distillery.model.nn.Golden;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.LoraConfig;
import dev.distillery.model.nn.ParameterSpace;
import dev.distillery.model.nn.Parameters;
import dev.distillery.model.nn.Slot;
import dev.distillery.model.nn.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/**
 * What every kernel set must keep of a training step: dropout is a function of seed, row, site and
 * position, and the gradient of a step does not depend on how the step is cut.
 */
public abstract class TrainingInvariants {
  private static final ModelConfig CONFIG = Golden.config("lora");
  private static final LoraConfig LORA =
      new LoraConfig(4, 10, 0.4, List.of("q_proj", "v_proj", "o_proj", "gate_proj", "down_proj"));
  private static final Dropout DROPOUT = new Dropout(0.1, 0.4, 99);

  /** The kernels under test. */
  protected abstract Kernels kernels();

  /** Everything is trained, adapters too. */
  private record Student(
      Kernels kernels, Parameters parameters, Decoder decoder, NextTokenLoss loss, Trainer trainer)
      implements AutoCloseable {
    static Student open(Kernels kernels, boolean recompute) {
      List<Slot> slots = new ArrayList<>(DecoderLayout.slots(CONFIG));
      slots.addAll(DecoderLayout.slots(CONFIG, LORA));
      Parameters parameters = Parameters.allocate(kernels, slots, slot -> true);
      Golden golden = Golden.read("lora");
      golden.load("w/", parameters);
      golden.load("a/", parameters);
      Decoder decoder = new Decoder(CONFIG, kernels, parameters, Optional.of(LORA), recompute);
      AdamW optimizer = new AdamW(kernels, parameters.trainable(), AdamW.Options.defaults());
      Schedule still = new Schedule(Schedule.Kind.CONSTANT, 0, 0, 1, 0);
      return new Student(
          kernels,
          parameters,
          decoder,
          new NextTokenLoss(decoder),
          new Trainer(decoder, optimizer, still));
    }

    Objective objective(Batch batch, double normaliser, Dropout dropout) {
      return loss.objective(batch, Targets.next(batch), normaliser, dropout);
    }

    /** The loss, and the gradient in the order of addresses. */
    double[] gradient(Batch batch, double normaliser, Dropout dropout) {
      double value = trainer.gradient(objective(batch, normaliser, dropout), trainer.gradient());
      return with(value, flat(trainer.gradient()));
    }

    @Override
    public void close() {
      trainer.close();
      loss.close();
      decoder.close();
      parameters.close();
      kernels.close();
    }
  }

  private static float[] flat(ParameterSpace space) {
    float[] values = new float[(int) space.size()];
    space.read(0, values, values.length);
    return values;
  }

  private static double[] with(double loss, float[] gradient) {
    double[] result = new double[gradient.length + 1];
    result[0] = loss;
    for (int i = 0; i < gradient.length; i++) {
      result[i + 1] = gradient[i];
    }
    return result;
  }

  private static int[] tokens(int count, long key) {
    int[] tokens = new int[count];
    Arrays.setAll(tokens, i -> (int) (CounterRandom.uniformDouble(key, i) * CONFIG.vocabSize()));
    return tokens;
  }

  private static Batch batch(long... rows) {
    List<int[]> sequences = new ArrayList<>();
    for (long row : rows) {
      sequences.add(tokens(4 + (int) row % 7, row));
    }
    return Batch.of(sequences, rows);
  }

  @Test
  void oneKeyDropsTheSameWithAndWithoutRecomputationAndAnotherDoesNot() {
    Batch batch = batch(11, 12, 13);
    try (Student student = Student.open(kernels(), false);
        Student recomputing = Student.open(kernels(), true)) {
      double[] gradient = student.gradient(batch, 20, DROPOUT);
      assertThat(student.gradient(batch, 20, DROPOUT)).isEqualTo(gradient);
      assertThat(recomputing.gradient(batch, 20, DROPOUT)).isEqualTo(gradient);
      assertThat(student.gradient(batch, 20, new Dropout(0.1, 0.4, 100))).isNotEqualTo(gradient);
      assertThat(student.gradient(batch, 20, Dropout.NONE)).isNotEqualTo(gradient);
    }
  }

  /**
   * With one token dA = dh^T dropout(x): the column of an input that was dropped is zero, and of no
   * other.
   */
  @Test
  void theGradientOfAnAdapterHasTheMaskOfItsInput() {
    long row = 5;
    Batch batch = Batch.of(List.of(new int[] {7}), new long[] {row});
    try (Student student = Student.open(kernels(), false)) {
      Dropout dropout = new Dropout(0, 0.4, 31);
      Objective objective = student.loss.objective(batch, Targets.of(new int[] {9}), 1, dropout);
      student.trainer.gradient(objective, student.trainer.gradient());
      int dropped = 0;
      for (int layer = 0; layer < CONFIG.layers(); layer++) {
        String module = "model.layers." + layer + ".self_attn.v_proj";
        Tensor a =
            student
                .trainer
                .gradient()
                .part("base_model.model." + module + ".lora_A.weight")
                .orElseThrow();
        float[] values = a.toArray();
        long token = CounterRandom.key(CounterRandom.key(dropout.key(), row), 0);
        long key = CounterRandom.key(token, module.hashCode());
        for (int column = 0; column < a.columns(); column++) {
          boolean kept = CounterRandom.uniform(key, column) >= dropout.adapters();
          assertThat(values[column] != 0).as(module + " input " + column).isEqualTo(kept);
          dropped += kept ? 0 : 1;
        }
      }
      double expected = 0.4 * CONFIG.layers() * CONFIG.hiddenSize();
      assertThat((double) dropped).isCloseTo(expected, within(expected / 2));
    }
  }

  /** Dropout included: a row drops the same wherever it is computed. */
  @Test
  void microBatchesGiveTheGradientOfTheirWhole() {
    try (Student student = Student.open(kernels(), false)) {
      double[] whole = student.gradient(batch(21, 22, 23, 24), 30, DROPOUT);
      double[] sum = new double[whole.length];
      for (long[] part : new long[][] {{24}, {22, 21}, {23}}) {
        double[] gradient = student.gradient(batch(part), 30, DROPOUT);
        Arrays.setAll(sum, i -> sum[i] + gradient[i]);
      }
      assertThat(sum[0]).isCloseTo(whole[0], within(1e-6));
      float[] narrow = new float[sum.length];
      for (int i = 0; i < narrow.length; i++) {
        narrow[i] = (float) sum[i];
      }
      assertThat(Golden.relativeError(narrow, whole)).isLessThan(1e-6);
    }
  }

  /** The micro-batch is the unit: where one was computed does not change a bit of the sum. */
  @Test
  void aStepAddsItsMicroBatchesByOneTree() {
    List<Batch> parts = List.of(batch(31, 32), batch(33), batch(34, 35), batch(36), batch(37));
    try (Student student = Student.open(kernels(), false)) {
      List<double[]> gradients = new ArrayList<>();
      List<Objective> objectives = new ArrayList<>();
      for (Batch part : parts) {
        gradients.add(student.gradient(part, 30, DROPOUT));
        objectives.add(student.objective(part, 30, DROPOUT));
      }
      double[] sum =
          plus(
              plus(
                  plus(gradients.get(0), gradients.get(1)),
                  plus(gradients.get(2), gradients.get(3))),
              gradients.get(4));
      assertThat(student.trainer.step(objectives).loss()).isEqualTo(sum[0]);
      assertThat(with(sum[0], flat(student.trainer.gradient()))).isEqualTo(sum);
    }
  }

  /** Loss in double, gradients in float. */
  private static double[] plus(double[] a, double[] b) {
    double[] sum = new double[a.length];
    Arrays.setAll(sum, i -> i == 0 ? a[i] + b[i] : (float) a[i] + (float) b[i]);
    return sum;
  }

  /** By hand, in double, from the logits: log softmax, its entropy, and whether none is larger. */
  @Test
  void lossAndMetricsAreWeightedSumsOverTheTrainedTargets() {
    Batch batch = batch(41, 42, 43);
    float[] tokenWeights = new float[batch.tokens()];
    for (int i = 0; i < tokenWeights.length; i++) {
      tokenWeights[i] = i % 3 == 0 ? 0 : i % 3 == 1 ? 1 : 0.25f;
    }
    Targets targets = Targets.next(batch, tokenWeights);
    try (Student student = Student.open(kernels(), false)) {
      Tensor logits = student.kernels.tensor(batch.tokens(), CONFIG.vocabSize());
      student.decoder.logits(logits, student.decoder.forward(batch, Dropout.NONE));
      // One target is made the most likely token, so that there is something correct.
      int hit = targets.trained()[2];
      targets.ids()[hit] = mostLikely(logits.rows(hit, 1).toArray());
      TokenSums expected = TokenSums.NONE;
      for (int row : targets.trained()) {
        expected =
            expected.plus(
                byHand(logits.rows(row, 1).toArray(), targets.ids()[row], targets.weights()[row]));
      }
      logits.memory().close();
      assertThat(expected.correct()).isPositive();
      assertSums(student.loss.evaluate(batch, targets), expected);
      List<TokenSums> seen = new ArrayList<>();
      double value =
          student.trainer.gradient(
              student.loss.objective(batch, targets, 7, Dropout.NONE, seen::add),
              student.trainer.gradient());
      assertSums(seen.get(0), expected);
      assertThat(value).isCloseTo(expected.loss() / 7, within(1e-6));
    }
  }

  private static int mostLikely(float[] logits) {
    int best = 0;
    for (int i = 0; i < logits.length; i++) {
      best = logits[i] > logits[best] ? i : best;
    }
    return best;
  }

  private static TokenSums byHand(float[] logits, int target, double weight) {
    double max = logits[mostLikely(logits)];
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - max);
    }
    double entropy = 0;
    for (float logit : logits) {
      double logP = logit - max - Math.log(sum);
      entropy -= Math.exp(logP) * logP;
    }
    double loss = -weight * (logits[target] - max - Math.log(sum));
    return new TokenSums(loss, weight, 1, logits[target] == (float) max ? 1 : 0, entropy);
  }

  private static void assertSums(TokenSums sums, TokenSums expected) {
    assertThat(sums.loss()).isCloseTo(expected.loss(), within(2e-5));
    assertThat(sums.weight()).isEqualTo(expected.weight());
    assertThat(sums.tokens()).isEqualTo(expected.tokens());
    assertThat(sums.correct()).isEqualTo(expected.correct());
    assertThat(sums.entropy()).isCloseTo(expected.entropy(), within(2e-5));
  }

  /** Gradients are linear in the weights: those of each target alone add up. */
  @Test
  void aTargetsGradientIsMultipliedByItsWeight() {
    Batch batch = batch(51);
    float[] weights = new float[batch.tokens()];
    weights[1] = 0.5f;
    weights[3] = 2;
    try (Student student = Student.open(kernels(), false)) {
      double[] whole = weighted(student, batch, weights);
      double[] sum = new double[whole.length];
      for (int at : new int[] {1, 3}) {
        float[] alone = new float[weights.length];
        alone[at] = 1;
        double[] part = weighted(student, batch, alone);
        Arrays.setAll(sum, i -> sum[i] + weights[at] * part[i]);
      }
      float[] narrow = new float[sum.length];
      for (int i = 0; i < narrow.length; i++) {
        narrow[i] = (float) sum[i];
      }
      assertThat(Golden.relativeError(narrow, whole)).isLessThan(1e-6);
    }
  }

  private static double[] weighted(Student student, Batch batch, float[] weights) {
    Objective objective =
        student.loss.objective(batch, Targets.next(batch, weights), 3, Dropout.NONE);
    double value = student.trainer.gradient(objective, student.trainer.gradient());
    return with(value, flat(student.trainer.gradient()));
  }

  @Test
  void targetsThatCannotBeAreRefused() {
    Batch batch = batch(61);
    assertThatThrownBy(() -> new Targets(new int[2], new float[] {1, -1}))
        .hasMessage("The weight of target 1 must be a number from 0 on: -1.0");
    try (Student student = Student.open(kernels(), false)) {
      Targets few = new Targets(new int[1], new float[1]);
      assertThatThrownBy(() -> student.loss.evaluate(batch, few))
          .hasMessageContaining("has 1 targets");
      assertThatThrownBy(() -> student.loss.objective(batch, Targets.next(batch), 0, Dropout.NONE))
          .hasMessageContaining("normaliser must be over 0");
    }
  }
}
