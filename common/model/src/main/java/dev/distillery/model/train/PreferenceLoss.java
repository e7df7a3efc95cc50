package dev.distillery.model.train;

import dev.distillery.model.nn.Batch;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.Dropout;
import dev.distillery.model.nn.Gradients;
import dev.distillery.model.nn.Tensor;
import dev.distillery.model.nn.Workspace;
import java.io.Serializable;
import java.util.List;
import java.util.function.Consumer;

/**
 * Direct preference optimisation. With pi the policy's log-probability of an answer, ref the
 * reference's, h = (pi_w - ref_w) - (pi_l - ref_l) over the sums of an answer's tokens:
 *
 * <pre>{@code
 * sigmoid  -(1 - e) log sigma(beta h) - e log sigma(-beta h)   (Rafailov et al. 2023, eq. 7; e: cDPO)
 * hinge    max(0, 1 - beta h)                                  (Zhao et al. 2023)
 * ipo      (h' - 1 / (2 beta))^2                               (Azar et al. 2024, eq. 17)
 * simpo    -log sigma(beta h'' - gamma)                        (Meng et al. 2024, eq. 6)
 * }</pre>
 *
 * where h' is of means a token, as IPO's authors have it and TRL since 0.7.11, and h'' is h'
 * without a reference. The loss is the mean over the pairs of a step.
 */
public final class PreferenceLoss implements AutoCloseable {
  private final Decoder decoder;
  private final Options options;
  private final LanguageModelHead head;
  private final Workspace workspace;

  /** Which function of the difference is minimised. */
  public enum Kind {
    SIGMOID,
    IPO,
    HINGE,
    SIMPO;

    /** Whether what the policy says is compared with what a reference says. */
    public boolean hasReference() {
      return this != SIMPO;
    }

    /** Whether log-probabilities of answers are means a token, and not sums. */
    boolean ofMeans() {
      return this == IPO || this == SIMPO;
    }
  }

  /**
   * What is minimised.
   *
   * @param beta how much a difference from the reference counts, over 0
   * @param labelSmoothing share of pairs that are thought to be the wrong way round, in [0, 0.5);
   *     of {@link Kind#SIGMOID} only
   * @param gamma the margin that a pair should reach, 0 or over; of {@link Kind#SIMPO} only
   */
  public record Options(Kind kind, double beta, double labelSmoothing, double gamma)
      implements Serializable {
    public Options {
      if (!(beta > 0 && beta < Double.POSITIVE_INFINITY)) {
        throw new IllegalArgumentException("Beta must be a number over 0: " + beta);
      }
      if (!(labelSmoothing >= 0 && labelSmoothing < 0.5)) {
        throw new IllegalArgumentException(
            "Label smoothing must be in [0, 0.5): " + labelSmoothing);
      }
      if (labelSmoothing > 0 && kind != Kind.SIGMOID) {
        throw new IllegalArgumentException("Label smoothing is of the sigmoid loss only");
      }
      if (!(gamma >= 0 && gamma < Double.POSITIVE_INFINITY)) {
        throw new IllegalArgumentException("Gamma must be a number, 0 or over: " + gamma);
      }
      if (gamma > 0 && kind != Kind.SIMPO) {
        throw new IllegalArgumentException("A margin is of SimPO's loss only");
      }
    }
  }

  /**
   * Two answers to a prompt.
   *
   * @param chosen index of the better one among the batch's sequences
   * @param rejected index of the other
   * @param refChosen the reference's log-probability of the better one, summed over its tokens; 0
   *     where there is no reference
   * @param refRejected the same of the other
   */
  public record Pair(int chosen, int rejected, double refChosen, double refRejected) {}

  /**
   * An answer under a model.
   *
   * @param logProb summed over its tokens
   * @param tokens how many they are
   */
  record Answer(double logProb, int tokens) {}

  /** A loss over a decoder with a language model head. */
  public PreferenceLoss(Decoder decoder, Options options) {
    this.decoder = decoder;
    this.options = options;
    this.head = new LanguageModelHead(decoder);
    this.workspace = new Workspace(decoder.kernels());
  }

  /**
   * One micro-batch.
   *
   * @param weights [tokens]; over 0 for the tokens of answers; each of an answer's counts the same
   * @param pairs of the batch's sequences, each in at most one
   * @param normaliser pairs of the whole step
   * @param seen given what the pass saw, before weights are moved
   */
  public Objective objective(
      Batch batch,
      float[] weights,
      List<Pair> pairs,
      double normaliser,
      Dropout dropout,
      Consumer<PreferenceSums> seen) {
    if (!(normaliser > 0)) {
      throw new IllegalArgumentException(
          "The normaliser must be over 0, the pairs of a step: " + normaliser);
    }
    return (d, gradients) -> {
      PreferenceSums sums = addGradient(batch, weights, pairs, normaliser, dropout, gradients);
      seen.accept(sums);
      return sums.loss() / normaliser;
    };
  }

  private PreferenceSums addGradient(
      Batch batch,
      float[] weights,
      List<Pair> pairs,
      double normaliser,
      Dropout dropout,
      Gradients gradients) {
    Targets targets = Targets.next(batch, weights);
    int[] rows = targets.trained();
    Tensor hidden = decoder.forward(batch, dropout);
    double[] logProbs = head.logProbs(hidden, rows, targets.ids(rows)).logProbs();
    Answer[] answers = answers(batch, rows, logProbs);
    double[] slopes = slopes(answers, pairs, options);
    double[] slopeOfRow = new double[rows.length];
    for (int s = 0, i = 0; s < batch.sequences(); s++) {
      for (int end = end(batch, s); i < rows.length && rows[i] < end; i++) {
        slopeOfRow[i] = slopes[s] / normaliser;
      }
    }
    Tensor dHidden = workspace.get("dHidden", hidden.rows(), hidden.columns());
    var unused = head.backward(dHidden, hidden, rows, targets.ids(rows), slopeOfRow, gradients);
    decoder.backward(dHidden, gradients);
    return PreferenceSums.of(answers, pairs, options);
  }

  /** The sums of a batch without a gradient. */
  public PreferenceSums evaluate(Batch batch, float[] weights, List<Pair> pairs) {
    return PreferenceSums.of(answers(batch, weights), pairs, options);
  }

  /**
   * The log-probability of each sequence's answer, summed over its tokens: what a reference is
   * asked for.
   *
   * @param weights as in {@link #objective}
   */
  public double[] logProbs(Batch batch, float[] weights) {
    Answer[] answers = answers(batch, weights);
    double[] sums = new double[answers.length];
    for (int s = 0; s < sums.length; s++) {
      sums[s] = answers[s].logProb();
    }
    return sums;
  }

  private Answer[] answers(Batch batch, float[] weights) {
    Targets targets = Targets.next(batch, weights);
    int[] rows = targets.trained();
    Tensor hidden = decoder.forward(batch, Dropout.NONE);
    return answers(batch, rows, head.logProbs(hidden, rows, targets.ids(rows)).logProbs());
  }

  private static Answer[] answers(Batch batch, int[] rows, double[] logProbs) {
    Answer[] answers = new Answer[batch.sequences()];
    for (int s = 0, i = 0; s < answers.length; s++) {
      double sum = 0;
      int first = i;
      for (int end = end(batch, s); i < rows.length && rows[i] < end; i++) {
        sum += logProbs[i];
      }
      answers[s] = new Answer(sum, i - first);
    }
    return answers;
  }

  private static int end(Batch batch, int sequence) {
    return batch.starts()[sequence] + batch.counts()[sequence];
  }

  /** The loss of a pair. */
  static double loss(Answer[] answers, Pair pair, Options options) {
    double beta = options.beta();
    double h = difference(answers, pair, options);
    return switch (options.kind()) {
      case SIGMOID ->
          (1 - options.labelSmoothing()) * Logistic.minusLogSigma(beta * h)
              + options.labelSmoothing() * Logistic.minusLogSigma(-beta * h);
      case HINGE -> Math.max(0, 1 - beta * h);
      case IPO -> (h - 1 / (2 * beta)) * (h - 1 / (2 * beta));
      case SIMPO -> Logistic.minusLogSigma(beta * h - options.gamma());
    };
  }

  /** Of policy and reference, of an answer: by its tokens where the loss is of means. */
  static double difference(Answer answer, double reference, Kind kind) {
    return (answer.logProb() - reference) / divisor(answer, kind);
  }

  private static int divisor(Answer answer, Kind kind) {
    return kind.ofMeans() ? Math.max(1, answer.tokens()) : 1;
  }

  /** h, h' or h''. */
  private static double difference(Answer[] answers, Pair pair, Options options) {
    return difference(answers[pair.chosen()], pair.refChosen(), options.kind())
        - difference(answers[pair.rejected()], pair.refRejected(), options.kind());
  }

  /** The slope of the pairs' summed loss along each token's log-probability, by sequence. */
  private static double[] slopes(Answer[] answers, List<Pair> pairs, Options options) {
    double beta = options.beta();
    double smoothing = options.labelSmoothing();
    double[] slopes = new double[answers.length];
    for (Pair pair : pairs) {
      double h = difference(answers, pair, options);
      double slope =
          switch (options.kind()) {
            case SIGMOID ->
                beta
                    * (smoothing * Logistic.sigma(beta * h)
                        - (1 - smoothing) * Logistic.sigma(-beta * h));
            case HINGE -> 1 - beta * h > 0 ? -beta : 0;
            case IPO -> 2 * (h - 1 / (2 * beta));
            case SIMPO -> -beta * Logistic.sigma(options.gamma() - beta * h);
          };
      slopes[pair.chosen()] += slope / divisor(answers[pair.chosen()], options.kind());
      slopes[pair.rejected()] -= slope / divisor(answers[pair.rejected()], options.kind());
    }
    return slopes;
  }

  @Override
  public void close() {
    head.close();
    workspace.close();
  }
}
