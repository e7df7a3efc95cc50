package dev.distillery.model.train;

import dev.distillery.model.nn.Batch;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.Dropout;
import dev.distillery.model.nn.Gradients;
import dev.distillery.model.nn.Tensor;
import dev.distillery.model.nn.Workspace;
import java.util.function.Consumer;

/**
 * The causal language model's loss: minus the weighted mean of the targets' log-probabilities,
 * where the mean is over the targets of the whole step: sum_i w_i (-log p_i) / sum_i w_i.
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
   * @param targets one for each of its tokens; without any of a weight over 0 the loss is 0
   * @param normaliser the sum of the weights over the whole step
   */
  public Objective objective(Batch batch, Targets targets, double normaliser, Dropout dropout) {
    return objective(batch, targets, normaliser, dropout, sums -> {});
  }

  /**
   * One micro-batch whose metrics are wanted.
   *
   * @param seen given what the pass that computes the gradient saw, before weights are moved: TRL's
   *     {@code mean_token_accuracy} and {@code entropy} at no further pass
   */
  public Objective objective(
      Batch batch, Targets targets, double normaliser, Dropout dropout, Consumer<TokenSums> seen) {
    check(batch, targets);
    if (!(normaliser > 0) && targets.weight() > 0) {
      throw new IllegalArgumentException(
          "The normaliser must be over 0, the sum of a step's weights: " + normaliser);
    }
    return (d, gradients) -> {
      TokenSums sums = addGradient(batch, targets, normaliser, dropout, gradients);
      seen.accept(sums);
      return sums.tokens() == 0 ? 0 : sums.loss() / normaliser;
    };
  }

  private TokenSums addGradient(
      Batch batch, Targets targets, double normaliser, Dropout dropout, Gradients gradients) {
    int[] rows = targets.trained();
    if (rows.length == 0) {
      return TokenSums.NONE;
    }
    double[] weights = new double[rows.length];
    for (int i = 0; i < rows.length; i++) {
      weights[i] = -targets.weights()[rows[i]] / normaliser;
    }
    Tensor hidden = decoder.forward(batch, dropout);
    Tensor dHidden = workspace.get("dHidden", hidden.rows(), hidden.columns());
    TokenScores scores =
        head.backward(dHidden, hidden, rows, targets.ids(rows), weights, gradients);
    decoder.backward(dHidden, gradients);
    return TokenSums.of(scores, targets, rows);
  }

  /** The sums of a batch without a gradient. */
  public TokenSums evaluate(Batch batch, Targets targets) {
    check(batch, targets);
    int[] rows = targets.trained();
    if (rows.length == 0) {
      return TokenSums.NONE;
    }
    Tensor hidden = decoder.forward(batch, Dropout.NONE);
    return TokenSums.of(head.logProbs(hidden, rows, targets.ids(rows)), targets, rows);
  }

  private static void check(Batch batch, Targets targets) {
    if (targets.ids().length != batch.tokens()) {
      throw new IllegalArgumentException(
          "A batch of %s tokens has %s targets".formatted(batch.tokens(), targets.ids().length));
    }
  }

  @Override
  public void close() {
    head.close();
    workspace.close();
  }
}
