package dev.distillery.jobs.sft;

import dev.distillery.model.nn.Batch;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.Dropout;
import dev.distillery.model.nn.Gradients;
import dev.distillery.model.train.ClassifierLoss;
import dev.distillery.model.train.TokenSums;
import dev.distillery.training.run.MicroBatch;
import dev.distillery.training.run.Normaliser;
import dev.distillery.training.run.TrainingObjective;
import dev.distillery.training.tokens.TokenSequence;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * GPT-1's supervised fine-tuning: the weighted mean of the cross-entropies of a linear head on each
 * row's last token, plus the next-token loss of the rows' text times a weight. Its rows are
 * classified and hold one document each.
 */
final class ClassifierObjective implements TrainingObjective {
  private static final long serialVersionUID = 1L;

  /** Sums of the labels' loss, then as many of the text's. */
  private static final int TEXT = 5;

  private final double auxWeight;

  /**
   * @param auxWeight of the next-token loss, 0 or more
   */
  ClassifierObjective(double auxWeight) {
    this.auxWeight = auxWeight;
  }

  @Override
  public double weight(TokenSequence row) {
    return row.weights()[0];
  }

  @Override
  public double textWeight(TokenSequence row) {
    double sum = 0;
    for (int t = 1; t < row.weights().length; t++) {
      sum += row.weights()[t];
    }
    return sum;
  }

  @Override
  public Map<String, Double> metrics(double[] sums) {
    TokenSums labels = sums(sums, 0);
    TokenSums text = sums(sums, TEXT);
    Map<String, Double> metrics = new LinkedHashMap<>();
    metrics.put("loss", labels.meanLoss() + auxWeight * text.meanLoss());
    metrics.put("accuracy", labels.meanTokenAccuracy());
    metrics.put("entropy", labels.meanEntropy());
    if (auxWeight > 0) {
      metrics.put("label_loss", labels.meanLoss());
      metrics.put("lm_loss", text.meanLoss());
      metrics.put("mean_token_accuracy", text.meanTokenAccuracy());
    }
    return metrics;
  }

  private static TokenSums sums(double[] sums, int at) {
    return new TokenSums(
        sums[at], sums[at + 1], Math.round(sums[at + 2]), Math.round(sums[at + 3]), sums[at + 4]);
  }

  @Override
  public Computation open(Decoder decoder) {
    return new Work(decoder, auxWeight);
  }

  private static final class Work implements Computation {
    private final Decoder decoder;
    private final ClassifierLoss loss;

    Work(Decoder decoder, double auxWeight) {
      this.decoder = decoder;
      this.loss = new ClassifierLoss(decoder, auxWeight);
    }

    @Override
    public double[] addGradient(
        MicroBatch batch, Normaliser normaliser, Dropout dropout, Gradients gradients) {
      Batch documents = batch.documents();
      double[] sums = new double[2 * TEXT];
      var unused =
          loss.objective(
                  documents,
                  batch.labels(),
                  batch.weights(),
                  normaliser.weight(),
                  normaliser.text(),
                  dropout,
                  seen -> System.arraycopy(array(seen), 0, sums, 0, sums.length))
              .addGradient(decoder, gradients);
      return sums;
    }

    @Override
    public double[] evaluate(MicroBatch batch) {
      return array(loss.evaluate(batch.documents(), batch.labels(), batch.weights()));
    }

    private static double[] array(ClassifierLoss.Sums sums) {
      TokenSums labels = sums.labels();
      TokenSums text = sums.text();
      return new double[] {
        labels.loss(), labels.weight(), labels.tokens(), labels.correct(), labels.entropy(),
        text.loss(), text.weight(), text.tokens(), text.correct(), text.entropy()
      };
    }

    @Override
    public void close() {
      loss.close();
    }
  }
}
