package dev.distillery.training.rollout;

import dev.distillery.core.random.CounterRandom;
import dev.distillery.training.run.MicroBatch;
import dev.distillery.training.run.RowOrder;
import dev.distillery.training.tokens.TokenRows;
import dev.distillery.training.tokens.TokenSequence;
import java.util.ArrayList;
import java.util.List;

/**
 * Texts whose next-token loss is added to every optimiser step: PPO-ptx (Ouyang et al. 2022,
 * equation 2). Which rows a step has follows from the seed and the step's number alone.
 *
 * @param rows of the texts
 * @param perStep rows of an optimiser step
 * @param seed of their order
 */
public record PtxRows(TokenRows rows, int perStep, long seed) {
  /** Site of the seed. */
  private static final int ORDER = 13;

  /**
   * The micro-batches of an optimiser step.
   *
   * @param number of the step, over all updates, from 0
   * @param microBatch rows that are computed at once
   */
  List<MicroBatch> microBatches(long number, int microBatch) {
    RowOrder order = new RowOrder(rows.size(), CounterRandom.key(seed, ORDER), true);
    List<MicroBatch> microBatches = new ArrayList<>();
    for (int from = 0; from < perStep; from += microBatch) {
      List<TokenSequence> some = new ArrayList<>();
      for (int i = from; i < Math.min(perStep, from + microBatch); i++) {
        long at = number * perStep + i;
        long epoch = at / rows.size();
        some.add(rows.epoch(epoch).row(order.row(epoch, at % rows.size())));
      }
      microBatches.add(new MicroBatch(some, new long[some.size()]));
    }
    return microBatches;
  }
}
