package dev.distillery.training.run;

import dev.distillery.model.nn.Decoder;
import java.io.Serializable;
import java.util.List;

/**
 * Something that is asked of the policy as it is, without moving it: answers to prompts, or what it
 * says of them. It is sent to executors.
 *
 * @param <I> what is asked about
 * @param <O> what is said of each
 */
@FunctionalInterface
public interface Question<I extends Serializable, O extends Serializable> extends Serializable {
  /**
   * The answers to one group, in its order.
   *
   * @param computation of the run's objective over the decoder
   */
  List<O> answer(Decoder decoder, TrainingObjective.Computation computation, List<I> group);
}
