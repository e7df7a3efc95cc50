package dev.distillery.model.train;

/**
 * Sums over trained targets, of which a step's or an evaluation's metrics are made. Sums of
 * micro-batches are added in any grouping; what is a mean is taken last.
 *
 * @param loss minus the weighted log-probabilities
 * @param weight the weights
 * @param tokens how many targets of a weight over 0 there are
 * @param correct of those, how many were the most likely token
 * @param entropy of what stood before each of those, in nats
 */
public record TokenSums(double loss, double weight, long tokens, long correct, double entropy) {
  /** Of nothing. */
  public static final TokenSums NONE = new TokenSums(0, 0, 0, 0, 0);

  /** Of some rows of the targets. */
  static TokenSums of(TokenScores scores, Targets targets, int[] rows) {
    double[] logProbs = scores.logProbs();
    double[] entropies = scores.entropies();
    boolean[] best = scores.mostLikely();
    double loss = 0;
    double weight = 0;
    double entropy = 0;
    long correct = 0;
    for (int i = 0; i < rows.length; i++) {
      float w = targets.weights()[rows[i]];
      loss -= w * logProbs[i];
      weight += w;
      entropy += entropies[i];
      correct += best[i] ? 1 : 0;
    }
    return new TokenSums(loss, weight, rows.length, correct, entropy);
  }

  /** These and others. */
  public TokenSums plus(TokenSums other) {
    return new TokenSums(
        loss + other.loss,
        weight + other.weight,
        tokens + other.tokens,
        correct + other.correct,
        entropy + other.entropy);
  }

  /** The weighted mean of minus the log-probabilities; 0 of nothing. */
  public double meanLoss() {
    return weight == 0 ? 0 : loss / weight;
  }

  /** The share of targets that were the most likely token; 0 of nothing. TRL's metric. */
  public double meanTokenAccuracy() {
    return tokens == 0 ? 0 : (double) correct / tokens;
  }

  /** The mean entropy in nats; 0 of nothing. */
  public double meanEntropy() {
    return tokens == 0 ? 0 : entropy / tokens;
  }

  /** e to the mean loss. */
  public double perplexity() {
    return Math.exp(meanLoss());
  }
}
