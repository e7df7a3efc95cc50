package dev.distillery.jobs.ppo;

import dev.distillery.core.dialogue.TemplateOptions;
import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.Required;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.Validated;
import dev.distillery.core.run.WithBuilder;
import dev.distillery.model.rl.Algorithm;
import dev.distillery.model.rl.LengthSampler;
import dev.distillery.model.rl.MissingEnd;
import dev.distillery.training.run.StudentOptions;
import dev.distillery.training.run.TrainingOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import picocli.CommandLine.Option;

/**
 * What the ppo job can be told.
 *
 * @param run what every job can be told
 * @param training what every training job can be told; a step is an update
 * @param input rows that prompts are made of
 * @param evalInput rows whose prompts are only evaluated on
 * @param maxLength tokens of prompt and answer together at most
 * @param template chat template that dialogues are written in
 * @param templateInputs what the model's own template is told beside the dialogue
 * @param rewards what answers are rewarded for
 * @param rewardModels reward models beside
 * @param ptx texts that are learned beside
 * @param rollouts how answers are sampled
 * @param update how they are learned from
 */
@WithBuilder
public record PpoOptions(
    RunOptions run,
    TrainingOptions training,
    @Required("name a table or files of prompts")
        @Option(
            names = "--input",
            paramLabel = "REF",
            description =
                "Table, table@run_id, or files of JSONL or Parquet, whose rows are prompts. May be"
                    + " given again.")
        List<String> input,
    @Option(
            names = "--eval-input",
            paramLabel = "REF",
            description = "Rows that are only evaluated on. May be given again.")
        List<String> evalInput,
    @Bounds(atLeast = 2)
        @Option(
            names = "--max-length",
            paramLabel = "N",
            description =
                "Tokens of a row at most. Default: 1024, or the model's context where that is"
                    + " shorter.")
        Optional<Integer> maxLength,
    @Option(
            names = "--template",
            paramLabel = "NAME",
            defaultValue = "",
            description =
                "Chat template that rows are written in: chatml, smollm2, llama3, llama2, vicuna,"
                    + " koala, alpaca or stack-qa. Default: the model's own.")
        String template,
    TemplateOptions templateInputs,
    ScoringOptions rewards,
    RewardModelOptions rewardModels,
    PtxOptions ptx,
    RolloutOptions rollouts,
    UpdateOptions update)
    implements Validated {
  private static final int USUAL_LENGTH = 1024;

  private static final int USUAL_GROUP = 4;

  @Override
  public List<String> violations() {
    List<String> violations = new ArrayList<>();
    if (rewards.reward().isEmpty() && rewardModels.rewardModel().isEmpty()) {
      violations.add(
          "Option --reward: there is nothing to learn from: give NAME=WEIGHT, or --reward-model");
    }
    if (!update.algorithm().hasCritic() && generations() < 2) {
      violations.add(
          "Option --num-generations: a group of one has nothing to compare with: expected 2 or"
              + " more, found "
              + generations());
    }
    if (rollouts.rolloutBatchSize() % generations() != 0) {
      violations.add(
          "Option --rollout-batch-size: expected a multiple of --num-generations %s, found %s"
              .formatted(generations(), rollouts.rolloutBatchSize()));
    }
    if (rollouts.responseLengthFrom().orElse(0) >= rollouts.responseLength()) {
      violations.add(
          "Option --response-length-from: expected a number below --response-length %s, found %s"
              .formatted(rollouts.responseLength(), rollouts.responseLengthFrom().orElse(0)));
    }
    if (training.student().dropout() > 0) {
      violations.add("Option --dropout: a policy is sampled and trained without it: leave it out");
    }
    if (training.batch().gradientAccumulationSteps() > 1) {
      violations.add(
          "Option --gradient-accumulation-steps: an optimiser step is --mini-batch-size answers, in"
              + " micro-batches of --batch-size: leave it out");
    }
    if (training.workers().localSteps() > 1) {
      violations.add("Option --local-steps: an update is taken together: leave it out");
    }
    if (training.student().adapter().isPresent() && update.refModel().isEmpty()) {
      violations.add(
          "Option --adapter: without its adapters the policy is the base and not where training"
              + " begins: give --ref-model, or merge the adapter by the job export first");
    }
    double penalty = OptionsBinder.defaults(ScoringOptions.class).missingEosPenalty();
    if (missingEnd() == MissingEnd.OFF && rewards.missingEosPenalty() != penalty) {
      violations.add(
          "Option --missing-eos-penalty: expected only with --missing-eos replace or subtract,"
              + " found off; leave it out");
    }
    return violations;
  }

  /** What the score of an answer without an end becomes; see {@code --missing-eos}. */
  MissingEnd missingEnd() {
    return rewards.missingEos().orElse(impliedEnd(update.algorithm() == Algorithm.GRPO));
  }

  private static MissingEnd impliedEnd(boolean group) {
    return group ? MissingEnd.OFF : MissingEnd.REPLACE;
  }

  /** Recorded options, with what an algorithm implied and nobody wrote down at first. */
  static Map<String, String> settled(Map<String, String> recorded) {
    var settled = new TreeMap<>(recorded);
    boolean group = Algorithm.GRPO.name().equalsIgnoreCase(recorded.get("algorithm"));
    settled.putIfAbsent("missing-eos", impliedEnd(group).name().toLowerCase(Locale.ROOT));
    return settled;
  }

  /** Answers to each prompt. */
  int generations() {
    return rollouts.numGenerations().orElse(update.algorithm().hasCritic() ? 1 : USUAL_GROUP);
  }

  LengthSampler lengths() {
    int most = rollouts.responseLength();
    return rollouts
        .responseLengthFrom()
        .map(least -> new LengthSampler(least, most))
        .orElseGet(() -> LengthSampler.fixed(most));
  }

  /** Tokens of a prompt at most, in a model's context. */
  int promptLength(int context) {
    return length(context) - rollouts.responseLength();
  }

  /** Tokens of a row at most, in a model's context. */
  int length(int context) {
    return maxLength.orElse(Math.min(USUAL_LENGTH, context));
  }

  boolean lora() {
    return training.student().trainable() == StudentOptions.Trainable.LORA;
  }

  /** Named setters over the declared defaults. */
  public static PpoOptionsBuilder builder() {
    return PpoOptionsBuilder.builder(OptionsBinder.defaults(PpoOptions.class));
  }
}
