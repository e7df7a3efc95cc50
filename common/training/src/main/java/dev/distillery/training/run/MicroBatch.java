package dev.distillery.training.run;

import dev.distillery.core.random.CounterRandom;
import dev.distillery.model.nn.Batch;
import dev.distillery.training.tokens.TokenSequence;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The unit of computation: rows that go through the student together.
 *
 * @param rows at least one
 * @param positions of the rows in their {@code TokenRows}
 */
@SuppressWarnings("ArrayRecordComponent") // Built once and only read: a copy would help nobody.
public record MicroBatch(List<TokenSequence> rows, long[] positions) implements Serializable {

  /**
   * The documents of all rows, one after the other, as the decoder takes them. A document's name
   * for random choices is its row's position and its place in the row.
   */
  public Batch documents() {
    var sequences = new ArrayList<int[]>();
    var names = new ArrayList<Long>();
    for (int r = 0; r < rows.size(); r++) {
      TokenSequence row = rows.get(r);
      for (int d = 0; d < row.starts().length; d++) {
        int end = d + 1 < row.starts().length ? row.starts()[d + 1] : row.ids().length;
        sequences.add(Arrays.copyOfRange(row.ids(), row.starts()[d], end));
        names.add(d == 0 ? positions[r] : CounterRandom.key(positions[r], d));
      }
    }
    return Batch.of(sequences, names.stream().mapToLong(Long::longValue).toArray());
  }

  /** The weights of the rows, in the order of {@link #documents}' tokens. */
  public float[] weights() {
    float[] weights = new float[tokens()];
    int at = 0;
    for (TokenSequence row : rows) {
      System.arraycopy(row.weights(), 0, weights, at, row.weights().length);
      at += row.weights().length;
    }
    return weights;
  }

  /** The classes of the rows, in their order. */
  public int[] labels() {
    return rows.stream().mapToInt(TokenSequence::label).toArray();
  }

  /** Number of tokens. */
  public int tokens() {
    return rows.stream().mapToInt(row -> row.ids().length).sum();
  }
}
