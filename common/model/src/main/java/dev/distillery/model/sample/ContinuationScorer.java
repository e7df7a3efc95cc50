package dev.distillery.model.sample;

import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.Ids;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.KeyValueCache;
import dev.distillery.model.nn.PackedWeights;
import dev.distillery.model.nn.Tensor;
import dev.distillery.model.nn.Workspace;
import java.util.Arrays;

/**
 * Log-probabilities of given tokens. Where context and continuation are longer than the model's
 * context, the left is cut, as in lm-evaluation-harness.
 */
public final class ContinuationScorer implements AutoCloseable {
  private static final int CHUNK = 256;

  private final Decoder decoder;
  private final Kernels kernels;
  private final PackedWeights weights;
  private final Workspace workspace;

  /**
   * What a continuation got.
   *
   * @param logProbs of each of its tokens, natural logarithm
   * @param greedy whether each of them was the most likely one
   */
  @SuppressWarnings("ArrayRecordComponent") // Built once and only read.
  public record Score(double[] logProbs, boolean greedy) {
    /** The log-probability of the whole continuation. */
    public double sum() {
      return Arrays.stream(logProbs).sum();
    }
  }

  /** A scorer on the decoder's weights as they are now. */
  public ContinuationScorer(Decoder decoder) {
    this.decoder = decoder;
    this.kernels = decoder.kernels();
    this.weights = decoder.pack();
    this.workspace = new Workspace(kernels);
  }

  /**
   * Scores a continuation.
   *
   * @param context at least one token; where a text has none, the model's BOS or EOS stands in
   * @param continuation at least one token, and no more than the model's context
   */
  public Score score(int[] context, int[] continuation) {
    int limit = decoder.config().maxPositions();
    if (context.length == 0 || continuation.length == 0 || continuation.length > limit) {
      throw new IllegalArgumentException(
          "Scoring needs a context and a continuation of 1 to %d tokens: %d and %d"
              .formatted(limit, context.length, continuation.length));
    }
    int[] whole = Arrays.copyOf(context, context.length + continuation.length);
    System.arraycopy(continuation, 0, whole, context.length, continuation.length);
    int from = Math.max(0, whole.length - (limit + 1));
    int[] input = Arrays.copyOfRange(whole, from, whole.length - 1);
    double[] logProbs = new double[continuation.length];
    boolean greedy = true;
    try (KeyValueCache cache = decoder.cache(1, input.length)) {
      for (int at = 0; at < input.length; at += CHUNK) {
        int count = Math.min(CHUNK, input.length - at);
        int[][] tokens = {Arrays.copyOfRange(input, at, at + count)};
        Tensor hidden =
            decoder.extend(cache, new int[] {0}, tokens, decoder.generatesOnly() ? weights : null);
        int first = Math.max(at, input.length - continuation.length);
        if (first < at + count) {
          Tensor rows = hidden.rows(first - at, at + count - first);
          int into = first - (input.length - continuation.length);
          greedy &= score(rows, continuation, into, logProbs);
        }
      }
    }
    return new Score(logProbs, greedy);
  }

  private boolean score(Tensor hidden, int[] continuation, int into, double[] logProbs) {
    boolean greedy = true;
    int part = 64;
    for (int from = 0; from < hidden.rows(); from += part) {
      int count = Math.min(part, hidden.rows() - from);
      Tensor logits = workspace.get("logits", count, decoder.config().vocabSize());
      decoder.logits(logits, hidden.rows(from, count), weights);
      int[] targets = Arrays.copyOfRange(continuation, into + from, into + from + count);
      Tensor scores = workspace.get("scores", count, Kernels.SCORE_COLUMNS);
      try (Ids ids = kernels.ids(targets)) {
        kernels.logProbs(scores, logits, ids);
      }
      System.arraycopy(scores.column(0), 0, logProbs, into + from, count);
      greedy &= Arrays.stream(scores.column(2)).allMatch(best -> best == 1);
    }
    return greedy;
  }

  @Override
  public void close() {
    workspace.close();
    if (!decoder.generatesOnly()) {
      weights.close();
    }
  }
}
