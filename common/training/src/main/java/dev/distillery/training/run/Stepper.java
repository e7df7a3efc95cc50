package dev.distillery.training.run;

import dev.distillery.model.nn.ParameterSpace;
import dev.distillery.spark.job.JobRun;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** How weights are moved: one step after the other, or several at once before workers meet. */
public interface Stepper extends AutoCloseable {
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
    public NotFinite(long step, double loss, double norm, List<long[]> rows) {
      super(
          "Step %s has loss %s and gradient norm %s, which is not finite; its rows of the token table are %s. Look at them, or lower --learning-rate"
              .formatted(
                  step + 1,
                  loss,
                  norm,
                  rows.stream().flatMapToLong(Arrays::stream).boxed().toList()));
    }
  }

  /** The name of the space of trained weights. */
  String PARAMETERS = "parameters";

  /** What a checkpoint holds, by name; the weights are {@code parameters}. */
  Map<String, ParameterSpace> spaces();

  /** What a checkpoint holds beside: numbers, all finite, by name. */
  default Map<String, Double> figures() {
    return Map.of();
  }

  /**
   * Begins after so many steps; the spaces hold what they held then.
   *
   * @param figures as {@link #figures} gave them then; none before the first step
   * @throws IOException where what the stepper writes itself cannot be taken back to that step
   */
  void resume(long step, Map<String, Double> figures) throws IOException;

  /**
   * Takes the step that follows {@code step} others, and perhaps some more, but none beyond {@code
   * end}.
   *
   * @throws NotFinite where one cannot be taken
   */
  List<Taken> take(long step, long end);

  /**
   * An evaluation of the stepper's own, by name; empty where the objective over the held-out rows
   * is what is evaluated.
   */
  default Optional<Map<String, Double>> evaluate(long step) {
    return Optional.empty();
  }

  /**
   * An answer to a held-out prompt.
   *
   * @param expected the row's own; empty where it has none
   * @param figures what it is worth, by name, in order; none of the likeliest tokens
   */
  record Answered(String prompt, String answer, String expected, Map<String, Double> figures) {}

  /**
   * Answers of the stepper's own to the first held-out prompts, by the weights as they are; empty
   * where the likeliest tokens are what is looked at.
   *
   * @param most prompts
   */
  default Optional<List<Answered>> answers(int most) {
    return Optional.empty();
  }

  /** Seconds of this try by what they went into, by the names that a summary gives them. */
  default Map<String, Double> seconds() {
    return Map.of();
  }

  /** Name of the space whose weights are the run's result. */
  default String result() {
    return PARAMETERS;
  }

  /** Writes tables of the stepper's own, once the run is done. */
  default void publish(JobRun run) {}

  @Override
  void close();
}
