package dev.distillery.jobs.dpo;

import dev.distillery.model.train.PreferenceLoss.Pair;
import dev.distillery.training.run.MicroBatch;
import dev.distillery.training.tokens.TokenSequence;
import java.util.ArrayList;
import java.util.List;

/**
 * A row of one comparison as this job's figures have it: the better document, the other, the margin
 * that nobody asks for here, then, where there is a reference, its summed log-probabilities of the
 * two answers, by document.
 */
final class PairRows {
  private static final int CHOSEN = 0;
  private static final int REJECTED = 1;
  private static final int MARGIN = 2;
  private static final int REFERENCE = 3;
  private static final int SIZE = 5;

  private PairRows() {}

  /**
   * The figures of a row whose reference is known.
   *
   * @param row of two documents, as token tables of preferences have it
   * @param logProbs of the answers, by document
   */
  static float[] figures(TokenSequence row, double[] logProbs) {
    float[] figures = new float[SIZE];
    figures[CHOSEN] = row.figures()[CHOSEN];
    figures[REJECTED] = row.figures()[REJECTED];
    figures[MARGIN] = row.figures()[MARGIN];
    figures[REFERENCE] = (float) logProbs[0];
    figures[REFERENCE + 1] = (float) logProbs[1];
    return figures;
  }

  /** The pairs of a micro-batch, among the sequences of its documents. */
  static List<Pair> pairs(MicroBatch batch) {
    List<Pair> pairs = new ArrayList<>();
    int first = 0;
    for (TokenSequence row : batch.rows()) {
      float[] figures = row.figures();
      int chosen = (int) figures[CHOSEN];
      int rejected = (int) figures[REJECTED];
      boolean reference = figures.length == SIZE;
      pairs.add(
          new Pair(
              first + chosen,
              first + rejected,
              reference ? figures[REFERENCE + chosen] : 0,
              reference ? figures[REFERENCE + rejected] : 0));
      first += row.starts().length;
    }
    return pairs;
  }
}
