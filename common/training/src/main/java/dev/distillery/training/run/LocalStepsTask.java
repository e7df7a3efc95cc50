package dev.distillery.training.run;

import dev.distillery.model.nn.Dropout;
import dev.distillery.model.train.AdamW;
import dev.distillery.model.train.TreeSum;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.function.PairFlatMapFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.CollectionAccumulator;
import scala.Tuple2;

/**
 * Takes the steps of one round that a worker takes alone, and gives where it began minus where it
 * ended; see {@link LocalSteps}.
 *
 * @param computed hears how many nanoseconds it took, by executor
 */
record LocalStepsTask(
    SharedPolicy.Access policies, AdamW.Options optimizer, CollectionAccumulator<TaskTime> computed)
    implements PairFlatMapFunction<LocalStepsTask.Share, Integer, PartialSum> {

  /** One worker's part of a step: its micro-batches, none perhaps. */
  record Step(List<MicroBatch> microBatches, Dropout dropout, double rate)
      implements Serializable {}

  /**
   * The steps of one worker.
   *
   * @param first of them, counted from 0
   */
  record Share(int worker, long first, List<Step> steps) implements Serializable {}

  @Override
  public Iterator<Tuple2<Integer, PartialSum>> call(Share share) {
    return policies.with(policy -> take(policy, share));
  }

  private Iterator<Tuple2<Integer, PartialSum>> take(Policy policy, Share share) {
    SharedPolicy.Inner inner = SharedPolicy.inner(policy, share.worker(), share.first(), optimizer);
    List<double[]> figures = new ArrayList<>();
    long start = System.nanoTime();
    for (Step step : share.steps()) {
      figures.add(step(policy, inner.optimizer(), step));
    }
    TaskTime.tell(computed, policy, start);
    SharedPolicy.keep(share.worker(), inner, share.first() + share.steps().size());
    List<Tuple2<Integer, PartialSum>> parts = new ArrayList<>();
    int number = 0;
    long at = 0;
    for (Broadcast<float[]> slice : policies.weights().slices()) {
      float[] began = slice.value();
      float[] difference = new float[began.length];
      policy.trained().read(at, difference, difference.length);
      for (int i = 0; i < difference.length; i++) {
        difference[i] = began[i] - difference[i];
      }
      at += began.length;
      parts.add(new Tuple2<>(number++, PartialSum.ofSlice(0, share.worker(), difference)));
    }
    var all = new TreeSum.Block<>(0, share.worker(), joined(inner, figures));
    parts.add(new Tuple2<>(PartialSum.OBJECTIVE, PartialSum.of(all)));
    return parts.iterator();
  }

  /** The objective's sums, the gradient's norm, and 1; zeros where there is nothing to do. */
  private double[] step(Policy policy, AdamW inner, Step step) {
    int count = step.microBatches().size();
    if (count == 0) {
      return PartialSum.NO_SUMS;
    }
    Normaliser normaliser = StepWork.normaliser(step.microBatches(), policies.objective());
    TreeSum<double[]> sums = new TreeSum<>(count, Engine::plus);
    policy.sum().begin(count);
    for (int i = 0; i < count; i++) {
      int leaf = i;
      MicroBatch batch = step.microBatches().get(i);
      policy
          .sum()
          .add(
              leaf,
              gradients ->
                  sums.add(
                      leaf,
                      policy
                          .computation()
                          .addGradient(batch, normaliser, step.dropout(), gradients)));
    }
    double norm = inner.norm(policy.sum().total());
    inner.step(policy.sum().total(), norm, step.rate());
    double[] total = sums.total().orElseThrow();
    double[] figures = Arrays.copyOf(total, total.length + 2);
    figures[total.length] = norm;
    figures[total.length + 1] = 1;
    return figures;
  }

  private static double[] joined(SharedPolicy.Inner inner, List<double[]> figures) {
    int width = figures.stream().mapToInt(step -> step.length).max().orElse(0);
    double[] joined = new double[1 + width * figures.size()];
    joined[0] = inner.rebuilt() ? 1 : 0;
    for (int k = 0; k < figures.size(); k++) {
      System.arraycopy(figures.get(k), 0, joined, 1 + k * width, figures.get(k).length);
    }
    return joined;
  }
}
