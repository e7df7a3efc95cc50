package dev.distillery.model.train;

import dev.distillery.model.nn.Batch;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.Dropout;
import dev.distillery.model.nn.Gradients;
import dev.distillery.model.nn.Tensor;
import dev.distillery.model.nn.Workspace;

/**
 * The causal language model's loss: minus the mean log-probability of the trained targets, where
 * the mean is over the targets of the whole step.
 */
public final class NextTokenLoss implements AutoCloseable {
  private final Decoder decoder;
  private final LanguageModelHead head;
  private final Workspace workspace;

  /** The loss of a decoder with a language model head. */
  public NextTokenLoss(Decoder decoder) {
    this.decoder = decoder;
    this.head = new LanguageModelHead(decoder);
    this.workspace = new Workspace(decoder.kernels());
  }

  /**
   * One micro-batch.
   *
   * @param batch its sequences
   * @param targets the token that follows each of the batch's tokens, or -1 where that is not
   *     trained; a batch without any target has loss 0
   * @param normaliser targets of the whole step
   */
  public Objective objective(Batch batch, int[] targets, long normaliser, Dropout dropout) {
    return (d, gradients) -> addGradient(batch, targets, normaliser, dropout, gradients);
  }

  private double addGradient(
      Batch batch, int[] targets, long normaliser, Dropout dropout, Gradients gradients) {
    int[] rows = trained(targets);
    if (rows.length == 0) {
      return 0;
    }
    int[] chosen = new int[rows.length];
    double[] weights = new double[rows.length];
    for (int i = 0; i < rows.length; i++) {
      chosen[i] = targets[rows[i]];
      weights[i] = -1.0 / normaliser;
    }
    Tensor hidden = decoder.forward(batch, dropout);
    Tensor dHidden = workspace.get("dHidden", hidden.rows(), hidden.columns());
    double[] logProbs = head.backward(dHidden, hidden, rows, chosen, weights, gradients);
    decoder.backward(dHidden, gradients);
    double sum = 0;
    for (double logProb : logProbs) {
      sum -= logProb;
    }
    return sum / normaliser;
  }

  /** The loss of a batch alone, without a gradient; 0 without targets. */
  public double evaluate(Batch batch, int[] targets) {
    int[] rows = trained(targets);
    if (rows.length == 0) {
      return 0;
    }
    int[] chosen = new int[rows.length];
    for (int i = 0; i < rows.length; i++) {
      chosen[i] = targets[rows[i]];
    }
    double sum = 0;
    for (double logProb : head.logProbs(decoder.forward(batch, Dropout.NONE), rows, chosen, null)) {
      sum -= logProb;
    }
    return sum / rows.length;
  }

  private static int[] trained(int[] targets) {
    int count = 0;
    for (int target : targets) {
      count += target >= 0 ? 1 : 0;
    }
    int[] rows = new int[count];
    for (int i = 0, at = 0; i < targets.length; i++) {
      if (targets[i] >= 0) {
        rows[at++] = i;
      }
    }
    return rows;
  }

  @Override
  public void close() {
    head.close();
    workspace.close();
  }
}
