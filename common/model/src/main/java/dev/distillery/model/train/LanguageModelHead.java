package dev.distillery.model.train;

import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.Gradients;
import dev.distillery.model.nn.Ids;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.Tensor;
import dev.distillery.model.nn.Workspace;
import java.util.Arrays;

/**
 * Log-probabilities of given tokens, and their gradient, over chunks of rows: the logits of a whole
 * batch never lie in memory at once, and rows without a target cost nothing.
 */
public final class LanguageModelHead implements AutoCloseable {
  /** Logits in memory at once: 64 MiB of them. */
  private static final int CHUNK_VALUES = 1 << 24;

  private final Decoder decoder;
  private final Kernels kernels;
  private final Workspace workspace;
  private final int vocabulary;

  /** The head of a decoder that has one. */
  public LanguageModelHead(Decoder decoder) {
    this.decoder = decoder;
    this.kernels = decoder.kernels();
    this.workspace = new Workspace(kernels);
    this.vocabulary = decoder.config().vocabSize();
  }

  /**
   * What the model says of a target for some rows.
   *
   * @param hidden what the decoder's forward pass returned
   * @param rows rows of hidden
   * @param targets a token for each of them
   * @return valid until the next call
   */
  public TokenScores logProbs(Tensor hidden, int[] rows, int[] targets) {
    Tensor scores = workspace.get("scores", rows.length, Kernels.SCORE_COLUMNS);
    forEachChunk(
        rows,
        (from, count) -> {
          try (Ids own = kernels.ids(Arrays.copyOfRange(targets, from, from + count))) {
            Tensor logits = logits(hidden, rows, from, count);
            kernels.logProbs(scores.rows(from, count), logits, own);
          }
        });
    return new TokenScores(scores);
  }

  /**
   * The gradient of sum_i weights[i] logProbs[i]: sets dHidden, all rows, and adds to the head.
   *
   * @return what {@link #logProbs} returns
   */
  public TokenScores backward(
      Tensor dHidden,
      Tensor hidden,
      int[] rows,
      int[] targets,
      double[] weights,
      Gradients gradients) {
    Tensor scores = workspace.get("scores", rows.length, Kernels.SCORE_COLUMNS);
    backward(
        dHidden,
        hidden,
        rows,
        gradients,
        (logits, from) -> {
          int to = from + logits.rows();
          try (Ids own = kernels.ids(Arrays.copyOfRange(targets, from, to))) {
            kernels.logProbsBackward(
                scores.rows(from, logits.rows()),
                logits,
                own,
                Arrays.copyOfRange(weights, from, to));
          }
        });
    return new TokenScores(scores);
  }

  /** A loss over a run of rows. */
  interface LogitsLoss {
    /**
     * Overwrites logits with the loss' gradient.
     *
     * @param logits [count, vocabulary]
     * @param from index of the first of them among the rows
     */
    void backward(Tensor logits, int from);
  }

  /** The gradient of any loss of the logits: sets dHidden, all rows, and adds to the head. */
  void backward(Tensor dHidden, Tensor hidden, int[] rows, Gradients gradients, LogitsLoss loss) {
    kernels.fill(dHidden, 0);
    forEachChunk(
        rows,
        (from, count) -> {
          try (Ids own = kernels.ids(Arrays.copyOfRange(rows, from, from + count))) {
            Tensor chosen = gather(hidden, own);
            Tensor logits = logits(chosen);
            loss.backward(logits, from);
            Tensor dChosen = workspace.get("dChosen", count, hidden.columns());
            decoder.logitsBackward(dChosen, logits, chosen, gradients);
            kernels.scatterAdd(dHidden, own, dChosen);
          }
        });
  }

  /** Something done with the logits of each run of rows. */
  interface Look {
    /**
     * Looks at logits, which may be changed.
     *
     * @param logits [count, vocabulary]
     * @param from index of the first of them among the rows
     */
    void at(Tensor logits, int from);
  }

  /** The logits of some rows, chunk by chunk. */
  void forEachChunk(Tensor hidden, int[] rows, Look look) {
    forEachChunk(rows, (from, count) -> look.at(logits(hidden, rows, from, count), from));
  }

  /** Whose head it is. */
  Decoder decoder() {
    return decoder;
  }

  /** The logits of a run of rows, valid until the next call. */
  Tensor logits(Tensor hidden, int[] rows, int from, int count) {
    try (Ids own = kernels.ids(Arrays.copyOfRange(rows, from, from + count))) {
      return logits(gather(hidden, own));
    }
  }

  private interface Chunk {
    void accept(int from, int count);
  }

  private void forEachChunk(int[] rows, Chunk chunk) {
    int size = Math.max(1, CHUNK_VALUES / vocabulary);
    for (int from = 0; from < rows.length; from += size) {
      chunk.accept(from, Math.min(size, rows.length - from));
    }
  }

  private Tensor gather(Tensor hidden, Ids rows) {
    Tensor chosen = workspace.get("chosen", rows.size(), hidden.columns());
    kernels.gather(chosen, hidden, rows);
    return chosen;
  }

  private Tensor logits(Tensor hidden) {
    Tensor logits = workspace.get("logits", hidden.rows(), vocabulary);
    decoder.logits(logits, hidden);
    return logits;
  }

  @Override
  public void close() {
    workspace.close();
  }
}
