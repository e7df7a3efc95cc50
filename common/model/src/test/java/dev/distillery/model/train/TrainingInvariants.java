package dev.distillery.model.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.nn.Batch;
import dev.distillery.model.nn.CounterRandom;
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

    Objective objective(Batch batch, long normaliser, Dropout dropout) {
      return loss.objective(batch, batch.nextTokens(), normaliser, dropout);
    }

    /** The loss, and the gradient in the order of addresses. */
    double[] gradient(Batch batch, long normaliser, Dropout dropout) {
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
      Objective objective = student.loss.objective(batch, new int[] {9}, 1, dropout);
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
  void aStepAddsItsMicroBatchesInOrder() {
    List<Batch> parts = List.of(batch(31, 32), batch(33), batch(34, 35));
    try (Student student = Student.open(kernels(), false)) {
      float[] sum = new float[(int) student.parameters.trainable().size()];
      double loss = 0;
      List<Objective> objectives = new ArrayList<>();
      for (Batch part : parts) {
        double[] gradient = student.gradient(part, 30, DROPOUT);
        loss += gradient[0];
        for (int i = 0; i < sum.length; i++) {
          sum[i] += (float) gradient[i + 1];
        }
        objectives.add(student.objective(part, 30, DROPOUT));
      }
      assertThat(student.trainer.step(objectives).loss()).isEqualTo(loss);
      assertThat(flat(student.trainer.gradient())).isEqualTo(sum);
    }
  }
}
