package dev.distillery.model.train;

import dev.distillery.model.nn.Batch;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.Dropout;
import dev.distillery.model.nn.Gradients;
import dev.distillery.model.nn.Tensor;
import dev.distillery.model.nn.Workspace;
import java.util.List;
import java.util.function.Consumer;

/**
 * A reward model's loss over pairs of answers (Ouyang et al. 2022, eq. 1): of a prompt's pairs P
 *
 * <pre>{@code
 * L = 1/|P| sum_(w,l) [ -log sigma(r_w - r_l - margin) + c (r_w + r_l)^2 ]
 * }</pre>
 *
 * the mean of it over the prompts of a step. An answer that stands in several pairs goes through
 * the model once. The last term centres scores around 0 (Eisenstein et al. 2023, eq. 2; TRL's
 * {@code center_rewards_coefficient}). A score is read at its sequence's last token.
 */
public final class RankingLoss implements AutoCloseable {
  private final Decoder decoder;
  private final double centring;
  private final SequenceHead head;
  private final Workspace workspace;

  /**
   * Two sequences of a batch, one better than the other.
   *
   * @param chosen index of the better one
   * @param rejected index of the other
   * @param margin by how much the scores should differ; 0 where nobody said
   * @param weight what the pair counts: 1 by the number of its prompt's pairs
   */
  public record Pair(int chosen, int rejected, double margin, double weight) {}

  /**
   * A loss over a decoder with a score head of one output.
   *
   * @param centring coefficient of the centring term; 0 for none
   * @throws IllegalArgumentException if the head has several outputs, or none
   */
  public RankingLoss(Decoder decoder, double centring) {
    if (decoder.config().labels() != 1) {
      throw new IllegalArgumentException(
          "A reward model has one score, and this model's head has %s outputs"
              .formatted(decoder.config().labels()));
    }
    if (!(centring >= 0 && centring < Double.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException(
          "The centring coefficient must be a number from 0 on: " + centring);
    }
    this.decoder = decoder;
    this.centring = centring;
    this.head = SequenceHead.score(decoder);
    this.workspace = new Workspace(decoder.kernels());
  }

  /**
   * One micro-batch.
   *
   * @param pairs of the batch's sequences
   * @param normaliser prompts of the whole step
   * @param seen given what the pass saw, before weights are moved
   */
  public Objective objective(
      Batch batch,
      List<Pair> pairs,
      double normaliser,
      Dropout dropout,
      Consumer<RankingSums> seen) {
    if (!(normaliser > 0)) {
      throw new IllegalArgumentException(
          "The normaliser must be over 0, the prompts of a step: " + normaliser);
    }
    return (d, gradients) -> {
      RankingSums sums = addGradient(batch, pairs, normaliser, dropout, gradients);
      seen.accept(sums);
      return sums.loss() / normaliser;
    };
  }

  private RankingSums addGradient(
      Batch batch, List<Pair> pairs, double normaliser, Dropout dropout, Gradients gradients) {
    Tensor hidden = decoder.forward(batch, dropout);
    int[] last = batch.lastTokens();
    double[] scores = scores(hidden, last);
    double[] slopes = slopes(scores, pairs, centring);
    float[] dScores = new float[scores.length];
    for (int s = 0; s < scores.length; s++) {
      dScores[s] = (float) (slopes[s] / normaliser);
    }
    Tensor dHidden = workspace.get("dHidden", hidden.rows(), hidden.columns());
    decoder.kernels().fill(dHidden, 0);
    head.backward(dHidden, hidden, last, dScores, gradients);
    decoder.backward(dHidden, gradients);
    return RankingSums.of(scores, pairs, loss(scores, pairs, centring));
  }

  /** The sums of a batch without a gradient; of sequences that stand in no pair, too. */
  public RankingSums evaluate(Batch batch, List<Pair> pairs) {
    double[] scores = scores(decoder.forward(batch, Dropout.NONE), batch.lastTokens());
    return RankingSums.of(scores, pairs, loss(scores, pairs, centring));
  }

  private double[] scores(Tensor hidden, int[] last) {
    float[] outputs = head.forward(hidden, last);
    double[] scores = new double[outputs.length];
    for (int s = 0; s < scores.length; s++) {
      scores[s] = outputs[s] + decoder.config().scoreBias();
    }
    return scores;
  }

  /**
   * The weighted sum of the pairs' losses.
   *
   * @param scores by sequence
   */
  public static double loss(double[] scores, List<Pair> pairs, double centring) {
    double loss = 0;
    for (Pair pair : pairs) {
      double difference = scores[pair.chosen()] - scores[pair.rejected()] - pair.margin();
      double sum = scores[pair.chosen()] + scores[pair.rejected()];
      loss += pair.weight() * (Logistic.minusLogSigma(difference) + centring * sum * sum);
    }
    return loss;
  }

  /** The slopes of {@link #loss} along each score. */
  static double[] slopes(double[] scores, List<Pair> pairs, double centring) {
    double[] slopes = new double[scores.length];
    for (Pair pair : pairs) {
      double difference = scores[pair.chosen()] - scores[pair.rejected()] - pair.margin();
      double pull = Logistic.sigma(-difference);
      double centre = 2 * centring * (scores[pair.chosen()] + scores[pair.rejected()]);
      slopes[pair.chosen()] += pair.weight() * (centre - pull);
      slopes[pair.rejected()] += pair.weight() * (centre + pull);
    }
    return slopes;
  }

  @Override
  public void close() {
    head.close();
    workspace.close();
  }
}
