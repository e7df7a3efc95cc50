package dev.distillery.training.run;

import dev.distillery.model.train.TreeSum;
import java.io.Serializable;
import java.util.Iterator;
import java.util.List;

/**
 * What one task computes of a step or an evaluation: neighbouring micro-batches.
 *
 * @param first the leaf of the tree that the first of them is
 * @param leaves of the whole tree
 */
record GradientShare(int first, int leaves, List<MicroBatch> microBatches) implements Serializable {
  /** The objective's sums over them, without a gradient. */
  Iterator<PartialSum> evaluated(Policy policy) {
    TreeSum<double[]> sums = new TreeSum<>(leaves, Engine::plus);
    for (int i = 0; i < microBatches.size(); i++) {
      sums.add(first + i, policy.computation().evaluate(microBatches.get(i)));
    }
    return sums.blocks().stream().map(PartialSum::of).iterator();
  }
}
