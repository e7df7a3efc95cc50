package dev.distillery.training.run;

import dev.distillery.model.nn.ParameterSpace;
import dev.distillery.model.train.TreeSum;
import java.io.Serializable;
import java.util.List;
import scala.Tuple2;

/**
 * A block's sum of one slice of a gradient, or of the objective's sums, on its way to the task that
 * adds the blocks of that slice; {@link TreeSum} says what level and index are.
 *
 * @param values of the slice; none where it is the objective's
 * @param sums of the objective; none where it is a slice's
 */
@SuppressWarnings("ArrayRecordComponent") // Built once and only read: a copy would help nobody.
record PartialSum(int level, int index, float[] values, double[] sums) implements Serializable {
  /** The number that stands for the objective's sums, where a slice has its own. */
  static final int OBJECTIVE = -1;

  static final double[] NO_SUMS = {};
  private static final float[] NONE = {};

  /** A block of the objective's sums. */
  static PartialSum of(TreeSum.Block<double[]> block) {
    return new PartialSum(block.level(), block.index(), NONE, block.sum());
  }

  /** A block of values, of one slice. */
  static PartialSum ofSlice(int level, int index, float[] values) {
    return new PartialSum(level, index, values, NO_SUMS);
  }

  /** Cuts a block of a gradient into slices, each with its number. */
  static void cut(
      TreeSum.Block<ParameterSpace> block,
      int sliceValues,
      List<Tuple2<Integer, PartialSum>> parts) {
    long size = block.sum().size();
    int number = 0;
    for (long at = 0; at < size; at += sliceValues) {
      float[] slice = new float[(int) Math.min(sliceValues, size - at)];
      block.sum().read(at, slice, slice.length);
      parts.add(new Tuple2<>(number++, ofSlice(block.level(), block.index(), slice)));
    }
  }
}
