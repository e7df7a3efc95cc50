package dev.distillery.core.teacher;

import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * How a reply is drawn. What is empty is left to the teacher; a server may then apply defaults of
 * its own, so jobs set what matters.
 *
 * @param maxNewTokens most tokens of one reply; at least 1
 * @param temperature 0 is greedy
 * @param topP nucleus mass in (0, 1]
 * @param topK most likely tokens to draw from; not part of the OpenAI protocol, sent as an extra
 *     field
 * @param frequencyPenalty in [-2, 2]
 * @param presencePenalty in [-2, 2]
 * @param repetitionPenalty multiplicative, 1 is none; sent as an extra field
 * @param seed of the draw, where the teacher has one
 * @param stop texts that end the reply, in the order given; the reply does not hold them
 */
public record Sampling(
    int maxNewTokens,
    OptionalDouble temperature,
    OptionalDouble topP,
    OptionalInt topK,
    OptionalDouble frequencyPenalty,
    OptionalDouble presencePenalty,
    OptionalDouble repetitionPenalty,
    OptionalLong seed,
    List<String> stop) {

  public Sampling {
    if (maxNewTokens < 1) {
      throw new IllegalArgumentException("maxNewTokens must be at least 1, found " + maxNewTokens);
    }
    stop = List.copyOf(stop);
  }

  /** A sampling with a length only; the rest is the teacher's default. */
  public static Sampling of(int maxNewTokens) {
    return new Sampling(
        maxNewTokens,
        OptionalDouble.empty(),
        OptionalDouble.empty(),
        OptionalInt.empty(),
        OptionalDouble.empty(),
        OptionalDouble.empty(),
        OptionalDouble.empty(),
        OptionalLong.empty(),
        List.of());
  }
}
