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
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Log-probabilities of given tokens. Where context and continuation are longer than the model's
 * context, the left is cut, as in lm-evaluation-harness.
 */
public final class ContinuationScorer implements AutoCloseable {
  /** Tokens that go through the model at once. */
  private static final int CHUNK = 256;

  /** Continuations that go through the model at once, and bytes of their keys and values. */
  private static final int MOST = 8;

  private static final long MOST_BYTES = 1L << 29;

  /** Rows of logits at once. */
  private static final int LOGITS = 64;

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
          "Scoring needs a context and a continuation of 1 to %s tokens: %s and %s"
              .formatted(limit, context.length, continuation.length));
    }
    int[] whole = Arrays.copyOf(context, context.length + continuation.length);
    System.arraycopy(continuation, 0, whole, context.length, continuation.length);
    int from = Math.max(0, whole.length - (limit + 1));
    int[] input = Arrays.copyOfRange(whole, from, whole.length - 1);
    Tensor hidden = workspace.get("hidden", continuation.length, decoder.config().hiddenSize());
    try (KeyValueCache cache = decoder.cache(1, input.length)) {
      for (int at = 0; at < input.length; at += CHUNK) {
        int end = Math.min(at + CHUNK, input.length);
        int[][] tokens = {Arrays.copyOfRange(input, at, end)};
        Tensor chunk = decoder.extend(cache, new int[] {0}, tokens, weights);
        int first = Math.max(at, input.length - continuation.length);
        if (first < end) {
          int into = first - (input.length - continuation.length);
          kernels.copy(hidden.rows(into, end - first), chunk.rows(first - at, end - first));
        }
      }
    }
    return rows(hidden, continuation).score(0, continuation.length);
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
          "Scoring needs a context and continuations of 1 to %s tokens in all: %s and %s to %s"
              .formatted(limit + 1, context.length, shortest, longest));
    }
    KeyValueCache cache = roomFor(context.length + longest - 1, continuations.size());
    Tensor last = read(cache, context);
    List<Score> scores = new ArrayList<>();
    while (scores.size() < continuations.size()) {
      List<int[]> left = continuations.subList(scores.size(), continuations.size());
      scores.addAll(score(cache, last, left.subList(0, together(left, cache.sequences()))));
    }
    return scores;
  }

  /** Reads a context on top of what it has in common with the one that the cache holds. */
  private Tensor read(KeyValueCache cache, int[] context) {
    int kept = PromptPieces.shared(heldTokens, context);
    heldTokens = new int[0];
    for (int s = 0; s < cache.sequences(); s++) {
      cache.cut(s, kept);
    }
    Tensor last = workspace.get("last", 1, decoder.config().hiddenSize());
    for (int at = kept; at < context.length; at += CHUNK) {
      int end = Math.min(at + CHUNK, context.length);
      int[][] pieces = PromptPieces.of(context, at, end);
      Tensor hidden = decoder.extend(cache, new int[pieces.length], pieces, weights);
      kernels.copy(last, hidden.rows(end - at - 1, 1));
    }
    heldTokens = context.clone();
    return last;
  }

  /** How many of the continuations go through the model at once. */
  private static int together(List<int[]> continuations, int sequences) {
    int count = 1;
    int tokens = continuations.get(0).length;
    while (count < Math.min(sequences, continuations.size())) {
      tokens += continuations.get(count).length;
      if (tokens > CHUNK) {
        break;
      }
      count++;
    }
    return count;
  }

  /** Scores continuations in one pass; {@code last} is what the model makes of the context. */
  private List<Score> score(KeyValueCache cache, Tensor last, List<int[]> continuations) {
    int[] targets = continuations.stream().flatMapToInt(Arrays::stream).toArray();
    Tensor hidden = workspace.get("hidden", targets.length, last.columns());
    List<int[]> read =
        continuations.stream()
            .filter(each -> each.length > 1)
            .map(each -> Arrays.copyOf(each, each.length - 1))
            .toList();
    Tensor more = read.isEmpty() ? last : extend(cache, read);
    int row = 0;
    int done = 0;
    for (int[] continuation : continuations) {
      int count = continuation.length - 1;
      kernels.copy(hidden.rows(row, 1), last);
      if (count > 0) {
        kernels.copy(hidden.rows(row + 1, count), more.rows(done, count));
      }
      row += continuation.length;
      done += count;
    }
    Rows all = rows(hidden, targets);
    List<Score> scores = new ArrayList<>();
    int from = 0;
    for (int[] continuation : continuations) {
      scores.add(all.score(from, from + continuation.length));
      from += continuation.length;
    }
    return scores;
  }

  /** What the model makes of texts behind the context, which the cache then holds as before. */
  private Tensor extend(KeyValueCache cache, List<int[]> texts) {
    int context = cache.length(0);
    int[] sequences = IntStream.range(0, texts.size()).toArray();
    for (int s = 1; s < sequences.length; s++) {
      cache.copy(0, s, cache.length(s));
    }
    Tensor hidden = decoder.extend(cache, sequences, texts.toArray(int[][]::new), weights);
    for (int s : sequences) {
      cache.cut(s, context);
    }
    return hidden;
  }

  /** Never smaller than before: contexts that take turns in size would lose what they share. */
  private KeyValueCache roomFor(int tokens, int continuations) {
    KeyValueCache now = held;
    int longest = now == null ? tokens : Math.max(tokens, now.capacity());
    int wanted = now == null ? continuations : Math.max(continuations, now.sequences());
    int capacity = (longest + CHUNK - 1) / CHUNK * CHUNK;
    long bytes =
        2L * Float.BYTES * decoder.config().layers() * decoder.config().kvWidth() * capacity;
    int sequences = (int) Math.max(1, Math.min(Math.min(MOST, wanted), MOST_BYTES / bytes));
    if (now == null || now.capacity() < tokens || now.sequences() < sequences) {
      free();
      now = decoder.cache(sequences, capacity);
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

  /** What rows give their tokens: log-probabilities, and 1 where no other is more likely. */
  @SuppressWarnings("ArrayRecordComponent") // Built once and only read.
  private record Rows(double[] logProbs, double[] best) {
    Score score(int from, int to) {
      return new Score(
          Arrays.copyOfRange(logProbs, from, to),
          Arrays.stream(best, from, to).allMatch(each -> each == 1));
    }
  }

  private Rows rows(Tensor hidden, int[] targets) {
    Rows all = new Rows(new double[targets.length], new double[targets.length]);
    for (int from = 0; from < targets.length; from += LOGITS) {
      int count = Math.min(LOGITS, targets.length - from);
      Tensor logits = workspace.get("logits", count, decoder.config().vocabSize());
      decoder.logits(logits, hidden.rows(from, count), weights);
      Tensor scores = workspace.get("scores", count, Kernels.SCORE_COLUMNS);
      try (Ids ids = kernels.ids(Arrays.copyOfRange(targets, from, from + count))) {
        kernels.logProbs(scores, logits, ids);
      }
      System.arraycopy(scores.column(0), 0, all.logProbs, from, count);
      System.arraycopy(scores.column(2), 0, all.best, from, count);
    }
    return all;
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
