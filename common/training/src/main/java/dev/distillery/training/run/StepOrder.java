package dev.distillery.training.run;

import java.util.ArrayList;
import java.util.List;

/**
 * Which rows make up which step. An epoch's rows, in its order, are cut into micro-batches and
 * these into steps; the last micro-batch and the last step of an epoch may be smaller, and none
 * crosses into the next epoch.
 *
 * @param batchSize rows of a micro-batch
 * @param accumulation micro-batches of a step
 */
public record StepOrder(RowOrder order, int batchSize, int accumulation) {

  /** Steps of one epoch. */
  public long stepsPerEpoch() {
    return ceiling(microBatchesPerEpoch(), accumulation);
  }

  private long microBatchesPerEpoch() {
    return ceiling(order.rows(), batchSize);
  }

  private static long ceiling(long a, long b) {
    return (a + b - 1) / b;
  }

  /** The epoch of a step, both counted from 0. */
  long epoch(long step) {
    return step / stepsPerEpoch();
  }

  /** The rows of each micro-batch of a step, counted from 0. */
  public List<long[]> microBatches(long step) {
    long epoch = epoch(step);
    long first = step % stepsPerEpoch() * accumulation;
    long end = Math.min(first + accumulation, microBatchesPerEpoch());
    List<long[]> result = new ArrayList<>();
    for (long m = first; m < end; m++) {
      long place = m * batchSize;
      long[] rows = new long[(int) Math.min(batchSize, order.rows() - place)];
      for (int i = 0; i < rows.length; i++) {
        rows[i] = order.row(epoch, place + i);
      }
      result.add(rows);
    }
    return result;
  }
}
