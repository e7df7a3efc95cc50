package dev.distillery.training.run;

import dev.distillery.model.nn.ParameterSpace;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** How weights are moved: one step after the other, or several at once before workers meet. */
interface Stepper extends AutoCloseable {
  /**
   * What one step did.
   *
   * @param tokens that went through the model
   * @param metrics by name, those of the objective first
   */
  record Taken(long tokens, Map<String, Double> metrics) {}

  /** A step whose loss or gradient is not finite; weights have not been moved by it. */
  final class NotFinite extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * @param step counted from 0
     * @param rows of its micro-batches
     */
    NotFinite(long step, double loss, double norm, List<long[]> rows) {
      super(
          "Step %d has loss %s and gradient norm %s, which is not finite; its rows of the token table are %s. Look at them, or lower --learning-rate"
              .formatted(
                  step + 1,
                  loss,
                  norm,
                  rows.stream().flatMapToLong(Arrays::stream).boxed().toList()));
    }
  }

  /** What a checkpoint holds, by name; the weights are {@code parameters}. */
  Map<String, ParameterSpace> spaces();

  /** Begins after so many steps; the spaces hold what they held then. */
  void resume(long step);

  /**
   * Takes the step that follows {@code step} others, and perhaps some more, but none beyond {@code
   * end}.
   *
   * @throws NotFinite where one cannot be taken
   */
  List<Taken> take(long step, long end);

  @Override
  void close();
}
