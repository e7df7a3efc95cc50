package dev.distillery.jobs.dpo;

import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.Dropout;
import dev.distillery.model.nn.Gradients;
import dev.distillery.model.train.PreferenceLoss;
import dev.distillery.model.train.PreferenceSums;
import dev.distillery.training.run.MicroBatch;
import dev.distillery.training.run.Normaliser;
import dev.distillery.training.run.TrainingObjective;
import dev.distillery.training.tokens.TokenSequence;
import java.util.Map;

/**
 * The mean over the pairs of a step of {@link PreferenceLoss}. The reference's log-probabilities
 * stand in the rows.
 */
final class PreferenceObjective implements TrainingObjective {
  private static final long serialVersionUID = 1L;

  private static final int SUMS = 7;

  private final PreferenceLoss.Options options;

  PreferenceObjective(PreferenceLoss.Options options) {
    this.options = options;
  }

  /** A row is a pair. */
  @Override
  public double weight(TokenSequence row) {
    return 1;
  }

  @Override
  public Map<String, Double> metrics(double[] sums) {
    return PreferenceSums.ofArray(sums).metrics();
  }

  @Override
  public Computation open(Decoder decoder) {
    return new Work(decoder, new PreferenceLoss(decoder, options));
  }

  private static final class Work implements Computation {
    private final Decoder decoder;
    private final PreferenceLoss loss;

    /** Closes the loss with itself. */
    Work(Decoder decoder, PreferenceLoss loss) {
      this.decoder = decoder;
      this.loss = loss;
    }

    @Override
    public double[] addGradient(
        MicroBatch batch, Normaliser normaliser, Dropout dropout, Gradients gradients) {
      double[] sums = new double[SUMS];
      var unused =
          loss.objective(
                  batch.documents(),
                  batch.weights(),
                  PairRows.pairs(batch),
                  normaliser.weight(),
                  dropout,
                  seen -> System.arraycopy(seen.toArray(), 0, sums, 0, SUMS))
              .addGradient(decoder, gradients);
      return sums;
    }

    @Override
    public double[] evaluate(MicroBatch batch) {
      return loss.evaluate(batch.documents(), batch.weights(), PairRows.pairs(batch)).toArray();
    }

    @Override
    public void close() {
      loss.close();
    }
  }
}
