package dev.distillery.jobs.sft;

import dev.distillery.model.nn.Batch;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.Dropout;
import dev.distillery.model.nn.Gradients;
import dev.distillery.model.train.DistillationLoss;
import dev.distillery.model.train.Targets;
import dev.distillery.model.train.TokenSums;
import dev.distillery.training.run.MicroBatch;
import dev.distillery.training.run.NextTokenObjective;
import dev.distillery.training.run.Normaliser;
import dev.distillery.training.run.TrainingObjective;
import dev.distillery.training.tokens.TaughtTokens;
import dev.distillery.training.tokens.TokenSequence;
import java.util.Map;

/**
 * The divergence of the student's next-token distributions from those that a teacher had when it
 * wrote the rows, of which its likeliest tokens are known: all others are one further event on both
 * sides. {@code mean_token_accuracy} is of the teacher's tokens.
 */
final class TaughtObjective implements TrainingObjective {
  private static final long serialVersionUID = 1L;

  private final double beta;

  TaughtObjective(double beta) {
    this.beta = beta;
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
  public Computation open(Decoder decoder) {
    return new Work(decoder, new DistillationLoss.Options(beta, 1));
  }

  private static final class Work implements Computation {
    private final Decoder student;
    private final DistillationLoss loss;

    Work(Decoder student, DistillationLoss.Options options) {
      this.student = student;
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
                  TaughtTokens.after(batch.rows()),
                  seen -> System.arraycopy(DistillObjective.array(seen), 0, sums, 0, sums.length))
              .addGradient(student, gradients);
      return sums;
    }

    @Override
    public double[] evaluate(MicroBatch batch) {
      Batch documents = batch.documents();
      TokenSums sums =
          loss.evaluate(
              documents,
              Targets.next(documents, batch.weights()),
              TaughtTokens.after(batch.rows()));
      return DistillObjective.array(sums);
    }

    @Override
    public void close() {
      loss.close();
    }
  }
}
