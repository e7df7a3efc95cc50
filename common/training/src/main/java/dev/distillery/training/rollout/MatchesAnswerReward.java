package dev.distillery.training.rollout;

import java.util.List;

/**
 * {@code matches-answer}: 1 where the answer is the row's own, white space around both aside, else
 * 0; not a number where the row has none.
 */
public final class MatchesAnswerReward implements RewardFunction {
  @Override
  public String name() {
    return "matches-answer";
  }

  @Override
  public double[] rewards(List<Sampled> answers) {
    return answers.stream().mapToDouble(MatchesAnswerReward::reward).toArray();
  }

  private static double reward(Sampled sampled) {
    return sampled
        .prompt()
        .reference()
        .map(wanted -> wanted.strip().equals(sampled.answer().strip()) ? 1.0 : 0.0)
        .orElse(Double.NaN);
  }
}
