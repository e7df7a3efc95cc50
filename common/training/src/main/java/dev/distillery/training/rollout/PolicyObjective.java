package dev.distillery.training.rollout;

import dev.distillery.model.nn.Batch;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.Dropout;
import dev.distillery.model.nn.Gradients;
import dev.distillery.model.train.NextTokenLoss;
import dev.distillery.model.train.PolicyLoss;
import dev.distillery.model.train.PolicySums;
import dev.distillery.model.train.Targets;
import dev.distillery.training.run.FrozenModel;
import dev.distillery.training.run.MicroBatch;
import dev.distillery.training.run.NextTokenObjective;
import dev.distillery.training.run.Normaliser;
import dev.distillery.training.run.TrainingObjective;
import dev.distillery.training.tokens.TokenSequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * PPO's loss over the tokens of sampled answers, and PPO-ptx's over those of texts.
 *
 * <p>A row has five figures for each of its tokens of a weight over 0, array by array: the
 * log-probabilities of rollout time, the reference's, the values, the advantages, the returns.
 */
public final class PolicyObjective implements TrainingObjective {
  private static final long serialVersionUID = 1L;

  private static final int ARRAYS = 5;

  private final PolicyLoss.Options options;
  private final boolean hasValues;
  private final @Nullable FrozenModel reference;
  private final long rewardBytes;
  private final double ptxCoef;

  /** Sums of texts behind those of answers: their loss, and their tokens. */
  private static final int TEXT = PolicySums.COUNT;

  /**
   * The objective.
   *
   * @param hasValues whether values are learned: by a head on the policy, or by a value network
   * @param reference what the policy is held near to; empty for itself without its adapters
   * @param rewardBytes of the reward models beside it, for the plan of memory
   * @param ptxCoef what the next-token loss of texts, a mean over their tokens, counts; 0 where
   *     there are none
   */
  public PolicyObjective(
      PolicyLoss.Options options,
      boolean hasValues,
      Optional<FrozenModel> reference,
      long rewardBytes,
      double ptxCoef) {
    this.options = options;
    this.hasValues = hasValues;
    this.reference = reference.orElse(null);
    this.rewardBytes = rewardBytes;
    this.ptxCoef = ptxCoef;
  }

  /** A row that is trained on. */
  static TokenSequence row(
      int[] prompt, int[] answer, Figures said, double[] used, double[] returns) {
    int n = answer.length;
    float[] figures = new float[ARRAYS * n];
    System.arraycopy(said.logProbs(), 0, figures, 0, n);
    System.arraycopy(said.refLogProbs(), 0, figures, n, n);
    System.arraycopy(said.values(), 0, figures, 2 * n, n);
    for (int t = 0; t < n; t++) {
      figures[3 * n + t] = (float) used[t];
      figures[4 * n + t] = (float) returns[t];
    }
    return plain(prompt, answer).with(figures);
  }

  /** A prompt and its answer, whose tokens count 1 each. */
  static TokenSequence plain(int[] prompt, int[] answer) {
    int[] ids = Arrays.copyOf(prompt, prompt.length + answer.length);
    System.arraycopy(answer, 0, ids, prompt.length, answer.length);
    float[] weights = new float[ids.length];
    Arrays.fill(weights, prompt.length, ids.length, 1);
    return new TokenSequence(ids, weights, new int[] {0});
  }

  @Override
  public double weight(TokenSequence row) {
    return row.figures().length / (double) ARRAYS;
  }

  /** A row without figures is a text. */
  @Override
  public double textWeight(TokenSequence row) {
    return isText(row) ? new NextTokenObjective().weight(row) : 0;
  }

  private static boolean isText(TokenSequence row) {
    return row.figures().length == 0;
  }

  @Override
  public long heldBytes() {
    return rewardBytes + (reference == null ? 0 : reference.heldBytes());
  }

  PolicyLoss.Options options() {
    return options;
  }

  boolean hasValues() {
    return hasValues;
  }

  @Override
  public Map<String, Double> metrics(double[] sums) {
    Map<String, Double> metrics = new PolicySums(sums).metrics(options, hasValues);
    if (ptxCoef > 0) {
      double text = sums[TEXT + 1] == 0 ? 0 : sums[TEXT] / sums[TEXT + 1];
      metrics.put("ppo/loss/ptx", text);
      metrics.merge("loss", ptxCoef * text, Double::sum);
      metrics.merge("ppo/loss/total", ptxCoef * text, Double::sum);
    }
    return metrics;
  }

  @Override
  public Computation open(Decoder decoder) {
    return open(decoder, Optional.empty());
  }

  @Override
  public Computation open(Decoder decoder, Optional<Decoder> network) {
    return new Work(decoder, hasValues ? network.or(() -> Optional.of(decoder)) : network);
  }

  /** The objective over a policy, beside its reference. */
  final class Work implements Computation {
    private final Decoder decoder;
    private final PolicyLoss loss;
    private final FrozenModel.@Nullable Open copy;
    private final PolicyLoss referenceLoss;
    private final @Nullable NextTokenLoss text;

    Work(Decoder decoder, Optional<Decoder> critic) {
      this.decoder = decoder;
      this.text = ptxCoef > 0 ? new NextTokenLoss(decoder) : null;
      this.loss = new PolicyLoss(decoder, options, critic);
      this.copy = reference == null ? null : reference.open(decoder.kernels());
      this.referenceLoss =
          new PolicyLoss(copy == null ? decoder : copy.decoder(), options, Optional.empty());
    }

    /** What policy and reference say of the answers of a micro-batch, in its order. */
    List<Figures> say(MicroBatch batch) {
      Batch documents = batch.documents();
      int[] rows = rows(batch);
      int[] ids = ids(documents, rows);
      PolicyLoss.Said own = loss.say(documents, rows, ids);
      float[] ref;
      if (copy == null) {
        decoder.enableAdapters(false);
        try {
          ref = referenceLoss.say(documents, rows, ids).logProbs();
        } finally {
          decoder.enableAdapters(true);
        }
      } else {
        ref = referenceLoss.say(documents, rows, ids).logProbs();
      }
      List<Figures> figures = new ArrayList<>();
      int at = 0;
      for (TokenSequence row : batch.rows()) {
        int to = at + answered(row);
        figures.add(
            new Figures(
                Arrays.copyOfRange(own.logProbs(), at, to),
                Arrays.copyOfRange(ref, at, to),
                Arrays.copyOfRange(own.values(), at, to),
                Arrays.copyOfRange(own.entropies(), at, to)));
        at = to;
      }
      return figures;
    }

    @Override
    public double[] addGradient(
        MicroBatch batch, Normaliser normaliser, Dropout dropout, Gradients gradients) {
      Batch documents = batch.documents();
      double[] all = new double[TEXT + 2];
      NextTokenLoss texts = text;
      if (texts != null && isText(batch.rows().get(0))) {
        var unused =
            texts
                .objective(
                    documents,
                    Targets.next(documents, batch.weights()),
                    normaliser.text() / ptxCoef,
                    dropout,
                    seen -> {
                      all[TEXT] = seen.loss();
                      all[TEXT + 1] = seen.weight();
                    })
                .addGradient(decoder, gradients);
        return all;
      }
      int[] rows = rows(batch);
      var answers =
          new PolicyLoss.Answers(
              rows,
              ids(documents, rows),
              figure(batch, rows.length, 0),
              figure(batch, rows.length, 1),
              figure(batch, rows.length, 2),
              figure(batch, rows.length, 3),
              figure(batch, rows.length, 4));
      double[] sums =
          loss.addGradient(documents, answers, normaliser.weight(), gradients).toArray();
      System.arraycopy(sums, 0, all, 0, sums.length);
      return all;
    }

    /** Held-out prompts are sampled and scored instead. */
    @Override
    public double[] evaluate(MicroBatch batch) {
      throw new UnsupportedOperationException("A policy is evaluated by what it answers");
    }

    @Override
    public void close() {
      NextTokenLoss texts = text;
      if (texts != null) {
        texts.close();
      }
      referenceLoss.close();
      loss.close();
      if (copy != null) {
        copy.close();
      }
    }
  }

  private static int answered(TokenSequence row) {
    int count = 0;
    for (float weight : row.weights()) {
      count += weight > 0 ? 1 : 0;
    }
    return count;
  }

  /** Where the tokens of answers are predicted: each at the token before it. */
  private static int[] rows(MicroBatch batch) {
    int[] rows = new int[batch.rows().stream().mapToInt(PolicyObjective::answered).sum()];
    int at = 0;
    int start = 0;
    for (TokenSequence row : batch.rows()) {
      for (int t = 1; t < row.ids().length; t++) {
        if (row.weights()[t] > 0) {
          rows[at++] = start + t - 1;
        }
      }
      start += row.ids().length;
    }
    return rows;
  }

  private static int[] ids(Batch documents, int[] rows) {
    int[] ids = new int[rows.length];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = documents.ids()[rows[i] + 1];
    }
    return ids;
  }

  /** One of the arrays of all rows. */
  private static float[] figure(MicroBatch batch, int tokens, int array) {
    float[] all = new float[tokens];
    int at = 0;
    for (TokenSequence row : batch.rows()) {
      int n = row.figures().length / ARRAYS;
      System.arraycopy(row.figures(), array * n, all, at, n);
      at += n;
    }
    return all;
  }
}
