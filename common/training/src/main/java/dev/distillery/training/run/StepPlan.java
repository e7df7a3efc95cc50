package dev.distillery.training.run;

import dev.distillery.core.random.CounterRandom;
import dev.distillery.model.nn.Dropout;
import dev.distillery.model.train.Schedule;
import dev.distillery.training.tokens.TokenRows;

/**
 * All that a step depends on beside the weights.
 *
 * @param rows that are trained on
 * @param residualDropout at the embedding and at each branch
 * @param adapterDropout at the input of adapters
 * @param dropoutKey of the run
 */
public record StepPlan(
    StepOrder order,
    TokenRows rows,
    TrainingObjective objective,
    Schedule schedule,
    double residualDropout,
    double adapterDropout,
    long dropoutKey) {

  /** The work of a step, counted from 0. */
  StepWork work(long step) {
    Dropout dropout =
        new Dropout(residualDropout, adapterDropout, CounterRandom.key(dropoutKey, step));
    return StepWork.of(order.microBatches(step), rows.epoch(order.epoch(step)), objective, dropout);
  }
}
