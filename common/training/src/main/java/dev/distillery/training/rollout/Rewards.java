package dev.distillery.training.rollout;

import dev.distillery.core.run.JobException;
import java.util.ArrayList;
import java.util.List;

/** The rewards of a run: the weighted sum of several. */
public final class Rewards {
  /**
   * One of them.
   *
   * @param name in metrics
   */
  public record Part(String name, double weight, RewardFunction function) {}

  private final List<Part> parts;

  /** The rewards, at least one. */
  public Rewards(List<Part> parts) {
    if (parts.isEmpty()) {
      throw JobException.invalid("There is nothing to learn from: give --reward NAME=WEIGHT");
    }
    this.parts = List.copyOf(parts);
  }

  /**
   * What a batch was given.
   *
   * @param scores of each answer, the weighted sum; not a number where one of its parts is none
   * @param parts the numbers of each reward, unweighted
   */
  @SuppressWarnings("ArrayRecordComponent") // Built once and only read: a copy would help nobody.
  record Scored(double[] scores, List<double[]> parts) {}

  /** Names, in order. */
  List<String> names() {
    return parts.stream().map(Part::name).toList();
  }

  /**
   * Scores answers.
   *
   * @throws JobException where a function gives another number of rewards than it was asked for
   */
  Scored score(List<Sampled> answers) {
    double[] sum = new double[answers.size()];
    List<double[]> all = new ArrayList<>();
    for (Part part : parts) {
      double[] own = part.function().rewards(answers);
      if (own.length != sum.length) {
        throw JobException.invalid(
            "The reward %s was asked about %s answers and gave %s numbers"
                .formatted(part.name(), sum.length, own.length));
      }
      for (int i = 0; i < sum.length; i++) {
        sum[i] += part.weight() * own[i];
      }
      all.add(own);
    }
    for (int i = 0; i < sum.length; i++) {
      sum[i] = Double.isFinite(sum[i]) ? sum[i] : Double.NaN;
    }
    return new Scored(sum, all);
  }
}
