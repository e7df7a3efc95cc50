package dev.distillery.model.train;

/**
 * A teacher's most likely tokens before each target, as {@code complete --logprobs K} keeps them.
 *
 * @param ids [tokens][K]; for each of a batch's tokens the likeliest that follow it, distinct; of
 *     no meaning where the target is not trained
 * @param logProbs [tokens][K]; their natural logarithms
 */
@SuppressWarnings("ArrayRecordComponent") // Built once and only read: a copy would help nobody.
public record TopLogProbs(int[][] ids, float[][] logProbs) {
  public TopLogProbs {
    if (ids.length != logProbs.length) {
      throw new IllegalArgumentException(
          "Every token needs ids and log-probabilities: %s and %s"
              .formatted(ids.length, logProbs.length));
    }
  }
}
