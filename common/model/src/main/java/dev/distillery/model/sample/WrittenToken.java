package dev.distillery.model.sample;

/**
 * A token of a reply with the likeliest ones in its place, by the model alone: before temperature,
 * penalties and the choice.
 *
 * @param id the token that was chosen
 * @param logProb natural logarithm of its probability
 * @param topIds [K]; the likeliest first, ties to the lower id
 * @param topLogProbs [K]
 */
@SuppressWarnings("ArrayRecordComponent") // Built once and only read: a copy would help nobody.
public record WrittenToken(int id, float logProb, int[] topIds, float[] topLogProbs) {

  /**
   * The likeliest tokens of a row of logits, and one of them.
   *
   * @param logits [vocabulary]
   * @param count how many; no more than there are
   */
  static WrittenToken of(float[] logits, int id, int count) {
    int[] ids = new int[Math.min(count, logits.length)];
    int found = 0;
    double max = logits[0];
    for (int i = 0; i < logits.length; i++) {
      max = Math.max(max, logits[i]);
      if (ids.length == 0 || (found == ids.length && !(logits[i] > logits[ids[found - 1]]))) {
        continue;
      }
      int at = found < ids.length ? found++ : found - 1;
      for (; at > 0 && logits[i] > logits[ids[at - 1]]; at--) {
        ids[at] = ids[at - 1];
      }
      ids[at] = i;
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - max);
    }
    double logSum = max + Math.log(sum);
    float[] logProbs = new float[ids.length];
    for (int k = 0; k < ids.length; k++) {
      logProbs[k] = (float) (logits[ids[k]] - logSum);
    }
    return new WrittenToken(id, (float) (logits[id] - logSum), ids, logProbs);
  }
}
