package dev.distillery.model.train;

import dev.distillery.model.nn.Batch;
import java.util.Arrays;

/**
 * What the rows of a batch are trained to say.
 *
 * @param ids [tokens]; the token that follows each of the batch's tokens; of no meaning where the
 *     weight is 0
 * @param weights [tokens]; what minus its log-probability counts in the loss; 0 is not trained
 */
@SuppressWarnings("ArrayRecordComponent") // Built once and only read: a copy would help nobody.
public record Targets(int[] ids, float[] weights) {
  public Targets {
    if (ids.length != weights.length) {
      throw new IllegalArgumentException(
          "Every target needs a weight: %s targets, %s weights"
              .formatted(ids.length, weights.length));
    }
    for (int i = 0; i < weights.length; i++) {
      if (!(weights[i] >= 0 && weights[i] < Float.POSITIVE_INFINITY)) {
        throw new IllegalArgumentException(
            "The weight of target %s must be a number from 0 on: %s".formatted(i, weights[i]));
      }
    }
  }

  /** Every next token of every sequence, each of weight 1. */
  public static Targets next(Batch batch) {
    float[] ones = new float[batch.tokens()];
    Arrays.fill(ones, 1);
    return next(batch, ones);
  }

  /**
   * Every next token of every sequence.
   *
   * @param tokenWeights [tokens]; what predicting each of the batch's tokens counts, as rows of a
   *     token table have it; a sequence's first token is never predicted, whatever its weight
   */
  public static Targets next(Batch batch, float[] tokenWeights) {
    if (tokenWeights.length != batch.tokens()) {
      throw new IllegalArgumentException(
          "A batch of %s tokens has %s weights".formatted(batch.tokens(), tokenWeights.length));
    }
    int[] ids = batch.nextTokens();
    float[] weights = new float[ids.length];
    for (int i = 0; i < ids.length; i++) {
      weights[i] = ids[i] < 0 ? 0 : tokenWeights[i + 1];
    }
    return new Targets(ids, weights);
  }

  /** Targets of weight 1, but those below 0, which are not trained. */
  public static Targets of(int[] ids) {
    float[] weights = new float[ids.length];
    for (int i = 0; i < ids.length; i++) {
      weights[i] = ids[i] < 0 ? 0 : 1;
    }
    return new Targets(ids, weights);
  }

  /** The sum of the weights: what a micro-batch adds to its step's normaliser. */
  public double weight() {
    double sum = 0;
    for (float weight : weights) {
      sum += weight;
    }
    return sum;
  }

  /** The rows that are trained, ascending. */
  int[] trained() {
    int count = 0;
    for (float weight : weights) {
      count += weight > 0 ? 1 : 0;
    }
    int[] rows = new int[count];
    for (int i = 0, at = 0; i < weights.length; i++) {
      if (weights[i] > 0) {
        rows[at++] = i;
      }
    }
    return rows;
  }

  /** The ids of some rows. */
  int[] ids(int[] rows) {
    int[] chosen = new int[rows.length];
    for (int i = 0; i < rows.length; i++) {
      chosen[i] = ids[rows[i]];
    }
    return chosen;
  }
}
