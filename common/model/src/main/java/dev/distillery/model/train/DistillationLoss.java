package dev.distillery.model.train;

import dev.distillery.model.nn.Batch;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.Dropout;
import dev.distillery.model.nn.Gradients;
import dev.distillery.model.nn.Tensor;
import dev.distillery.model.nn.Workspace;
import java.util.Arrays;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * Learning a teacher's probabilities: the weighted mean over targets of the {@link Divergence} of
 * the student's next-token distribution from the teacher's. Where only the teacher's K likeliest
 * tokens are known, all others are one further event on both sides, as in TRL's tail bucket.
 * Divergences are computed in double on the host.
 */
public final class DistillationLoss implements AutoCloseable {
  /** TRL's bound on the log of the mass of the K likeliest tokens, so that some is left. */
  private static final double MAX_LOG_MASS = -1e-7;

  /** Rows of logits in memory at once where nothing but their sums is wanted. */
  private static final int EVALUATED_ROWS = 64;

  private final Decoder student;
  private final Options options;
  private final Divergence divergence;
  private final LanguageModelHead head;
  private final Workspace workspace;

  /**
   * The divergence.
   *
   * @param beta 0 is KL(teacher || student), 1 is KL(student || teacher); TRL's default is 0.5
   * @param temperature divides both sides' logits; 1 where only the likeliest tokens are known
   */
  public record Options(double beta, double temperature) {
    public Options {
      if (!(beta >= 0 && beta <= 1) || !(temperature > 0)) {
        throw new IllegalArgumentException(
            "Distillation needs beta in [0, 1] and a temperature over 0: %s, %s"
                .formatted(beta, temperature));
      }
    }
  }

  /** The loss of a student with a language model head. */
  public DistillationLoss(Decoder student, Options options) {
    this.student = student;
    this.options = options;
    this.divergence = new Divergence(options.beta());
    this.head = new LanguageModelHead(student);
    this.workspace = new Workspace(student.kernels());
  }

  /**
   * One micro-batch beside a teacher that runs on the same kernels.
   *
   * @param targets of which the weights count; the ids are for the metrics
   * @param normaliser the sum of the weights over the whole step
   * @param seen given the pass' sums, of which the loss is the divergence
   */
  public Objective objective(
      Batch batch,
      Targets targets,
      double normaliser,
      Dropout dropout,
      LanguageModelHead teacher,
      Consumer<TokenSums> seen) {
    int vocabulary = student.config().vocabSize();
    if (teacher.decoder().config().vocabSize() != vocabulary) {
      throw new IllegalArgumentException(
          "The teacher's vocabulary of %s is not the student's of %s"
              .formatted(teacher.decoder().config().vocabSize(), vocabulary));
    }
    return (d, gradients) -> {
      int[] rows = targets.trained();
      if (rows.length == 0) {
        seen.accept(TokenSums.NONE);
        return 0;
      }
      Tensor hidden = teacher.decoder().forward(batch, Dropout.NONE);
      return gradient(
          batch,
          targets,
          normaliser,
          dropout,
          gradients,
          seen,
          (from, count) -> {
            float[] logits = teacher.logits(hidden, rows, from, count).toArray();
            return (row, own) -> dense(own, logits, row * vocabulary);
          });
    };
  }

  /** As the other, with a teacher of whom the likeliest tokens are known. */
  public Objective objective(
      Batch batch,
      Targets targets,
      double normaliser,
      Dropout dropout,
      TopLogProbs teacher,
      Consumer<TokenSums> seen) {
    if (options.temperature() != 1) {
      throw new IllegalArgumentException(
          "Of a teacher's likeliest tokens no other temperature than 1 can be made: "
              + options.temperature());
    }
    int[] rows = targets.trained();
    check(batch, rows, teacher);
    return (d, gradients) ->
        gradient(batch, targets, normaliser, dropout, gradients, seen, known(rows, teacher));
  }

  /**
   * The sums of a batch beside a teacher, without a gradient.
   *
   * @param targets as in {@link #objective}
   */
  public TokenSums evaluate(Batch batch, Targets targets, LanguageModelHead teacher) {
    int[] rows = targets.trained();
    if (rows.length == 0) {
      return TokenSums.NONE;
    }
    Tensor taught = teacher.decoder().forward(batch, Dropout.NONE);
    int vocabulary = student.config().vocabSize();
    return evaluate(
        batch,
        targets,
        (from, count) -> {
          float[] other = teacher.logits(taught, rows, from, count).toArray();
          return (row, logP) -> dense(logP, other, row * vocabulary);
        });
  }

  /** As the other, with a teacher of whom the likeliest tokens are known. */
  public TokenSums evaluate(Batch batch, Targets targets, TopLogProbs teacher) {
    int[] rows = targets.trained();
    check(batch, rows, teacher);
    return rows.length == 0 ? TokenSums.NONE : evaluate(batch, targets, known(rows, teacher));
  }

  private TokenSums evaluate(Batch batch, Targets targets, Teacher teacher) {
    int[] rows = targets.trained();
    Tensor hidden = student.forward(batch, Dropout.NONE);
    TokenSums[] sums = new TokenSums[rows.length];
    for (int from = 0; from < rows.length; from += EVALUATED_ROWS) {
      int first = from;
      int count = Math.min(EVALUATED_ROWS, rows.length - from);
      float[] own = head.logits(hidden, rows, from, count).toArray();
      Row row = teacher.chunk(from, count);
      IntStream.range(0, count)
          .parallel()
          .forEach(
              r -> {
                int token = rows[first + r];
                sums[first + r] =
                    backward(own, r, row, targets.ids()[token], targets.weights()[token], 1);
              });
    }
    return Arrays.stream(sums).reduce(TokenSums.NONE, TokenSums::plus);
  }

  private Teacher known(int[] rows, TopLogProbs teacher) {
    return (from, count) ->
        (row, own) -> {
          int token = rows[from + row];
          return sparse(own, teacher.ids()[token], teacher.logProbs()[token]);
        };
  }

  private void check(Batch batch, int[] rows, TopLogProbs teacher) {
    if (teacher.ids().length != batch.tokens()) {
      throw new IllegalArgumentException(
          "A batch of %s tokens has %s rows of a teacher's log-probabilities"
              .formatted(batch.tokens(), teacher.ids().length));
    }
    for (int row : rows) {
      int[] ids = teacher.ids()[row];
      if (ids.length == 0 || ids.length != teacher.logProbs()[row].length) {
        throw new IllegalArgumentException(
            "Token %s has %s of a teacher's ids and %s log-probabilities"
                .formatted(row, ids.length, teacher.logProbs()[row].length));
      }
      for (int id : ids) {
        if (id < 0 || id >= student.config().vocabSize()) {
          throw new IllegalArgumentException(
              "The teacher's token %s is not in the student's vocabulary of %s"
                  .formatted(id, student.config().vocabSize()));
        }
      }
    }
  }

  /** A run of rows of the teacher. */
  private interface Teacher {
    Row chunk(int from, int count);
  }

  /** Turns a row of the student's log-probabilities into the slopes along its logits. */
  private interface Row {
    double backward(int row, double[] logP);
  }

  private double gradient(
      Batch batch,
      Targets targets,
      double normaliser,
      Dropout dropout,
      Gradients gradients,
      Consumer<TokenSums> seen,
      Teacher teacher) {
    int[] rows = targets.trained();
    if (rows.length == 0) {
      seen.accept(TokenSums.NONE);
      return 0;
    }
    Tensor hidden = student.forward(batch, dropout);
    Tensor dHidden = workspace.get("dHidden", hidden.rows(), hidden.columns());
    TokenSums[] sums = new TokenSums[rows.length];
    head.backward(
        dHidden,
        hidden,
        rows,
        gradients,
        (logits, from) -> {
          float[] values = logits.toArray();
          Row row = teacher.chunk(from, logits.rows());
          IntStream.range(0, logits.rows())
              .parallel()
              .forEach(
                  r -> {
                    int token = rows[from + r];
                    float weight = targets.weights()[token];
                    sums[from + r] =
                        backward(values, r, row, targets.ids()[token], weight, normaliser);
                  });
          logits.write(values);
        });
    student.backward(dHidden, gradients);
    TokenSums sum = Arrays.stream(sums).reduce(TokenSums.NONE, TokenSums::plus);
    seen.accept(sum);
    return sum.loss() / normaliser;
  }

  private TokenSums backward(
      float[] logits, int row, Row teacher, int target, float weight, double normaliser) {
    int n = student.config().vocabSize();
    double[] logP = logSoftmax(logits, row * n);
    double entropy = 0;
    boolean best = true;
    for (int j = 0; j < n; j++) {
      entropy -= Math.exp(logP[j]) * logP[j];
      best &= logP[j] <= logP[target];
    }
    double value = teacher.backward(row, logP);
    double scale = weight / (normaliser * options.temperature());
    for (int j = 0; j < n; j++) {
      logits[row * n + j] = (float) (scale * logP[j]);
    }
    return new TokenSums(weight * value, weight, 1, best ? 1 : 0, entropy);
  }

  private double[] logSoftmax(float[] logits, int at) {
    double[] logP = new double[student.config().vocabSize()];
    double max = Double.NEGATIVE_INFINITY;
    for (int j = 0; j < logP.length; j++) {
      logP[j] = logits[at + j] / options.temperature();
      max = Math.max(max, logP[j]);
    }
    double sum = 0;
    for (double z : logP) {
      sum += Math.exp(z - max);
    }
    double logSum = max + Math.log(sum);
    for (int j = 0; j < logP.length; j++) {
      logP[j] -= logSum;
    }
    return logP;
  }

  /** With g the slopes along log p: dz_j = g_j - p_j sum(g). */
  private double dense(double[] logP, float[] teacherLogits, int at) {
    double[] logQ = logSoftmax(teacherLogits, at);
    double value = 0;
    double sum = 0;
    for (int j = 0; j < logP.length; j++) {
      value += divergence.value(logP[j], logQ[j]);
      logQ[j] = divergence.slope(logP[j], logQ[j]);
      sum += logQ[j];
    }
    for (int j = 0; j < logP.length; j++) {
      logP[j] = logQ[j] - Math.exp(logP[j]) * sum;
    }
    return value;
  }

  /**
   * With g the slopes along the logarithms of the K tokens' probabilities and of the others'
   * together, P: dz_j = g_j - p_j sum(g) for the K, and p_j (g_P / P - sum(g)) for the others.
   */
  private double sparse(double[] logP, int[] ids, float[] logQs) {
    double massP = 0;
    double massQ = 0;
    for (int k = 0; k < ids.length; k++) {
      massP += Math.exp(logP[ids[k]]);
      massQ += Math.exp(logQs[k]);
    }
    double restP = rest(massP);
    double restQ = rest(massQ);
    double value = divergence.value(restP, restQ);
    double restSlope = divergence.slope(restP, restQ);
    double sum = restSlope;
    double[] slopes = new double[ids.length];
    for (int k = 0; k < ids.length; k++) {
      value += divergence.value(logP[ids[k]], logQs[k]);
      slopes[k] = divergence.slope(logP[ids[k]], logQs[k]);
      sum += slopes[k];
    }
    double[] own = new double[ids.length];
    for (int k = 0; k < ids.length; k++) {
      own[k] = slopes[k] - Math.exp(logP[ids[k]]) * sum;
    }
    double factor = restSlope / Math.exp(restP) - sum;
    for (int j = 0; j < logP.length; j++) {
      logP[j] = Math.exp(logP[j]) * factor;
    }
    for (int k = 0; k < ids.length; k++) {
      logP[ids[k]] = own[k];
    }
    return value;
  }

  /** log(1 - mass). */
  private static double rest(double mass) {
    return Math.log(-Math.expm1(Math.min(Math.log(mass), MAX_LOG_MASS)));
  }

  @Override
  public void close() {
    head.close();
    workspace.close();
  }
}
