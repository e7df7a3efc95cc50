package dev.distillery.model.train;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Sums over the pairs of direct preference optimisation. A reward is beta (pi - ref) of an answer;
 * with SimPO, which has no ref, pi is a mean over the answer's tokens, as TRL has it.
 *
 * @param loss over pairs
 * @param pairs how many there are
 * @param chosenReward over pairs
 * @param rejectedReward over pairs
 * @param correct pairs whose chosen answer has the higher reward
 * @param chosenLogProb over pairs, of the chosen answer's tokens
 * @param rejectedLogProb over pairs, of the other's
 */
public record PreferenceSums(
    double loss,
    double pairs,
    double chosenReward,
    double rejectedReward,
    double correct,
    double chosenLogProb,
    double rejectedLogProb) {
  /** How many numbers it is. */
  private static final int SIZE = 7;

  static PreferenceSums of(
      PreferenceLoss.Answer[] answers,
      List<PreferenceLoss.Pair> pairs,
      PreferenceLoss.Options options) {
    double[] sums = new double[SIZE];
    for (PreferenceLoss.Pair pair : pairs) {
      double chosen = logProb(answers[pair.chosen()], options);
      double rejected = logProb(answers[pair.rejected()], options);
      double chosenReward = options.beta() * (chosen - pair.refChosen());
      double rejectedReward = options.beta() * (rejected - pair.refRejected());
      sums[0] += PreferenceLoss.loss(answers, pair, options);
      sums[1]++;
      sums[2] += chosenReward;
      sums[3] += rejectedReward;
      sums[4] += chosenReward > rejectedReward ? 1 : 0;
      sums[5] += chosen;
      sums[6] += rejected;
    }
    return ofArray(sums);
  }

  private static double logProb(PreferenceLoss.Answer answer, PreferenceLoss.Options options) {
    return options.kind().hasReference()
        ? answer.logProb()
        : PreferenceLoss.difference(answer, 0, options.kind());
  }

  /** The numbers in the order of the components. */
  public double[] toArray() {
    return new double[] {
      loss, pairs, chosenReward, rejectedReward, correct, chosenLogProb, rejectedLogProb
    };
  }

  /** Of what {@link #toArray} gave, or a sum of that. */
  public static PreferenceSums ofArray(double[] sums) {
    if (sums.length != SIZE) {
      throw new IllegalArgumentException(
          "The sums are %s numbers, found %s".formatted(SIZE, sums.length));
    }
    return new PreferenceSums(sums[0], sums[1], sums[2], sums[3], sums[4], sums[5], sums[6]);
  }

  /** By TRL's names; means over pairs. */
  public Map<String, Double> metrics() {
    Map<String, Double> metrics = new LinkedHashMap<>();
    metrics.put("loss", mean(loss));
    metrics.put("rewards/chosen", mean(chosenReward));
    metrics.put("rewards/rejected", mean(rejectedReward));
    metrics.put("rewards/accuracies", mean(correct));
    metrics.put("rewards/margins", mean(chosenReward) - mean(rejectedReward));
    metrics.put("logps/chosen", mean(chosenLogProb));
    metrics.put("logps/rejected", mean(rejectedLogProb));
    return metrics;
  }

  private double mean(double sum) {
    return pairs == 0 ? 0 : sum / pairs;
  }
}
