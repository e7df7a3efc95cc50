package dev.distillery.training.tokens;

import dev.distillery.core.teacher.TokenLogprob;
import dev.distillery.model.train.TopLogProbs;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/**
 * A teacher's likeliest tokens in the places of a row, as the row's {@link TokenSequence#figures}
 * hold them: for each of its tokens in their order, how many they are, 0 where the teacher says
 * nothing; then each one's id and log-probability. So rows are joined by joining their figures.
 */
public final class TaughtTokens {
  /** Ids are exact as floats up to here; no vocabulary is as large. */
  static final int MOST_IDS = 1 << 24;

  private TaughtTokens() {}

  /**
   * The figures of a row.
   *
   * @param context tokens before those that the teacher wrote
   * @param written what the teacher wrote, each with its id and those of its likeliest ones
   */
  static float[] figures(int context, List<TokenLogprob> written) {
    List<Float> figures = new ArrayList<>();
    for (int t = 0; t < context; t++) {
      figures.add(0f);
    }
    for (TokenLogprob token : written) {
      int count = figures.size();
      figures.add(0f);
      boolean among = false;
      for (TokenLogprob.Top top : token.top()) {
        add(figures, top.id(), top.logprob());
        among |= top.id().equals(token.id());
      }
      if (!among) {
        // What was drawn beside the likeliest is known too.
        add(figures, token.id(), token.logprob());
      }
      figures.set(count, (figures.size() - count - 1) / 2f);
    }
    float[] array = new float[figures.size()];
    for (int i = 0; i < array.length; i++) {
      array[i] = figures.get(i);
    }
    return array;
  }

  private static void add(List<Float> figures, OptionalInt id, double logprob) {
    figures.add((float) id.orElseThrow());
    figures.add((float) Math.max(logprob, -Float.MAX_VALUE));
  }

  /**
   * The teacher's likeliest tokens behind each token of some rows.
   *
   * @param rows one after the other, as a batch has them
   * @throws IllegalArgumentException where a row's figures are not those of this class
   */
  public static TopLogProbs after(List<TokenSequence> rows) {
    int tokens = rows.stream().mapToInt(row -> row.ids().length).sum();
    int[][] ids = new int[tokens][0];
    float[][] logProbs = new float[tokens][0];
    int first = 0;
    for (TokenSequence row : rows) {
      float[] figures = row.figures();
      int at = 0;
      for (int t = 0; t < row.ids().length; t++) {
        int count = at < figures.length ? (int) figures[at++] : -1;
        if (count < 0 || at + 2 * count > figures.length) {
          throw new IllegalArgumentException(
              "A row of %s tokens has %s figures, which are no teacher's"
                  .formatted(row.ids().length, figures.length));
        }
        // What a teacher says in the place of a token is what follows the token before it.
        if (count > 0 && t > 0) {
          ids[first + t - 1] = new int[count];
          logProbs[first + t - 1] = new float[count];
          for (int k = 0; k < count; k++) {
            ids[first + t - 1][k] = (int) figures[at + 2 * k];
            logProbs[first + t - 1][k] = figures[at + 2 * k + 1];
          }
        }
        at += 2 * count;
      }
      first += row.ids().length;
    }
    return new TopLogProbs(ids, logProbs);
  }
}
