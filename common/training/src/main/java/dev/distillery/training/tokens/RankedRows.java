package dev.distillery.training.tokens;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The pairs of one prompt as one row, in which an answer of several pairs stands once. */
final class RankedRows {
  private RankedRows() {}

  /**
   * One row.
   *
   * @param pairs rows of {@link PreferenceEncoder}, in order
   */
  static PackRows.Window together(List<TokenSequence> pairs) {
    List<int[]> documents = new ArrayList<>();
    List<float[]> weights = new ArrayList<>();
    float[] figures = new float[3 * pairs.size()];
    long shared = 0;
    for (int p = 0; p < pairs.size(); p++) {
      TokenSequence pair = pairs.get(p);
      for (int d = 0; d < 2; d++) {
        int from = pair.starts()[d];
        int to = d == 0 ? pair.starts()[1] : pair.ids().length;
        int[] ids = Arrays.copyOfRange(pair.ids(), from, to);
        int found = 0;
        while (found < documents.size() && !Arrays.equals(documents.get(found), ids)) {
          found++;
        }
        if (found == documents.size()) {
          documents.add(ids);
          weights.add(Arrays.copyOfRange(pair.weights(), from, to));
        } else {
          shared += ids.length;
        }
        figures[3 * p + d] = found;
      }
      figures[3 * p + 2] = pair.figures()[2];
    }
    return new PackRows.Window(List.of(join(documents, weights, figures)), 0, shared, 0);
  }

  private static TokenSequence join(List<int[]> documents, List<float[]> weights, float[] figures) {
    int total = documents.stream().mapToInt(ids -> ids.length).sum();
    int[] ids = new int[total];
    float[] all = new float[total];
    int[] starts = new int[documents.size()];
    for (int d = 0, at = 0; d < starts.length; d++) {
      starts[d] = at;
      System.arraycopy(documents.get(d), 0, ids, at, documents.get(d).length);
      System.arraycopy(weights.get(d), 0, all, at, documents.get(d).length);
      at += documents.get(d).length;
    }
    return new TokenSequence(ids, all, starts).with(figures);
  }
}
