package dev.distillery.training.run;

import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.Dropout;
import dev.distillery.model.nn.Gradients;
import dev.distillery.training.tokens.TokenSequence;
import java.io.Serializable;
import java.util.Map;
import java.util.Optional;

/**
 * What a run minimises. It is sent to executors, so it holds little: what is large, such as a
 * reference model, is opened there by its path.
 */
public interface TrainingObjective extends Serializable {
  /**
   * What a row adds to the normaliser of its step; 0 where nothing of it is trained. The normaliser
   * of a step is the sum over all rows of all its micro-batches; of an epoch's last step, which may
   * have fewer of them, over those that it has.
   */
  double weight(TokenSequence row);

  /** The same for a second loss over the row's text; 0 where there is none. */
  default double textWeight(TokenSequence row) {
    return 0;
  }

  /** Bytes of what it holds beside the student in each JVM, about; 0 where that is little. */
  default long heldBytes() {
    return 0;
  }

  /**
   * Metrics of a step or of an evaluation, by the names that Hugging Face's trainer and TRL log
   * them under, in order; {@code loss} is among them.
   *
   * @param sums of what a {@link Computation} returned for each of its micro-batches
   */
  Map<String, Double> metrics(double[] sums);

  /** The objective over a decoder, made once a JVM and closed before the decoder is. */
  Computation open(Decoder decoder);

  /**
   * As {@link #open(Decoder)}, for objectives that ask a value network.
   *
   * @param network whose gradients are named with {@code DecoderLayout.VALUE_NETWORK} before them
   */
  default Computation open(Decoder decoder, Optional<Decoder> network) {
    return open(decoder);
  }

  /** An objective at work. One thread at a time. */
  interface Computation extends AutoCloseable {
    /**
     * Runs forward and backward over one micro-batch and adds the gradient of its part of the loss:
     * its sums divided by {@code normaliser}.
     *
     * @return the micro-batch's sums, not divided; as many of them for each
     */
    double[] addGradient(
        MicroBatch batch, Normaliser normaliser, Dropout dropout, Gradients gradients);

    /** The sums of one micro-batch without a gradient and without dropout. */
    double[] evaluate(MicroBatch batch);

    @Override
    void close();
  }
}
