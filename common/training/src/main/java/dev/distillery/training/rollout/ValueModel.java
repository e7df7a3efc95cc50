package dev.distillery.training.rollout;

import dev.distillery.core.format.ModelFileException;
import dev.distillery.core.run.JobException;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.spark.job.JobRun;
import dev.distillery.training.reward.RewardModel;
import dev.distillery.training.reward.SharedReward;
import dev.distillery.training.run.FrozenModel;
import dev.distillery.training.run.MergedModel;
import dev.distillery.training.run.ResultFolder;
import dev.distillery.training.tokens.AdapterTokenizer;
import java.io.IOException;
import java.nio.file.Path;

/**
 * The reward model that a value network begins from, as InstructGPT's does: its body, and its score
 * at every token. It reads the policy's tokens as they are, and so has the same tokenizer.
 */
public final class ValueModel {
  private static final String OPTION = "--value-model";

  private ValueModel() {}

  /**
   * Refuses what cannot tell the values of a policy's tokens.
   *
   * @param model directory of a reward model or of its adapter
   * @param policy directory of the policy
   * @param template that dialogues are written in; empty for the model's own
   * @param maxLength tokens of prompt and answer at most
   * @throws JobException naming the option, the model and what is wrong
   */
  public static void check(Path model, Path policy, String template, int maxLength)
      throws IOException {
    try (ModelFiles files = ModelFiles.open(policy)) {
      var unused = RewardModel.check(model);
      Path base = RewardModel.base(model);
      AdapterTokenizer.check(model, base, template);
      FrozenModel.checkTokens(OPTION, base.toString(), files, maxLength);
    } catch (ModelFileException e) {
      throw JobException.invalid("Option " + OPTION + ": " + e.getMessage());
    }
  }

  /**
   * The model as the tasks of a session find it; an adapter is merged into its base first.
   *
   * @param output folder of the run
   */
  public static FrozenModel of(JobRun run, Path model, String policy, String output)
      throws IOException {
    Path whole = MergedModel.under(run, OPTION, model, output, ResultFolder.VALUE_BASE);
    return FrozenModel.of(run.spark().sparkContext(), OPTION, whole.toString(), policy);
  }

  /** What tells it from every other. */
  public static String hash(Path model) throws IOException {
    return SharedReward.fingerprint(model);
  }
}
