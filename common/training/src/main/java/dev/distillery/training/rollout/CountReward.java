package dev.distillery.training.rollout;

import dev.distillery.core.run.JobException;
import java.util.List;

/** {@code count:TEXT}: how often a text occurs in the answer, occurrences apart. */
public final class CountReward implements RewardFunction {
  private final String text;

  /** Without a text yet, as providers are found. */
  public CountReward() {
    this("");
  }

  private CountReward(String text) {
    this.text = text;
  }

  @Override
  public String name() {
    return "count";
  }

  @Override
  public RewardFunction with(String argument) {
    return new CountReward(argument);
  }

  @Override
  public double[] rewards(List<Sampled> answers) {
    if (text.isEmpty()) {
      throw JobException.invalid("Option --reward: count needs a text, as in count:e=1");
    }
    return answers.stream().mapToDouble(answer -> count(answer.answer())).toArray();
  }

  private int count(String answer) {
    int count = 0;
    for (int at = answer.indexOf(text); at >= 0; at = answer.indexOf(text, at + text.length())) {
      count++;
    }
    return count;
  }
}
