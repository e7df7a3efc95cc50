package dev.distillery.model.train;

import dev.distillery.model.nn.Batch;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.Dropout;
import dev.distillery.model.nn.Gradients;
import dev.distillery.model.nn.Tensor;
import dev.distillery.model.nn.Workspace;
import java.util.Arrays;
import java.util.function.Consumer;

/**
 * GPT-1's supervised fine-tuning (Radford et al. 2018, eq. 3 to 5): the cross-entropy of a linear
 * head on each sequence's last token, plus the next-token loss of the texts times a weight. The
 * head has no bias, as Hugging Face's sequence classifiers.
 */
public final class ClassifierLoss implements AutoCloseable {
  private final Decoder decoder;
  private final double auxWeight;
  private final SequenceHead head;
  private final LanguageModelHead languageModel;
  private final Workspace workspace;

  /**
   * What one pass saw.
   *
   * @param labels the classifier's sums, a row each
   * @param text the auxiliary loss' sums; nothing where its weight is 0
   */
  public record Sums(TokenSums labels, TokenSums text) {}

  /**
   * The loss of a decoder with a sequence head.
   *
   * @param auxWeight of the next-token loss; GPT-1's is 0.5
   * @throws IllegalArgumentException if the auxiliary loss is wanted and there is no output head
   */
  public ClassifierLoss(Decoder decoder, double auxWeight) {
    if (!(auxWeight >= 0 && auxWeight < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "The auxiliary loss' weight must be a number from 0 on: " + auxWeight);
    }
    if (auxWeight > 0 && !decoder.config().tieEmbeddings()) {
      throw new IllegalArgumentException(
          "The auxiliary next-token loss needs an output head, and this classifier has none: only"
              + " a tied embedding serves as one");
    }
    this.decoder = decoder;
    this.auxWeight = auxWeight;
    this.head = SequenceHead.score(decoder);
    this.languageModel = new LanguageModelHead(decoder);
    this.workspace = new Workspace(decoder.kernels());
  }

  /** As the other, each label and each next token of weight 1. */
  public Objective objective(
      Batch batch,
      int[] labels,
      double sequences,
      double tokens,
      Dropout dropout,
      Consumer<Sums> seen) {
    float[] ones = new float[batch.tokens()];
    Arrays.fill(ones, 1);
    return objective(batch, labels, ones, sequences, tokens, dropout, seen);
  }

  /**
   * One micro-batch.
   *
   * @param labels a class for each of the batch's sequences
   * @param weights [tokens]; what the log-probability of each token counts in the auxiliary loss;
   *     of a sequence's first token, which nothing predicts, what its label counts
   * @param sequences the sum of the labels' weights over the whole step
   * @param tokens the sum of the next tokens' weights over the whole step
   */
  public Objective objective(
      Batch batch,
      int[] labels,
      float[] weights,
      double sequences,
      double tokens,
      Dropout dropout,
      Consumer<Sums> seen) {
    check(batch, labels);
    return (d, gradients) -> {
      Tensor hidden = decoder.forward(batch, dropout);
      Tensor dHidden = workspace.get("dHidden", hidden.rows(), hidden.columns());
      TokenSums text = TokenSums.NONE;
      Targets targets = Targets.next(batch, weights);
      int[] rows = targets.trained();
      if (auxWeight > 0 && rows.length > 0) {
        text = text(dHidden, hidden, targets, rows, tokens, gradients);
      } else {
        decoder.kernels().fill(dHidden, 0);
      }
      int[] last = batch.lastTokens();
      float[] logits = head.forward(hidden, last);
      TokenSums own = labels(logits, batch, labels, weights, sequences);
      head.backward(dHidden, hidden, last, logits, gradients);
      decoder.backward(dHidden, gradients);
      seen.accept(new Sums(own, text));
      return own.loss() / sequences + (text.tokens() == 0 ? 0 : auxWeight * text.loss() / tokens);
    };
  }

  /**
   * The sums of a batch without a gradient.
   *
   * @param weights as in {@link #objective}
   */
  public Sums evaluate(Batch batch, int[] labels, float[] weights) {
    check(batch, labels);
    Tensor hidden = decoder.forward(batch, Dropout.NONE);
    Targets targets = Targets.next(batch, weights);
    int[] rows = targets.trained();
    TokenSums text =
        auxWeight > 0 && rows.length > 0
            ? TokenSums.of(languageModel.logProbs(hidden, rows, targets.ids(rows)), targets, rows)
            : TokenSums.NONE;
    return new Sums(
        labels(head.forward(hidden, batch.lastTokens()), batch, labels, weights, 1), text);
  }

  private void check(Batch batch, int[] labels) {
    int classes = decoder.config().labels();
    if (labels.length != batch.sequences()) {
      throw new IllegalArgumentException(
          "A batch of %s sequences has %s labels".formatted(batch.sequences(), labels.length));
    }
    for (int label : labels) {
      if (label < 0 || label >= classes) {
        throw new IllegalArgumentException(
            "Label %s is none of the classifier's %s classes".formatted(label, classes));
      }
    }
  }

  private TokenSums text(
      Tensor dHidden,
      Tensor hidden,
      Targets targets,
      int[] rows,
      double tokens,
      Gradients gradients) {
    int[] chosen = targets.ids(rows);
    double[] weights = new double[rows.length];
    for (int i = 0; i < rows.length; i++) {
      weights[i] = -auxWeight * targets.weights()[rows[i]] / tokens;
    }
    return TokenSums.of(
        languageModel.backward(dHidden, hidden, rows, chosen, weights, gradients), targets, rows);
  }

  /**
   * Sum of -w log softmax(z)[label]; z becomes its slope, w (softmax(z) - 1[label]) / sequences.
   */
  private TokenSums labels(
      float[] logits, Batch batch, int[] labels, float[] weights, double sequences) {
    TokenSums sums = TokenSums.NONE;
    for (int s = 0; s < labels.length; s++) {
      float weight = weights[batch.starts()[s]];
      sums = sums.plus(backward(logits, s, labels[s], weight, sequences));
    }
    return sums;
  }

  private TokenSums backward(float[] logits, int row, int label, float weight, double sequences) {
    int classes = decoder.config().labels();
    int at = row * classes;
    int best = 0;
    for (int c = 1; c < classes; c++) {
      best = logits[at + c] > logits[at + best] ? c : best;
    }
    double sum = 0;
    for (int c = 0; c < classes; c++) {
      sum += Math.exp(logits[at + c] - logits[at + best]);
    }
    double logSum = logits[at + best] + Math.log(sum);
    double loss = logSum - logits[at + label];
    double entropy = 0;
    for (int c = 0; c < classes; c++) {
      double logP = logits[at + c] - logSum;
      entropy -= Math.exp(logP) * logP;
      logits[at + c] = (float) (weight * (Math.exp(logP) - (c == label ? 1 : 0)) / sequences);
    }
    return new TokenSums(weight * loss, weight, 1, best == label ? 1 : 0, entropy);
  }

  /** The classes' probabilities of each sequence, [sequences * classes]. */
  public float[] probabilities(Batch batch) {
    float[] logits = head.forward(decoder.forward(batch, Dropout.NONE), batch.lastTokens());
    int classes = decoder.config().labels();
    for (int s = 0; s < batch.sequences(); s++) {
      double max = Double.NEGATIVE_INFINITY;
      for (int c = 0; c < classes; c++) {
        max = Math.max(max, logits[s * classes + c]);
      }
      double sum = 0;
      for (int c = 0; c < classes; c++) {
        sum += Math.exp(logits[s * classes + c] - max);
      }
      for (int c = 0; c < classes; c++) {
        logits[s * classes + c] = (float) (Math.exp(logits[s * classes + c] - max) / sum);
      }
    }
    return logits;
  }

  @Override
  public void close() {
    head.close();
    languageModel.close();
    workspace.close();
  }
}
