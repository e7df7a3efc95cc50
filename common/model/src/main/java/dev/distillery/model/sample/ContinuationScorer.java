package dev.distillery.model.sample;

import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.Ids;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.KeyValueCache;
import dev.distillery.model.nn.PackedWeights;
import dev.distillery.model.nn.Tensor;
import dev.distillery.model.nn.Workspace;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Log-probabilities of given tokens. Where context and continuation are longer than the model's
 * context, the left is cut, as in lm-evaluation-harness.
 */
public final class ContinuationScorer implements AutoCloseable {
  private static final int CHUNK = 256;

  /** Contexts that begin alike are computed in such pieces, so that a piece is of use again. */
  private static final int PIECE = 64;

  /** New tokens up to which it is quicker to read the packed weights than to multiply whole. */
  private static final int FEW = 8;

  private final Decoder decoder;
  private final Kernels kernels;
  private final PackedWeights weights;
  private final Workspace workspace;
  private @Nullable KeyValueCache held;
  private int[] heldTokens = new int[0];

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

  /**
   * Scores several continuations of one context, which is computed once; what it has in common with
   * the context before, in whole pieces of 64 tokens, is not computed again. The same call gives
   * the same bits, whatever was scored before.
   *
   * @param context at least one token
   * @param continuations at least one token each; with the context at most one token more than the
   *     model's context
   */
  public List<Score> scoreEach(int[] context, List<int[]> continuations) {
    int longest = continuations.stream().mapToInt(each -> each.length).max().orElse(0);
    int shortest = continuations.stream().mapToInt(each -> each.length).min().orElse(0);
    int limit = decoder.config().maxPositions();
    if (context.length == 0 || shortest == 0 || context.length + longest - 1 > limit) {
      throw new IllegalArgumentException(
          "Scoring needs a context and continuations of 1 to %d tokens in all: %d and %d to %d"
              .formatted(limit + 1, context.length, shortest, longest));
    }
    KeyValueCache cache = roomFor(context.length + longest - 1);
    Tensor last = read(cache, context);
    Tensor next = workspace.get("next", 1, decoder.config().vocabSize());
    decoder.logits(next, last, weights);
    List<Score> scores = new ArrayList<>();
    for (int[] continuation : continuations) {
      double[] logProbs = new double[continuation.length];
      boolean greedy = score(next, continuation, 0, 1, logProbs);
      if (continuation.length > 1) {
        int[] read = Arrays.copyOf(continuation, continuation.length - 1);
        Tensor hidden = extend(cache, read);
        greedy &= score(hidden, continuation, 1, logProbs);
        cache.cut(0, context.length);
      }
      scores.add(new Score(logProbs, greedy));
    }
    return scores;
  }

  /** Reads a context on top of what it has in common with the one that the cache holds. */
  private Tensor read(KeyValueCache cache, int[] context) {
    int common = Arrays.mismatch(heldTokens, context);
    int kept = common < 0 ? context.length : common;
    kept = Math.min(kept, context.length - 1) / PIECE * PIECE;
    cache.cut(0, kept);
    heldTokens = new int[0];
    Tensor last = null;
    for (int at = kept; at < context.length; at += PIECE) {
      int count = Math.min(PIECE, context.length - at);
      Tensor hidden = extend(cache, Arrays.copyOfRange(context, at, at + count));
      last = hidden.rows(count - 1, 1);
    }
    heldTokens = context.clone();
    return Objects.requireNonNull(last);
  }

  private Tensor extend(KeyValueCache cache, int[] tokens) {
    boolean packed = decoder.generatesOnly() || tokens.length <= FEW;
    return decoder.extend(cache, new int[] {0}, new int[][] {tokens}, packed ? weights : null);
  }

  private KeyValueCache roomFor(int tokens) {
    KeyValueCache now = held;
    if (now == null || now.capacity() < tokens) {
      free();
      int more = (tokens + CHUNK - 1) / CHUNK * CHUNK;
      now = decoder.cache(1, more);
      held = now;
    }
    return now;
  }

  private void free() {
    KeyValueCache now = held;
    if (now != null) {
      now.close();
    }
    held = null;
    heldTokens = new int[0];
  }

  private boolean score(Tensor hidden, int[] continuation, int into, double[] logProbs) {
    boolean greedy = true;
    int part = 64;
    for (int from = 0; from < hidden.rows(); from += part) {
      int count = Math.min(part, hidden.rows() - from);
      Tensor logits = workspace.get("logits", count, decoder.config().vocabSize());
      decoder.logits(logits, hidden.rows(from, count), weights);
      greedy &= score(logits, continuation, into + from, count, logProbs);
    }
    return greedy;
  }

  /** Says of each row of logits what it gives its token. */
  private boolean score(Tensor logits, int[] continuation, int from, int count, double[] logProbs) {
    Tensor scores = workspace.get("scores", count, Kernels.SCORE_COLUMNS);
    try (Ids ids = kernels.ids(Arrays.copyOfRange(continuation, from, from + count))) {
      kernels.logProbs(scores, logits, ids);
    }
    System.arraycopy(scores.column(0), 0, logProbs, from, count);
    return Arrays.stream(scores.column(2)).allMatch(best -> best == 1);
  }

  @Override
  public void close() {
    free();
    workspace.close();
    if (!decoder.generatesOnly()) {
      weights.close();
    }
  }
}
