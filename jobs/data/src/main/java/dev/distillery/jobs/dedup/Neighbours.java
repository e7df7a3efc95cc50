package dev.distillery.jobs.dedup;

import java.io.Serializable;
import java.util.Map;
import java.util.TreeMap;

/**
 * The earliest of the earlier lists that score above the threshold with a list.
 *
 * @param ordinals their places in the order of all rows, ascending
 * @param scores their scores
 * @param cut whether there may be more, all later than the last of these
 */
@SuppressWarnings("ArrayRecordComponent") // Never compared; millions of them are shuffled.
record Neighbours(long[] ordinals, double[] scores, boolean cut) implements Serializable {

  /**
   * What two parts of the index found, together: at most {@code limit}, the earliest. A part that
   * is cut has that many, so nothing that it left out is among them.
   */
  Neighbours merge(Neighbours other, int limit) {
    Map<Long, Double> all = new TreeMap<>();
    for (int i = 0; i < ordinals.length; i++) {
      all.put(ordinals[i], scores[i]);
    }
    for (int i = 0; i < other.ordinals.length; i++) {
      all.put(other.ordinals[i], other.scores[i]);
    }
    int size = Math.min(limit, all.size());
    long[] mergedOrdinals = new long[size];
    double[] mergedScores = new double[size];
    int at = 0;
    for (Map.Entry<Long, Double> entry : all.entrySet()) {
      if (at == size) {
        break;
      }
      mergedOrdinals[at] = entry.getKey();
      mergedScores[at++] = entry.getValue();
    }
    return new Neighbours(mergedOrdinals, mergedScores, cut || other.cut || all.size() > limit);
  }
}
