package dev.distillery.training.run;

import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.ParameterSpace;
import dev.distillery.training.tokens.TokenRows;
import java.io.Serializable;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;

/** What computes gradients and evaluations: this process, or Spark's executors. */
public interface Engine extends AutoCloseable {
  /** The kernels of the driver's spaces. */
  Kernels kernels();

  /** The trained weights, which the caller moves; {@link #moved} must follow. */
  ParameterSpace parameters();

  /** Says that {@link #parameters} hold other values now. */
  void moved();

  /**
   * The gradient of a step and its sums.
   *
   * @param gradient valid until the next call
   */
  @SuppressWarnings("ArrayRecordComponent") // Built once and only read: a copy would help nobody.
  record Computed(ParameterSpace gradient, double[] sums) {}

  /** Computes a step. */
  Computed gradient(StepWork work);

  /**
   * The objective's sums over all rows, in micro-batches of {@code batchSize} in order.
   *
   * @param rows at least one
   */
  double[] evaluate(TokenRows rows, int batchSize);

  /**
   * Seconds of this try's steps in which not even the busiest executor computed or read the model:
   * weights on their way down, gradients up, and Spark's scheduling. Nothing where nothing is
   * exchanged.
   */
  default OptionalDouble exchangeSeconds() {
    return OptionalDouble.empty();
  }

  /** Seconds of this try's steps in which executors read the model first. Nothing as above. */
  default OptionalDouble openingSeconds() {
    return OptionalDouble.empty();
  }

  /** How many compute. */
  default int workers() {
    return 1;
  }

  /**
   * Asks something of the policy with its weights as they are. Groups are planned by who asks, and
   * each is answered by itself, so that who answers which changes no bit.
   *
   * @param groups lists that can be sent, none of them empty
   * @return the answers of all groups, in their order
   */
  <I extends Serializable, O extends Serializable> List<O> ask(
      List<List<I>> groups, Question<I, O> question);

  /**
   * The likeliest continuations of prompts by the weights as they are.
   *
   * @param most tokens of one
   * @param stops that end one
   */
  List<int[]> answers(List<int[]> prompts, int most, int[] stops);

  @Override
  void close();

  /** Adds sums; what is missing at an end counts as 0. */
  static double[] plus(double[] first, double[] second) {
    double[] sum = Arrays.copyOf(first, Math.max(first.length, second.length));
    for (int i = 0; i < second.length; i++) {
      sum[i] += second[i];
    }
    return sum;
  }

  /** The rows of an evaluation's micro-batch. */
  static long[] evaluated(TokenRows rows, int batchSize, int microBatch) {
    long first = (long) microBatch * batchSize;
    long[] positions = new long[(int) Math.min(batchSize, rows.size() - first)];
    for (int i = 0; i < positions.length; i++) {
      positions[i] = first + i;
    }
    return positions;
  }

  /** Micro-batches of an evaluation. */
  static int evaluations(TokenRows rows, int batchSize) {
    return Math.toIntExact((rows.size() + batchSize - 1) / batchSize);
  }
}
