package dev.distillery.jobs.sft;

import dev.distillery.model.nn.Batch;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.Dropout;
import dev.distillery.model.nn.Gradients;
import dev.distillery.model.train.DistillationLoss;
import dev.distillery.model.train.LanguageModelHead;
import dev.distillery.model.train.Targets;
import dev.distillery.model.train.TokenSums;
import dev.distillery.training.run.FrozenModel;
import dev.distillery.training.run.MicroBatch;
import dev.distillery.training.run.NextTokenObjective;
import dev.distillery.training.run.Normaliser;
import dev.distillery.training.run.TrainingObjective;
import dev.distillery.training.tokens.TokenSequence;
import java.util.Map;

/**
 * The divergence of the student's next-token distributions from a teacher's, which runs beside it
 * in the same JVM, frozen; in the blocks of its file where that is GGUF. {@code
 * mean_token_accuracy} is of the rows' tokens.
 */
final class DistillObjective implements TrainingObjective {
  private static final long serialVersionUID = 1L;

  private final FrozenModel teacher;
  private final double beta;
  private final double temperature;

  DistillObjective(FrozenModel teacher, double beta, double temperature) {
    this.teacher = teacher;
    this.beta = beta;
    this.temperature = temperature;
  }

  @Override
  public double weight(TokenSequence row) {
    return new NextTokenObjective().weight(row);
  }

  @Override
  public Map<String, Double> metrics(double[] sums) {
    return new NextTokenObjective().metrics(sums);
  }

  @Override
  public long heldBytes() {
    return teacher.heldBytes();
  }

  @Override
  public Computation open(Decoder decoder) {
    return new Work(
        decoder, teacher.open(decoder.kernels()), new DistillationLoss.Options(beta, temperature));
  }

  /** Sums in the order in which {@link NextTokenObjective#metrics} reads them. */
  static double[] array(TokenSums sums) {
    return new double[] {sums.loss(), sums.weight(), sums.tokens(), sums.correct(), sums.entropy()};
  }

  private static final class Work implements Computation {
    private final Decoder student;
    private final FrozenModel.Open teacher;
    private final LanguageModelHead head;
    private final DistillationLoss loss;

    /** Closes the teacher with itself. */
    Work(Decoder student, FrozenModel.Open teacher, DistillationLoss.Options options) {
      this.student = student;
      this.teacher = teacher;
      this.head = new LanguageModelHead(teacher.decoder());
      this.loss = new DistillationLoss(student, options);
    }

    @Override
    public double[] addGradient(
        MicroBatch batch, Normaliser normaliser, Dropout dropout, Gradients gradients) {
      Batch documents = batch.documents();
      double[] sums = new double[5];
      var unused =
          loss.objective(
                  documents,
                  Targets.next(documents, batch.weights()),
                  normaliser.weight(),
                  dropout,
                  head,
                  seen -> System.arraycopy(array(seen), 0, sums, 0, sums.length))
              .addGradient(student, gradients);
      return sums;
    }

    @Override
    public double[] evaluate(MicroBatch batch) {
      Batch documents = batch.documents();
      return array(loss.evaluate(documents, Targets.next(documents, batch.weights()), head));
    }

    @Override
    public void close() {
      loss.close();
      head.close();
      teacher.close();
    }
  }
}
