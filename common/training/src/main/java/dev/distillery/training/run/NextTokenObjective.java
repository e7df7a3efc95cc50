package dev.distillery.training.run;

import dev.distillery.model.nn.Batch;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.Dropout;
import dev.distillery.model.nn.Gradients;
import dev.distillery.model.train.NextTokenLoss;
import dev.distillery.model.train.Targets;
import dev.distillery.model.train.TokenSums;
import dev.distillery.training.tokens.TokenSequence;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The next token's negative log-probability, each weighted as its row says: loss = sum_t w_t (-log
 * p(x_t | x_<t)) / sum_t w_t over the whole step.
 */
public final class NextTokenObjective implements TrainingObjective {
  private static final long serialVersionUID = 1L;

  @Override
  public double weight(TokenSequence row) {
    double sum = 0;
    for (float weight : row.weights()) {
      sum += weight;
    }
    return sum;
  }

  @Override
  public Map<String, Double> metrics(double[] sums) {
    TokenSums tokens =
        new TokenSums(sums[0], sums[1], Math.round(sums[2]), Math.round(sums[3]), sums[4]);
    Map<String, Double> metrics = new LinkedHashMap<>();
    metrics.put("loss", tokens.meanLoss());
    metrics.put("mean_token_accuracy", tokens.meanTokenAccuracy());
    metrics.put("entropy", tokens.meanEntropy());
    return metrics;
  }

  @Override
  public Computation open(Decoder decoder) {
    return new Work(decoder);
  }

  private static final class Work implements Computation {
    private final Decoder decoder;
    private final NextTokenLoss loss;

    Work(Decoder decoder) {
      this.decoder = decoder;
      this.loss = new NextTokenLoss(decoder);
    }

    @Override
    public double[] addGradient(
        MicroBatch batch, Normaliser normaliser, Dropout dropout, Gradients gradients) {
      Batch documents = batch.documents();
      Targets targets = Targets.next(documents, batch.weights());
      double[] sums = new double[5];
      var unused =
          loss.objective(
                  documents,
                  targets,
                  normaliser.weight(),
                  dropout,
                  seen -> System.arraycopy(array(seen), 0, sums, 0, sums.length))
              .addGradient(decoder, gradients);
      return sums;
    }

    @Override
    public double[] evaluate(MicroBatch batch) {
      Batch documents = batch.documents();
      return array(loss.evaluate(documents, Targets.next(documents, batch.weights())));
    }

    private static double[] array(TokenSums sums) {
      return new double[] {
        sums.loss(), sums.weight(), sums.tokens(), sums.correct(), sums.entropy()
      };
    }

    @Override
    public void close() {
      loss.close();
    }
  }
}
