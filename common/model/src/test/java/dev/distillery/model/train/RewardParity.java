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
import dev.distillery.model.nn.Parameters;
import dev.distillery.model.train.RankingLoss.Pair;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What every kernel set must pass: 30 steps of a reward model as TRL's RewardTrainer takes them,
 * and of InstructGPT's K-way ranking as torch does, on the same sequences: losses, gradient norms
 * and accuracies.
 */
public abstract class RewardParity {
  private static final int STEPS = 30;

  /** The kernels under test. */
  protected abstract Kernels kernels();

  /** Steps of the thirty that are taken. */
  protected abstract int steps();

  /** A micro-batch as the reference had it. */
  private record MicroBatch(Batch batch, List<Pair> pairs) {}

  /**
   * @param ranked whether a micro-batch's pairs are those of two prompts, which count the same
   */
  private static List<MicroBatch> microBatches(Golden golden, boolean ranked) {
    List<int[]> sequences = golden.sequences("ids", "lengths");
    double[] better = golden.get("better");
    double[] other = golden.get("other");
    double[] margins = golden.get("margins");
    List<MicroBatch> result = new ArrayList<>();
    int from = 0;
    int pair = 0;
    for (int m = 0; m < golden.get("counts").length; m++) {
      int to = from + (int) golden.get("counts")[m];
      int end = pair + (int) golden.get("pairs")[m];
      List<Pair> pairs = new ArrayList<>();
      for (int p = pair; p < end; p++) {
        pairs.add(
            new Pair(
                (int) better[p],
                (int) other[p],
                margins[p],
                ranked ? 1.0 / ofPrompt(better, other, pair, end, p) : 1));
      }
      result.add(new MicroBatch(Batch.of(sequences.subList(from, to)), pairs));
      from = to;
      pair = end;
    }
    return result;
  }

  /** How many pairs the prompt of a pair has: a prompt's pairs stand together, its best first. */
  private static long ofPrompt(double[] better, double[] other, int from, int end, int pair) {
    double split = other[from];
    for (int p = from; p < end && better[p] <= split; p++) {
      split = Math.max(split, other[p]);
    }
    boolean first = better[pair] <= split;
    long count = 0;
    for (int p = from; p < end; p++) {
      count += (better[p] <= split) == first ? 1 : 0;
    }
    return count;
  }

  @ParameterizedTest
  @CsvSource({
    "reward-pairs, 2, 0, false",
    "reward-margins, 2, 0.01, false",
    "reward-ranked, 1, 0, true"
  })
  void stepsEqualThoseOfTheReference(
      String run, int accumulation, double centring, boolean ranked) {
    Golden golden = Golden.read("training", run);
    ModelConfig config = Golden.config("llama-gqa31-tied").toBuilder().labels(1).build();
    try (Kernels kernels = kernels();
        Parameters parameters =
            Parameters.allocate(kernels, DecoderLayout.slots(config), slot -> true);
        Decoder decoder = new Decoder(config, kernels, parameters, Optional.empty(), false);
        RankingLoss loss = new RankingLoss(decoder, centring);
        AdamW optimizer =
            new AdamW(
                kernels, parameters.trainable(), new AdamW.Options(0.9, 0.999, 1e-8, 0.1, 1));
        Trainer trainer =
            new Trainer(
                decoder, optimizer, new Schedule(Schedule.Kind.COSINE, 5e-3, 5, STEPS, 0))) {
      Golden.read("llama-gqa31-tied").load("w/", parameters);
      parameters.get("score.weight").write(narrow(golden.get("score")));
      List<MicroBatch> all = microBatches(golden, ranked);
      for (int step = 0; step < steps(); step++) {
        List<MicroBatch> part = all.subList(step * accumulation, (step + 1) * accumulation);
        double prompts = ranked ? 2 : part.stream().mapToInt(m -> m.pairs.size()).sum();
        List<RankingSums> seen = new ArrayList<>();
        List<Objective> objectives = new ArrayList<>();
        for (MicroBatch m : part) {
          objectives.add(loss.objective(m.batch, m.pairs, prompts, Dropout.NONE, seen::add));
        }
        Trainer.Step result = trainer.step(objectives);
        assertThat(result.loss())
            .as("loss of step " + step)
            .isCloseTo(golden.get("loss")[step], within(1e-4));
        assertThat(result.gradNorm())
            .as("gradient norm of step " + step)
            .isCloseTo(
                golden.get("grad_norm")[step],
                within(1e-4 * Math.max(1, golden.get("grad_norm")[step])));
        assertMetrics(golden, step, seen, ranked);
      }
    }
  }

  private static void assertMetrics(
      Golden golden, int step, List<RankingSums> seen, boolean ranked) {
    double[] sums = seen.get(0).toArray();
    for (RankingSums other : seen.subList(1, seen.size())) {
      for (int i = 0; i < sums.length; i++) {
        sums[i] += other.toArray()[i];
      }
    }
    Map<String, Double> metrics = RankingSums.ofArray(sums).metrics();
    List<String> names =
        ranked
            ? List.of("accuracy")
            : List.of("accuracy", "margin", "mean_reward", "min_reward", "max_reward");
    for (String name : names) {
      assertThat(metrics.get(name))
          .as(name + " of step " + step)
          .isCloseTo(golden.get(name)[step], within(1e-4));
    }
  }

  private static float[] narrow(double[] values) {
    float[] narrow = new float[values.length];
    for (int i = 0; i < narrow.length; i++) {
      narrow[i] = (float) values[i];
    }
    return narrow;
  }
}
