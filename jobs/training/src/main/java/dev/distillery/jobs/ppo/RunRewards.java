package dev.distillery.jobs.ppo;

import dev.distillery.spark.job.JobRun;
import dev.distillery.training.rollout.ModelReward;
import dev.distillery.training.rollout.Rewards;
import dev.distillery.training.rollout.WeightedReward;
import dev.distillery.training.run.TrainingRun;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The rewards of a run.
 *
 * @param rewards all of them
 * @param models those that are models, which are freed as this is closed
 */
record RunRewards(Rewards rewards, List<ModelReward> models) implements AutoCloseable {
  RunRewards {
    models = List.copyOf(models);
  }

  /** Those that the options name; models are sent to executors, where there are any. */
  static RunRewards of(JobRun run, PpoOptions options) throws IOException {
    List<Rewards.Part> parts = new ArrayList<>();
    for (String text : options.rewards().reward()) {
      WeightedReward reward = WeightedReward.parse(text);
      parts.add(new Rewards.Part(reward.name(), reward.weight(), reward.function()));
    }
    List<ModelReward> models = new ArrayList<>();
    for (WeightedReward reward : options.rewardModels().models()) {
      ModelReward model =
          ModelReward.of(run, Path.of(reward.name()), options.rewardModels().rewardTemplate());
      models.add(model);
      parts.add(new Rewards.Part(model.name(), reward.weight(), model));
    }
    return new RunRewards(new Rewards(parts), models);
  }

  /** Bytes that the models take in each JVM, about. */
  long heldBytes() {
    return models.stream().mapToLong(ModelReward::heldBytes).sum();
  }

  /** The run, known by its reward models too. */
  TrainingRun identified(TrainingRun training) {
    TrainingRun made = training;
    for (int i = 0; i < models.size(); i++) {
      made = made.identifiedBy("reward model " + (i + 1), models.get(i).hash());
    }
    return made;
  }

  @Override
  public void close() {
    models.forEach(ModelReward::close);
  }
}
