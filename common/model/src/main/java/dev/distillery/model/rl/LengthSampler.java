package dev.distillery.model.rl;

import dev.distillery.core.random.CounterRandom;

/**
 * The length that an answer may have, drawn for each: StackLLaMA's, uniform in [least, most).
 *
 * @param least tokens
 * @param most tokens, not reached; one more than {@code least} draws nothing
 */
public record LengthSampler(int least, int most) {
  public LengthSampler {
    if (least < 1 || most <= least) {
      throw new IllegalArgumentException(
          "Lengths need 1 <= least < most: %s and %s".formatted(least, most));
    }
  }

  /** Every answer may be as long. */
  public static LengthSampler fixed(int tokens) {
    return new LengthSampler(tokens, tokens + 1);
  }

  /** The length of one answer, by its name alone. */
  public int length(long key) {
    return least + (int) (CounterRandom.uniformDouble(key, 0) * (most - least));
  }
}
