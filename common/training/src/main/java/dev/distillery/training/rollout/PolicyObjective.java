package dev.distillery.training.rollout;

import dev.distillery.model.nn.Batch;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.Dropout;
import dev.distillery.model.nn.Gradients;
import dev.distillery.model.train.NextTokenLoss;
import dev.distillery.model.train.PolicyLoss;
import dev.distillery.model.train.PolicySums;
import dev.distillery.model.train.Targets;
import dev.distillery.training.run.MicroBatch;
import dev.distillery.training.run.Normaliser;
import dev.distillery.training.run.TrainingObjective;
import dev.distillery.training.tokens.TokenSequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * PPO's loss over the tokens of sampled answers, and with it, of micro-batches of plain text, the
 * next token's (PPO-ptx, Ouyang et al. 2022): gamma times a mean over their tokens.
 *
 * <p>A row of an answer has five figures for each of its tokens of a weight over 0, array by array:
 * the log-probabilities of rollout time, the reference's, the values, the advantages, the returns.
 * A row of text has none.
 */
public final class PolicyObjective implements TrainingObjective {
  private static final long serialVersionUID = 1L;

  private static final int ARRAYS = 5;

  private final PolicyLoss.Options options;
  private final boolean hasValues;
  private final Reference reference;
  private final double textCoef;

  /**
   * The objective.
   *
   * @param hasValues whether the policy has a value head
   * @param textCoef gamma of the loss over plain text; 0 where there is none
   */
  public PolicyObjective(
      PolicyLoss.Options options, boolean hasValues, Reference reference, double textCoef) {
    this.options = options;
    this.hasValues = hasValues;
    this.reference = reference;
    this.textCoef = textCoef;
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

  @Override
  public double textWeight(TokenSequence row) {
    double sum = 0;
    for (float weight : row.weights()) {
      sum += weight;
    }
    return row.figures().length == 0 ? sum : 0;
  }

  @Override
  public long heldBytes() {
    return reference.heldBytes();
  }

  PolicyLoss.Options options() {
    return options;
  }

  boolean hasValues() {
    return hasValues;
  }

  @Override
  public Map<String, Double> metrics(double[] sums) {
    PolicySums policy = new PolicySums(sums);
    Map<String, Double> metrics = policy.metrics(options, hasValues);
    if (textCoef > 0) {
      double weight = sums[PolicySums.COUNT + 1];
      double loss = weight == 0 ? 0 : sums[PolicySums.COUNT] / weight;
      metrics.put("ppo/loss/ptx", loss);
      metrics.merge("loss", textCoef * loss, Double::sum);
      metrics.merge("ppo/loss/total", textCoef * loss, Double::sum);
    }
    return metrics;
  }

  @Override
  public Computation open(Decoder decoder) {
    return new Work(decoder);
  }

  /** The objective over a policy, beside its reference. */
  final class Work implements Computation {
    private final Decoder decoder;
    private final PolicyLoss loss;
    private final NextTokenLoss text;
    private final Reference.@Nullable Copy copy;
    private final PolicyLoss referenceLoss;

    Work(Decoder decoder) {
      this.decoder = decoder;
      this.loss = new PolicyLoss(decoder, options, hasValues);
      this.text = new NextTokenLoss(decoder);
      this.copy = reference.isCopy() ? reference.open(decoder.kernels()) : null;
      this.referenceLoss = new PolicyLoss(copy == null ? decoder : copy.decoder(), options, false);
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
      double[] sums = new double[PolicySums.COUNT + 2];
      Batch documents = batch.documents();
      if (batch.rows().get(0).figures().length == 0) {
        var unused =
            text.objective(
                    documents,
                    Targets.next(documents, batch.weights()),
                    normaliser.text() / textCoef,
                    Dropout.NONE,
                    seen -> {
                      sums[PolicySums.COUNT] = seen.loss();
                      sums[PolicySums.COUNT + 1] = seen.weight();
                    })
                .addGradient(decoder, gradients);
        return sums;
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
      PolicySums seen = loss.addGradient(documents, answers, normaliser.weight(), gradients);
      System.arraycopy(seen.toArray(), 0, sums, 0, PolicySums.COUNT);
      return sums;
    }

    /** Held-out prompts are sampled and scored instead. */
    @Override
    public double[] evaluate(MicroBatch batch) {
      throw new UnsupportedOperationException("A policy is evaluated by what it answers");
    }

    @Override
    public void close() {
      referenceLoss.close();
      text.close();
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
