package dev.distillery.training.rollout;

import dev.distillery.core.run.JobException;
import java.util.List;

/**
 * A reward in Java, found by {@link #name} among the providers that {@code META-INF/services} of
 * the class path lists. It is called on the driver, once an update, by one thread, and must give
 * the same numbers for the same answers, or a run that is resumed is another run.
 *
 * <pre>{@code
 * public final class Polite implements RewardFunction {
 *   public String name() {
 *     return "polite";
 *   }
 *
 *   public double[] rewards(List<Sampled> answers) {
 *     return answers.stream().mapToDouble(a -> a.answer().contains("please") ? 1 : 0).toArray();
 *   }
 * }
 * }</pre>
 */
public interface RewardFunction {
  /** What {@code --reward} names it by: letters, digits, underscores and hyphens. */
  String name();

  /**
   * The function for an argument, of {@code --reward name:argument=weight}.
   *
   * @throws JobException where it takes none, or not this one
   */
  default RewardFunction with(String argument) {
    throw JobException.invalid(
        "Option --reward: %s takes no argument, found %s".formatted(name(), argument));
  }

  /**
   * A number for each answer, in order; one that is not finite takes its answer out: nothing is
   * learned from it, and it is counted.
   */
  double[] rewards(List<Sampled> answers);
}
