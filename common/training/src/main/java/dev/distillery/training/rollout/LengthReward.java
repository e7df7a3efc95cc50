package dev.distillery.training.rollout;

import java.util.List;

/** {@code length}: the tokens of the answer, its end mark among them. */
public final class LengthReward implements RewardFunction {
  @Override
  public String name() {
    return "length";
  }

  @Override
  public double[] rewards(List<Sampled> answers) {
    return answers.stream().mapToDouble(answer -> answer.ids().length).toArray();
  }
}
