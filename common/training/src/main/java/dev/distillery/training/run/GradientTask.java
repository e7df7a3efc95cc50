package dev.distillery.training.run;

import dev.distillery.model.nn.Dropout;
import dev.distillery.model.nn.ParameterSpace;
import dev.distillery.model.train.GradientSum;
import dev.distillery.model.train.TreeSum;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.function.PairFlatMapFunction;
import org.apache.spark.util.CollectionAccumulator;
import scala.Tuple2;

/**
 * Computes a share of a step: the gradients of its micro-batches, summed block by block. Run again
 * it gives the same bits.
 *
 * @param computed hears how long it took
 */
record GradientTask(
    SharedPolicy.Access policies,
    Normaliser normaliser,
    Dropout dropout,
    CollectionAccumulator<TaskTime> computed)
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
    TaskTime.tell(computed, policy, start);
    for (TreeSum.Block<ParameterSpace> block : sum.blocks()) {
      PartialSum.cut(block, policies.weights().sliceValues(), parts);
    }
    for (TreeSum.Block<double[]> block : sums.blocks()) {
      parts.add(new Tuple2<>(PartialSum.OBJECTIVE, PartialSum.of(block)));
    }
    return parts.iterator();
  }
}
