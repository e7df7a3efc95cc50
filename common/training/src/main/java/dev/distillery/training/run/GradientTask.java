package dev.distillery.training.run;

import dev.distillery.model.nn.Dropout;
import dev.distillery.model.nn.ParameterSpace;
import dev.distillery.model.train.GradientSum;
import dev.distillery.model.train.TreeSum;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.SparkEnv;
import org.apache.spark.api.java.function.PairFlatMapFunction;
import org.apache.spark.util.CollectionAccumulator;
import scala.Tuple2;

/**
 * Computes a share of a step: the gradients of its micro-batches, summed block by block. Run again
 * it gives the same bits.
 *
 * @param computed hears how many nanoseconds it took, by executor
 */
record GradientTask(
    SharedPolicy.Access policies,
    Normaliser normaliser,
    Dropout dropout,
    CollectionAccumulator<Tuple2<String, Long>> computed)
    implements PairFlatMapFunction<GradientShare, Integer, PartialSum> {

  @Override
  public Iterator<Tuple2<Integer, PartialSum>> call(GradientShare share) {
    return policies.with(policy -> parts(policy, share));
  }

  private Iterator<Tuple2<Integer, PartialSum>> parts(Policy policy, GradientShare share) {
    TreeSum<double[]> sums = new TreeSum<>(share.leaves(), Engine::plus);
    List<Tuple2<Integer, PartialSum>> parts = new ArrayList<>();
    GradientSum sum = policy.sum();
    long start = System.nanoTime();
    sum.begin(share.leaves());
    for (int i = 0; i < share.microBatches().size(); i++) {
      MicroBatch batch = share.microBatches().get(i);
      int leaf = share.first() + i;
      sum.add(
          leaf,
          gradients ->
              sums.add(
                  leaf, policy.computation().addGradient(batch, normaliser, dropout, gradients)));
    }
    tell(computed, start);
    for (TreeSum.Block<ParameterSpace> block : sum.blocks()) {
      PartialSum.cut(block, policies.weights().sliceValues(), parts);
    }
    for (TreeSum.Block<double[]> block : sums.blocks()) {
      parts.add(new Tuple2<>(PartialSum.OBJECTIVE, PartialSum.of(block)));
    }
    return parts.iterator();
  }

  /** Says how long a task has computed since it began to. */
  static void tell(CollectionAccumulator<Tuple2<String, Long>> computed, long start) {
    computed.add(new Tuple2<>(SparkEnv.get().executorId(), System.nanoTime() - start));
  }
}
