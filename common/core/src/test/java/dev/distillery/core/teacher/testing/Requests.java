package dev.distillery.core.teacher.testing;

import dev.distillery.core.dialogue.Message;
import dev.distillery.core.teacher.Sampling;
import dev.distillery.core.teacher.TeacherRequest;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** Short ways to write requests in tests. */
public final class Requests {
  private Requests() {}

  /** A prompt to continue. */
  public static TeacherRequest prompt(String id, String model, String prompt, Sampling sampling) {
    return new TeacherRequest(
        id, Optional.empty(), model, Optional.of(prompt), List.of(), sampling, "{}");
  }

  /** A dialogue of one user message. */
  public static TeacherRequest chat(String id, String model, String content, Sampling sampling) {
    return new TeacherRequest(
        id,
        Optional.empty(),
        model,
        Optional.empty(),
        List.of(new Message("user", content)),
        sampling,
        "{}");
  }

  /** Greedy, with stop texts. */
  public static Sampling greedy(int stepMaxNewTokens, String... stop) {
    return sampling(stepMaxNewTokens, 0, 1, OptionalLong.empty(), stop);
  }

  /** Seeded draws at temperature 0.8, top-p 0.95. */
  public static Sampling seeded(int stepMaxNewTokens, long seed, String... stop) {
    return sampling(stepMaxNewTokens, 0.8, 0.95, OptionalLong.of(seed), stop);
  }

  private static Sampling sampling(
      int stepMaxNewTokens, double temperature, double topP, OptionalLong seed, String... stop) {
    return new Sampling(
        stepMaxNewTokens,
        OptionalDouble.of(temperature),
        OptionalDouble.of(topP),
        OptionalInt.empty(),
        OptionalDouble.empty(),
        OptionalDouble.empty(),
        OptionalDouble.empty(),
        seed,
        List.of(stop));
  }
}
