package dev.distillery.training.rollout;

import dev.distillery.model.rl.Experience;
import dev.distillery.model.rl.KlController;
import dev.distillery.model.rl.LengthSampler;
import dev.distillery.model.rl.ScoreRules;
import java.util.List;

/**
 * What an update is made of.
 *
 * @param seed of rollouts and of the order of mini-batches
 * @param answers of one update, over all prompts
 * @param generations answers to each prompt
 * @param epochs passes over the answers in one update
 * @param miniBatch answers of one optimiser step
 * @param microBatch answers that are computed at once
 * @param decoded answers that are decoded together, as planned, whoever decodes them
 * @param lengths how long an answer may be
 * @param stops ids that end an answer
 * @param experience how advantages are made
 * @param rules of scores
 * @param controller of the KL coefficient; its first coefficient, target and horizon
 * @param earlyStopKl an update ends where a mini-batch's policykl is over 1.5 times this; 0: never
 * @param emaDecay of the average of the policy's weights, which is then the result; 0: none
 */
public record Settings(
    long seed,
    int answers,
    int generations,
    int epochs,
    int miniBatch,
    int microBatch,
    int decoded,
    LengthSampler lengths,
    List<Integer> stops,
    Experience.Settings experience,
    ScoreRules rules,
    Controller controller,
    double earlyStopKl,
    double emaDecay) {
  public Settings {
    stops = List.copyOf(stops);
  }

  /** A controller as it begins. */
  public record Controller(
      KlController.Kind kind, double coefficient, double target, double horizon) {
    KlController begin() {
      return new KlController(kind, coefficient, target, horizon);
    }
  }

  /** Prompts of one update. */
  int prompts() {
    return answers / generations;
  }
}
