package dev.distillery.jobs.dpo;

import dev.distillery.model.train.PreferenceLoss;
import dev.distillery.training.run.FrozenModel;
import dev.distillery.training.run.MicroBatch;
import dev.distillery.training.run.SharedFrozen;
import dev.distillery.training.tokens.RowFigures;
import dev.distillery.training.tokens.TokenSequence;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What the reference says of the two answers of each row: their log-probabilities, summed over
 * their tokens. Each row goes through the reference alone, so that its company changes no bit.
 *
 * @param reference whose log-probabilities they are
 * @param hash of its bytes
 */
record ReferenceFigures(FrozenModel reference, String hash) implements RowFigures {
  private static final long serialVersionUID = 1L;

  @Override
  public String name() {
    return "Reference log-probabilities";
  }

  @Override
  public String key() {
    return "reference log-probabilities 1 " + hash;
  }

  @Override
  public Work open() {
    return new Asked(SharedFrozen.of(reference));
  }

  private static final class Asked implements Work {
    private final SharedFrozen.Use model;
    private @Nullable PreferenceLoss loss;

    /** Closes the use with itself. */
    Asked(SharedFrozen.Use model) {
      this.model = model;
    }

    @Override
    public float[] figures(TokenSequence row) {
      var batch = new MicroBatch(List.of(row), new long[1]);
      double[] said = with(own -> own.logProbs(batch.documents(), batch.weights()));
      return PairRows.figures(row, said);
    }

    private <T> T with(Function<PreferenceLoss, T> work) {
      return model.with(
          decoder -> {
            PreferenceLoss now = loss;
            if (now == null) {
              // What a loss is made of counts for nothing where only log-probabilities are asked.
              now =
                  new PreferenceLoss(
                      decoder, new PreferenceLoss.Options(PreferenceLoss.Kind.SIGMOID, 1, 0, 0));
              loss = now;
            }
            return work.apply(now);
          });
    }

    @Override
    public void close() {
      PreferenceLoss now = loss;
      if (now != null) {
        now.close();
      }
      model.close();
    }
  }
}
