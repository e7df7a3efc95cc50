package dev.distillery.jobs.ppo;

import dev.distillery.core.run.OnlyWith;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.WithBuilder;
import dev.distillery.training.rollout.WeightedReward;
import java.util.List;
import picocli.CommandLine.Option;

/**
 * Reward models as rewards, beside those of --reward.
 *
 * @param rewardModel directories of reward models or of their adapters, each with its weight
 * @param rewardTemplate chat template that reward models read prompts and answers in; empty: their
 *     own
 */
@WithBuilder
public record RewardModelOptions(
    @Option(
            names = "--reward-model",
            paramLabel = "DIR[=WEIGHT]",
            description =
                "Directory of a reward model or of its adapter, as the job reward writes it, whose"
                    + " score counts beside --reward; it may have another tokenizer. May be given"
                    + " again.")
        List<String> rewardModel,
    @OnlyWith(option = "--reward-model")
        @Option(
            names = "--reward-template",
            paramLabel = "NAME",
            defaultValue = "",
            description =
                "Chat template that reward models read prompts and answers in. Default: their own.")
        String rewardTemplate) {
  /** Named setters over the declared defaults. */
  public static RewardModelOptionsBuilder builder() {
    return RewardModelOptionsBuilder.builder(OptionsBinder.defaults(RewardModelOptions.class));
  }

  /** The directories with their weights. */
  List<WeightedReward> models() {
    return rewardModel.stream().map(WeightedReward::parse).toList();
  }
}
