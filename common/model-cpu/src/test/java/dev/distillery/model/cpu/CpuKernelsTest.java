package dev.distillery.model.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.distillery.core.random.CounterRandom;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.nn.Batch;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.DecoderLayout;
import dev.distillery.model.nn.Dropout;
import dev.distillery.model.nn.KernelSets;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.Parameters;
import dev.distillery.model.nn.PortableKernels;
import dev.distillery.model.nn.Tensor;
import dev.distillery.model.nn.Weights;
import dev.distillery.model.train.AdamW;
import dev.distillery.model.train.NextTokenLoss;
import dev.distillery.model.train.Schedule;
import dev.distillery.model.train.Targets;
import dev.distillery.model.train.Trainer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Test;

class CpuKernelsTest {
  private static final ModelConfig CONFIG =
      ModelConfig.llama()
          .vocabSize(301)
          .hiddenSize(72)
          .intermediateSize(100)
          .layers(2)
          .heads(6)
          .kvHeads(2)
          .maxPositions(512)
          .build();

  /** What two training steps leave: both losses and all parameters. */
  private record Outcome(double first, double second, float[] parameters) {}

  private static int[] tokens(int count, int key) {
    int[] tokens = new int[count];
    Arrays.setAll(tokens, i -> (int) (CounterRandom.uniformDouble(key, i) * 301));
    return tokens;
  }

  private static Outcome train(Kernels kernels, boolean recompute) {
    try (kernels;
        Parameters parameters =
            Parameters.allocate(kernels, DecoderLayout.slots(CONFIG), slot -> true);
        Decoder decoder = new Decoder(CONFIG, kernels, parameters, Optional.empty(), recompute);
        NextTokenLoss loss = new NextTokenLoss(decoder);
        AdamW optimizer = new AdamW(kernels, parameters.trainable(), AdamW.Options.defaults());
        Trainer trainer =
            new Trainer(decoder, optimizer, new Schedule(Schedule.Kind.CONSTANT, 1e-3, 0, 1, 0))) {
      Weights.initialise(parameters.trainable(), CONFIG, 4);
      Batch one = Batch.of(List.of(tokens(300, 1), tokens(40, 2)), new long[] {1, 2});
      Batch two = Batch.of(List.of(tokens(17, 3), tokens(1, 4)), new long[] {3, 4});
      double[] losses = new double[2];
      for (int step = 0; step < 2; step++) {
        Dropout dropout = new Dropout(0.1, 0, step);
        losses[step] =
            trainer
                .step(
                    List.of(
                        loss.objective(one, Targets.next(one), 355, dropout),
                        loss.objective(two, Targets.next(two), 355, dropout)))
                .loss();
      }
      float[] values = new float[(int) parameters.trainable().size()];
      parameters.trainable().read(0, values, values.length);
      return new Outcome(losses[0], losses[1], values);
    }
  }

  @Test
  void longSequencesWithDropoutTrainAsOnThePortableKernels() {
    Outcome fused = train(new CpuKernels(2), false);
    Outcome portable = train(new PortableKernels(), false);
    assertThat(fused.first).isCloseTo(portable.first, within(1e-5));
    assertThat(fused.second).isCloseTo(portable.second, within(1e-4));
  }

  @Test
  void threadsAndRecomputationDoNotChangeABit() {
    Outcome reference = train(new CpuKernels(1), false);
    for (Outcome other :
        List.of(
            train(new CpuKernels(2), false),
            train(new CpuKernels(3), false),
            train(new CpuKernels(2), true))) {
      assertThat(other.first).isEqualTo(reference.first);
      assertThat(Arrays.equals(other.parameters, reference.parameters)).isTrue();
    }
  }

  /** Large enough to be cut between threads, by rows and by columns. */
  @Test
  void threadsDoNotChangeABitOfAProduct() {
    int[][] shapes = {{512, 576, 960}, {1537, 200, 384}, {70, 576, 4099}, {17, 640, 9000}};
    for (int[] shape : shapes) {
      float[] alone = product(1, shape[0], shape[1], shape[2]);
      for (int threads : new int[] {2, 3, 5, 8}) {
        assertThat(Arrays.equals(product(threads, shape[0], shape[1], shape[2]), alone))
            .as("%d threads, %s", threads, Arrays.toString(shape))
            .isTrue();
      }
    }
  }

  private static float[] product(int threads, int m, int k, int n) {
    try (CpuKernels kernels = new CpuKernels(threads)) {
      Tensor a = kernels.tensor(m, k);
      Tensor b = kernels.tensor(n, k);
      Tensor c = kernels.tensor(m, n);
      for (Tensor t : List.of(a, b)) {
        float[] values = new float[(int) t.size()];
        for (int i = 0; i < values.length; i++) {
          values[i] = CounterRandom.uniform(t.rows(), i) - 0.5f;
        }
        t.write(values);
      }
      kernels.matmul(c, a, false, b, true, 1, 0);
      float[] result = c.toArray();
      List.of(a, b, c).forEach(t -> t.memory().close());
      return result;
    }
  }

  @Test
  void exponentialsAreRightToTwoUnitsInTheLastPlace() {
    float[] lanes = new float[Lanes.WIDTH];
    for (float x = -87; x < 88; x += 0.037f) {
      Lanes.exp(FloatVector.broadcast(Lanes.FLOATS, x)).intoArray(lanes, 0);
      assertThat((double) lanes[0]).isCloseTo(Math.exp(x), within(2.4e-7 * Math.exp(x)));
    }
  }

  @Test
  void sumsOfSquaresAreTakenInDouble() {
    try (CpuKernels kernels = new CpuKernels(2)) {
      Tensor values = kernels.tensor(1, 1_000_003);
      kernels.fill(values, 0.1f);
      double expected = 1_000_003 * (double) 0.1f * 0.1f;
      Tensor sum = kernels.tensor(1, 1);
      kernels.sumOfSquares(sum, values);
      assertThat((double) sum.toArray()[0]).isCloseTo(expected, within(1e-6 * expected));
      sum.memory().close();
      values.memory().close();
    }
  }

  @Test
  void theFusedKernelsAreChosenWhereTheyCanRun() {
    try (Kernels kernels = KernelSets.create(2)) {
      assertThat(kernels).isInstanceOf(CpuKernels.class);
      assertThat(kernels.describe()).contains("2 threads").contains("GFLOP/s");
    }
  }
}
