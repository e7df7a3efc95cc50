package dev.distillery.training.rollout;

import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Nearest;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A reward as {@code --reward} names it: {@code NAME=WEIGHT}, {@code NAME:ARGUMENT=WEIGHT} or
 * {@code URL=WEIGHT}; the weight is behind the last = that stands before a plain number, 1 where
 * there is none.
 *
 * @param name of a function with its argument, or a URL
 * @param weight that its numbers are multiplied by
 */
public record WeightedReward(String name, double weight) {
  private static final Pattern WEIGHT = Pattern.compile("(?s)(.+)=([+-]?\\d+(?:\\.\\d+)?)");

  /**
   * Parses what stands behind {@code --reward}.
   *
   * @throws JobException where there is no name
   */
  public static WeightedReward parse(String text) {
    Matcher matcher = WEIGHT.matcher(text);
    WeightedReward reward =
        matcher.matches()
            ? new WeightedReward(matcher.group(1), Double.parseDouble(matcher.group(2)))
            : new WeightedReward(text, 1);
    if (reward.name.isBlank() || reward.name.startsWith("=")) {
      throw JobException.invalid(
          "Option --reward: expected NAME=WEIGHT or URL=WEIGHT, found " + text);
    }
    return reward;
  }

  /** Whether it is asked over HTTP. */
  public boolean isUrl() {
    return name.startsWith("http://") || name.startsWith("https://");
  }

  /**
   * The function that is named.
   *
   * @throws JobException where there is none of that name, with the nearest one
   */
  public RewardFunction function() {
    if (isUrl()) {
      return new HttpReward(name);
    }
    int colon = name.indexOf(':');
    String own = colon < 0 ? name : name.substring(0, colon);
    TreeMap<String, RewardFunction> known = new TreeMap<>();
    for (RewardFunction function : ServiceLoader.load(RewardFunction.class)) {
      known.put(function.name(), function);
    }
    RewardFunction found = known.get(own);
    if (found == null) {
      List<String> names = new ArrayList<>(known.keySet());
      throw JobException.invalid(
          "Option --reward: no reward function is called %s; there are %s%s"
              .formatted(own, String.join(", ", names), Nearest.hint(own, names)));
    }
    return colon < 0 ? found : found.with(name.substring(colon + 1));
  }
}
