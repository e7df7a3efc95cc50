package dev.distillery.training.run;

import dev.distillery.model.train.AdamW;
import java.io.IOException;
import java.util.Optional;

/**
 * A way of taking steps that is not one gradient over some rows of a table, such as an update of
 * PPO over answers that the policy has just sampled. The run's rows are what a step begins from.
 */
public interface StepMethod {
  /** Rows that a step takes, in the run's order. */
  int rowsPerStep();

  /** Tokens that are written behind a row at most, for the plan of memory. */
  int writtenTokens();

  /** Times that a row goes into a step, each with tokens of its own behind it: answers to it. */
  int copies();

  /**
   * What a step computes over a row's tokens, where a forward and a backward pass are 1: for the
   * plan of time.
   */
  double passes();

  /** Whether the model gets a value head, trained with it. */
  boolean valueHead();

  /** A reward model that a value network of its own begins from, trained as the model is. */
  Optional<FrozenModel> valueModel();

  /**
   * The method at work.
   *
   * @param plan its order tells which rows a step begins from
   * @param folder of the run's output, for what the method writes beside checkpoints and metrics
   */
  Stepper open(StepPlan plan, Engine engine, AdamW.Options optimizer, OutputFolder folder)
      throws IOException;
}
