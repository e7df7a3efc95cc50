package dev.distillery.training.rollout;

import dev.distillery.core.run.Progress;
import dev.distillery.model.tokenizer.Tokenizer;
import dev.distillery.model.train.AdamW;
import dev.distillery.training.run.Engine;
import dev.distillery.training.run.FrozenModel;
import dev.distillery.training.run.OutputFolder;
import dev.distillery.training.run.StepMethod;
import dev.distillery.training.run.StepPlan;
import dev.distillery.training.run.Stepper;
import java.io.IOException;
import java.util.Optional;

/**
 * Updates of PPO and its kin as the steps of a training run.
 *
 * @param valueModel reward model that a value network begins from; empty for a head on the policy
 * @param prompts that answers are sampled to; none yet of a plan
 * @param held prompts that are only evaluated on
 * @param ptx texts that are learned beside
 * @param tokenizer of the policy, for answers as text
 */
public record PolicyMethod(
    Settings settings,
    PolicyObjective objective,
    Optional<FrozenModel> valueModel,
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

  /**
   * Sampling and what policy and reference say are a forward pass each, a third; so is what a value
   * network says, which is taken to be as large as the policy.
   */
  @Override
  public double passes() {
    double network = valueModel.isPresent() ? settings.epochs() + 1 / 3.0 : 0;
    return settings.epochs() + 1.0 + network;
  }

  @Override
  public boolean valueHead() {
    return objective.hasValues() && valueModel.isEmpty();
  }

  @Override
  public Stepper open(StepPlan plan, Engine engine, AdamW.Options optimizer, OutputFolder folder)
      throws IOException {
    return new PolicyStepper(this, plan, engine, optimizer, folder);
  }
}
