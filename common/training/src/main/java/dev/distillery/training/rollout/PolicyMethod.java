package dev.distillery.training.rollout;

import dev.distillery.core.run.Progress;
import dev.distillery.model.tokenizer.Tokenizer;
import dev.distillery.model.train.AdamW;
import dev.distillery.training.run.Engine;
import dev.distillery.training.run.OutputFolder;
import dev.distillery.training.run.StepMethod;
import dev.distillery.training.run.StepPlan;
import dev.distillery.training.run.Stepper;
import java.io.IOException;
import java.util.Optional;

/**
 * Updates of PPO and its kin as the steps of a training run.
 *
 * @param prompts that answers are sampled to; none yet of a plan
 * @param held prompts that are only evaluated on
 * @param ptx texts that are learned beside
 * @param tokenizer of the policy, for answers as text
 */
public record PolicyMethod(
    Settings settings,
    PolicyObjective objective,
    Optional<PromptTable> prompts,
    Optional<PromptTable> held,
    Optional<PtxRows> ptx,
    Rewards rewards,
    Tokenizer tokenizer,
    Progress progress)
    implements StepMethod {
  @Override
  public int rowsPerStep() {
    return settings.prompts();
  }

  @Override
  public int writtenTokens() {
    return settings.lengths().most() - 1;
  }

  @Override
  public int copies() {
    return settings.generations();
  }

  /** Sampling and what policy and reference say are a forward pass each, a third. */
  @Override
  public double passes() {
    return settings.epochs() + 1.0;
  }

  @Override
  public boolean valueHead() {
    return objective.hasValues();
  }

  @Override
  public Stepper open(StepPlan plan, Engine engine, AdamW optimizer, OutputFolder folder)
      throws IOException {
    return new PolicyStepper(this, plan, engine, optimizer, folder);
  }
}
