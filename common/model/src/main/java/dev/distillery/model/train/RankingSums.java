package dev.distillery.model.train;

import dev.distillery.model.train.RankingLoss.Pair;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Sums over pairs and scores, of which a step's or an evaluation's metrics are made. Sums of
 * micro-batches are added; what is a mean is taken last.
 *
 * @param loss weighted, over pairs
 * @param weight of the pairs: prompts
 * @param pairs how many there are
 * @param correct of those, how many chosen answers score higher
 * @param margin differences of the scores over pairs
 * @param scores how many sequences were scored
 * @param reward sum of the scores
 * @param squares sum of their squares
 * @param least sum over micro-batches of their least score
 * @param greatest sum over micro-batches of their greatest score
 * @param microBatches how many there are
 */
public record RankingSums(
    double loss,
    double weight,
    double pairs,
    double correct,
    double margin,
    double scores,
    double reward,
    double squares,
    double least,
    double greatest,
    double microBatches) {
  /** How many numbers it is. */
  private static final int SIZE = 11;

  static RankingSums of(double[] scores, List<Pair> pairs, double loss) {
    double weight = 0;
    double correct = 0;
    double margin = 0;
    for (Pair pair : pairs) {
      double difference = scores[pair.chosen()] - scores[pair.rejected()];
      weight += pair.weight();
      correct += difference > 0 ? 1 : 0;
      margin += difference;
    }
    double reward = 0;
    double squares = 0;
    double least = Double.POSITIVE_INFINITY;
    double greatest = Double.NEGATIVE_INFINITY;
    for (double score : scores) {
      reward += score;
      squares += score * score;
      least = Math.min(least, score);
      greatest = Math.max(greatest, score);
    }
    return new RankingSums(
        loss,
        weight,
        pairs.size(),
        correct,
        margin,
        scores.length,
        reward,
        squares,
        least,
        greatest,
        1);
  }

  /** The numbers in the order of the components. */
  public double[] toArray() {
    return new double[] {
      loss, weight, pairs, correct, margin, scores, reward, squares, least, greatest, microBatches
    };
  }

  /** Of what {@link #toArray} gave, or a sum of that. */
  public static RankingSums ofArray(double[] sums) {
    if (sums.length != SIZE) {
      throw new IllegalArgumentException(
          "The sums are %s numbers, found %s".formatted(SIZE, sums.length));
    }
    return new RankingSums(
        sums[0], sums[1], sums[2], sums[3], sums[4], sums[5], sums[6], sums[7], sums[8], sums[9],
        sums[10]);
  }

  /**
   * By TRL's names: {@code loss}, {@code accuracy}, {@code margin}, {@code mean_reward}, and {@code
   * min_reward} and {@code max_reward}, which are means over micro-batches of their extremes.
   */
  public Map<String, Double> metrics() {
    Map<String, Double> metrics = new LinkedHashMap<>();
    metrics.put("loss", mean(loss, weight));
    metrics.put("accuracy", mean(correct, pairs));
    metrics.put("margin", mean(margin, pairs));
    metrics.put("mean_reward", meanReward());
    metrics.put("min_reward", mean(least, microBatches));
    metrics.put("max_reward", mean(greatest, microBatches));
    return metrics;
  }

  /** The mean score; 0 of nothing. */
  public double meanReward() {
    return mean(reward, scores);
  }

  /** The standard deviation of the scores about their mean, over all of them; 0 of nothing. */
  public double deviation() {
    double mean = meanReward();
    return Math.sqrt(Math.max(0, mean(squares, scores) - mean * mean));
  }

  private static double mean(double sum, double count) {
    return count == 0 ? 0 : sum / count;
  }
}
