package dev.distillery.model.train;

import dev.distillery.model.nn.Batch;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.DecoderLayout;
import dev.distillery.model.nn.Dropout;
import dev.distillery.model.nn.Gradients;
import dev.distillery.model.nn.Ids;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.Tensor;
import dev.distillery.model.nn.Workspace;
import dev.distillery.model.rl.KlEstimator;
import dev.distillery.model.rl.TokenTerm;
import java.io.Serializable;
import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * PPO's loss over the tokens of sampled answers: mean_t [clipped surrogate + kl_coef k3_t - entropy
 * coef H_t] + vf_coef mean_t [clipped error of the value], where the means are over all tokens of a
 * mini-batch. Logits are divided by the temperature that the answers were sampled at, in every
 * log-probability. Nothing is dropped.
 *
 * <p>Values are those of a head on the policy, trained together with it, or of a value network,
 * which the policy's terms do not move, nor the value's the policy.
 */
public final class PolicyLoss implements AutoCloseable {
  /**
   * What the loss is made of.
   *
   * @param temperature that answers were sampled at
   * @param cliprange of the ratio; default 0.2
   * @param cliprangeValue of the value around that of rollout time; 0 clips nothing; default 0.2
   * @param vfCoef weight of the value's error; default 0.1
   * @param entropyCoef weight of the entropy, which is raised; default 0
   * @param klCoef weight of the divergence from the reference as a loss (k3), as GRPO has it;
   *     default 0
   */
  public record Options(
      double temperature,
      double cliprange,
      double cliprangeValue,
      double vfCoef,
      double entropyCoef,
      double klCoef)
      implements Serializable {
    public Options {
      if (!(temperature > 0) || !(cliprange > 0) || !(cliprangeValue >= 0)) {
        throw new IllegalArgumentException(
            "A policy's loss needs a temperature and a clip range above 0: %s, %s, %s"
                .formatted(temperature, cliprange, cliprangeValue));
      }
    }
  }

  /**
   * The answers' tokens of a batch, in its order.
   *
   * @param rows of the batch, each that of the token before the answer's: where it is predicted
   * @param ids that were sampled
   * @param old log-probabilities of rollout time
   * @param ref log-probabilities of the reference
   * @param values of rollout time; not looked at without a critic
   * @param advantages of each
   * @param returns of each; not looked at without a critic
   */
  @SuppressWarnings("ArrayRecordComponent") // Built once and only read: a copy would help nobody.
  public record Answers(
      int[] rows,
      int[] ids,
      float[] old,
      float[] ref,
      float[] values,
      float[] advantages,
      float[] returns) {
    public Answers {
      int n = rows.length;
      if (ids.length != n
          || old.length != n
          || ref.length != n
          || values.length != n
          || advantages.length != n
          || returns.length != n) {
        throw new IllegalArgumentException(
            "Each of %s tokens needs an id, log-probabilities, a value, an advantage and a return"
                .formatted(n));
      }
    }
  }

  /**
   * What the policy says of some tokens.
   *
   * @param logProbs [tokens]
   * @param entropies [tokens], in nats
   * @param values [tokens]; 0 without a critic
   */
  @SuppressWarnings("ArrayRecordComponent") // Built once and only read: a copy would help nobody.
  public record Said(float[] logProbs, float[] entropies, float[] values) implements Serializable {}

  private final Decoder decoder;
  private final Kernels kernels;
  private final Options options;
  private final LanguageModelHead head;
  private final @Nullable Decoder critic;
  private final @Nullable SequenceHead valueHead;
  private final Workspace workspace;

  /**
   * The loss of a decoder with a language model head.
   *
   * @param critic whose value head gives values: the same decoder, or a value network, whose
   *     gradients are named with {@link DecoderLayout#VALUE_NETWORK} before them; empty for none
   */
  public PolicyLoss(Decoder decoder, Options options, Optional<Decoder> critic) {
    this.decoder = decoder;
    this.kernels = decoder.kernels();
    this.options = options;
    this.head = new LanguageModelHead(decoder);
    this.critic = critic.orElse(null);
    this.valueHead = critic.map(SequenceHead::value).orElse(null);
    this.workspace = new Workspace(kernels);
  }

  /**
   * What the policy says of tokens, in the form that {@link #addGradient} computes too.
   *
   * @param rows as in {@link Answers}
   */
  public Said say(Batch batch, int[] rows, int[] ids) {
    Tensor hidden = decoder.forward(batch, Dropout.NONE);
    float[] logProbs = new float[rows.length];
    float[] entropies = new float[rows.length];
    Tensor scores = workspace.get("scores", rows.length, Kernels.SCORE_COLUMNS);
    head.forEachChunk(
        hidden,
        rows,
        (logits, from) -> {
          soften(logits);
          try (Ids own = chunk(ids, from, logits)) {
            kernels.logProbs(scores.rows(from, logits.rows()), logits, own);
          }
        });
    double[] p = scores.column(0);
    double[] h = scores.column(1);
    for (int i = 0; i < rows.length; i++) {
      logProbs[i] = (float) p[i];
      entropies[i] = (float) h[i];
    }
    return new Said(logProbs, entropies, values(batch, rows, hidden));
  }

  /**
   * @param hidden of the policy
   */
  private float[] values(Batch batch, int[] rows, Tensor hidden) {
    Decoder values = critic;
    if (values == null || valueHead == null) {
      return new float[rows.length];
    }
    return valueHead.forward(
        values == decoder ? hidden : values.forward(batch, Dropout.NONE), rows);
  }

  private void soften(Tensor logits) {
    if (options.temperature() != 1) {
      kernels.scale(logits, 1 / options.temperature());
    }
  }

  private Ids chunk(int[] ids, int from, Tensor logits) {
    return kernels.ids(Arrays.copyOfRange(ids, from, from + logits.rows()));
  }

  /**
   * Runs forward and backward over a part of a mini-batch and adds the gradient of its part of the
   * loss.
   *
   * @param normaliser the mini-batch's tokens
   * @return the part's sums
   */
  public PolicySums addGradient(
      Batch batch, Answers answers, double normaliser, Gradients gradients) {
    var sums = new PolicySums();
    int n = answers.rows().length;
    if (n == 0) {
      return sums;
    }
    Tensor hidden = decoder.forward(batch, Dropout.NONE);
    Tensor dHidden = workspace.get("dHidden", hidden.rows(), hidden.columns());
    Tensor scores = workspace.get("scores", n, Kernels.SCORE_COLUMNS);
    head.backward(
        dHidden,
        hidden,
        answers.rows(),
        gradients,
        (logits, from) -> policy(logits, from, scores, answers, normaliser, sums));
    if (critic == decoder) {
      value(hidden, dHidden, answers, normaliser, sums, gradients);
    }
    decoder.backward(dHidden, gradients);
    Decoder network = critic;
    if (network != null && network != decoder) {
      Gradients own = gradients.within(DecoderLayout.VALUE_NETWORK);
      Tensor states = network.forward(batch, Dropout.NONE);
      Tensor dStates = workspace.get("dStates", states.rows(), states.columns());
      kernels.fill(dStates, 0);
      value(states, dStates, answers, normaliser, sums, own);
      network.backward(dStates, own);
    }
    return sums;
  }

  /** Adds what values get to {@code dHidden} and to their head's gradient. */
  private void value(
      Tensor hidden,
      Tensor dHidden,
      Answers answers,
      double normaliser,
      PolicySums sums,
      Gradients gradients) {
    SequenceHead values = Objects.requireNonNull(valueHead);
    float[] said = values.forward(hidden, answers.rows());
    float[] slopes = new float[said.length];
    for (int i = 0; i < said.length; i++) {
      TokenTerm term =
          TokenTerm.value(
              said[i], answers.values()[i], answers.returns()[i], options.cliprangeValue());
      slopes[i] = (float) (options.vfCoef() * term.slope() / normaliser);
      sums.value(term, said[i], answers.returns()[i]);
    }
    values.backward(dHidden, hidden, answers.rows(), slopes, gradients);
  }

  /** Overwrites logits with the gradient of what is made of probabilities. */
  private void policy(
      Tensor logits,
      int from,
      Tensor allScores,
      Answers answers,
      double normaliser,
      PolicySums sums) {
    int n = logits.rows();
    soften(logits);
    Tensor scores = allScores.rows(from, n);
    try (Ids own = chunk(answers.ids(), from, logits)) {
      kernels.logProbs(scores, logits, own);
      double[] logProbs = scores.column(0);
      double[] entropies = scores.column(1);
      double[] weights = new double[n];
      for (int i = 0; i < n; i++) {
        int token = from + i;
        TokenTerm term =
            TokenTerm.policy(
                logProbs[i],
                answers.old()[token],
                answers.advantages()[token],
                options.cliprange());
        double kl = KlEstimator.K3.of(logProbs[i], answers.ref()[token]);
        double klSlope = KlEstimator.K3.slope(logProbs[i], answers.ref()[token]);
        weights[i] = (term.slope() + options.klCoef() * klSlope) / normaliser;
        sums.policy(term, logProbs[i], answers.old()[token], entropies[i], kl);
      }
      double[] before = options.entropyCoef() == 0 ? new double[0] : values(logits);
      kernels.logProbsBackward(scores, logits, own, weights);
      if (options.entropyCoef() != 0) {
        addEntropy(logits, before, entropies, normaliser);
      }
    }
    soften(logits);
  }

  private static double[] values(Tensor logits) {
    double[] values = new double[Math.toIntExact(logits.size())];
    logits.memory().read(logits.offset(), values, 0, values.length);
    return values;
  }

  /** d(-c H)/dz_j = c p_j (log p_j + H), on the host: no kernel knows it. */
  private void addEntropy(Tensor gradient, double[] logits, double[] entropies, double normaliser) {
    int vocabulary = gradient.columns();
    float[] slopes = gradient.toArray();
    double factor = options.entropyCoef() / normaliser;
    IntStream.range(0, gradient.rows())
        .parallel()
        .forEach(
            r -> {
              int at = r * vocabulary;
              double max = Double.NEGATIVE_INFINITY;
              for (int j = 0; j < vocabulary; j++) {
                max = Math.max(max, logits[at + j]);
              }
              double sum = 0;
              for (int j = 0; j < vocabulary; j++) {
                sum += Math.exp(logits[at + j] - max);
              }
              double logSum = max + Math.log(sum);
              for (int j = 0; j < vocabulary; j++) {
                double logP = logits[at + j] - logSum;
                slopes[at + j] += (float) (factor * Math.exp(logP) * (logP + entropies[r]));
              }
            });
    gradient.write(slopes);
  }

  @Override
  public void close() {
    head.close();
    SequenceHead values = valueHead;
    if (values != null) {
      values.close();
    }
    workspace.close();
  }
}
