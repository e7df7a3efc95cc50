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
import dev.distillery.model.train.PreferenceLoss.Kind;
import dev.distillery.model.train.PreferenceLoss.Pair;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What every kernel set must pass: thirty steps of TRL's DPOTrainer, and of its CPOTrainer with
 * SimPO's loss, on the same pairs (make_dpo_goldens.py), their losses, gradient norms, rewards and
 * accuracies.
 */
public abstract class PreferenceParity {
  private static final String MODEL = "llama-gqa31-tied";
  private static final int STEPS = 30;
  private static final int ACCUMULATION = 2;
  private static final int PAIRS = 2;
  private static final List<String> LINEARS =
      List.of("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj");

  /** The kernels under test. */
  protected abstract Kernels kernels();

  /** Two pairs as four documents, with what the reference says of them. */
  @SuppressWarnings("ArrayRecordComponent") // Built once and only read.
  private record MicroBatch(Batch batch, float[] weights, List<Pair> pairs) {}

  private static List<MicroBatch> microBatches(
      Golden golden, PreferenceLoss reference, boolean used) {
    List<int[]> documents = golden.sequences("ids", "lengths");
    List<int[]> answers = golden.sequences("weights", "lengths");
    List<MicroBatch> result = new ArrayList<>();
    for (int from = 0; from < documents.size(); from += 2 * PAIRS) {
      Batch batch = Batch.of(documents.subList(from, from + 2 * PAIRS));
      float[] weights = new float[batch.tokens()];
      int at = 0;
      for (int[] row : answers.subList(from, from + 2 * PAIRS)) {
        for (int weight : row) {
          weights[at++] = weight;
        }
      }
      double[] said = used ? reference.logProbs(batch, weights) : new double[2 * PAIRS];
      List<Pair> pairs = new ArrayList<>();
      for (int p = 0; p < PAIRS; p++) {
        pairs.add(new Pair(2 * p, 2 * p + 1, said[2 * p], said[2 * p + 1]));
      }
      result.add(new MicroBatch(batch, weights, pairs));
    }
    return result;
  }

  @ParameterizedTest
  @CsvSource({"sigmoid, SIGMOID", "ipo, IPO", "hinge, HINGE", "lora, SIGMOID", "simpo, SIMPO"})
  void stepsEqualThoseOfTrl(String run, Kind kind) {
    Golden golden = Golden.read("training", "dpo");
    ModelConfig config = Golden.config(MODEL);
    boolean adapters = run.equals("lora");
    Optional<LoraConfig> lora =
        adapters ? Optional.of(new LoraConfig(4, 8, 0, LINEARS)) : Optional.empty();
    List<Slot> slots = new ArrayList<>(DecoderLayout.slots(config));
    lora.ifPresent(l -> slots.addAll(DecoderLayout.slots(config, l)));
    try (Kernels kernels = kernels();
        Parameters parameters =
            Parameters.allocate(
                kernels, slots, slot -> !adapters || slot.name().contains("lora_"));
        Decoder decoder = new Decoder(config, kernels, parameters, lora, false);
        PreferenceLoss loss = new PreferenceLoss(decoder, options(kind));
        AdamW optimizer =
            new AdamW(
                kernels, parameters.trainable(), new AdamW.Options(0.9, 0.999, 1e-8, 0.1, 1));
        Trainer trainer =
            new Trainer(
                decoder, optimizer, new Schedule(Schedule.Kind.COSINE, 3e-3, 5, STEPS, 0))) {
      Golden.read(MODEL).load("w/", parameters);
      if (adapters) {
        golden.load("a/", parameters);
      }
      decoder.enableAdapters(false);
      List<MicroBatch> all = microBatches(golden, loss, kind.hasReference());
      decoder.enableAdapters(adapters);
      for (int step = 0; step < STEPS; step++) {
        double[] sums = new double[7];
        List<Objective> objectives = new ArrayList<>();
        for (MicroBatch m : all.subList(step * ACCUMULATION, (step + 1) * ACCUMULATION)) {
          objectives.add(
              loss.objective(
                  m.batch,
                  m.weights,
                  m.pairs,
                  ACCUMULATION * PAIRS,
                  Dropout.NONE,
                  seen -> add(sums, seen.toArray())));
        }
        Trainer.Step taken = trainer.step(objectives);
        assertThat(taken.gradNorm())
            .as("gradient norm of step " + step)
            .isCloseTo(golden.get(run + "/grad_norm")[step], within(1e-4 * (1 + taken.gradNorm())));
        int number = step;
        PreferenceSums.ofArray(sums)
            .metrics()
            .forEach(
                (name, value) ->
                    assertThat(value)
                        .as(name + " of step " + number)
                        .isCloseTo(
                            golden.get(run + "/" + name)[number],
                            within(1e-4 * (1 + Math.abs(value)))));
      }
    }
  }

  private static PreferenceLoss.Options options(Kind kind) {
    return kind == Kind.SIMPO
        ? new PreferenceLoss.Options(kind, 2, 0, 1)
        : new PreferenceLoss.Options(kind, 0.3, 0, 0);
  }

  private static void add(double[] sums, double[] more) {
    for (int i = 0; i < sums.length; i++) {
      sums[i] += more[i];
    }
  }
}
