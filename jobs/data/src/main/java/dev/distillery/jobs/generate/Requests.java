package dev.distillery.jobs.generate;

import dev.distillery.core.teacher.RequestIds;
import dev.distillery.core.teacher.Sampling;
import dev.distillery.core.teacher.TeacherRequest;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * Makes this run's requests: the model, the length and the extra fields are the run's, the rest is
 * a step's.
 */
record Requests(
    String model,
    Optional<Integer> maxNewTokens,
    Optional<Double> temperature,
    Optional<Double> topP,
    String extraBody) {

  /**
   * A request for new tasks, whose sampling a user may change; the recipe's own stands where they
   * do not.
   */
  TeacherRequest proposal(
      int round,
      int slot,
      String prompt,
      int stepMaxNewTokens,
      double recipeTemperature,
      double recipeTopP,
      double presencePenalty,
      long seed,
      List<String> stop) {
    return of(
        "round " + round + " slot " + slot,
        Optional.empty(),
        prompt,
        stepMaxNewTokens,
        temperature.orElse(recipeTemperature),
        topP.orElse(recipeTopP),
        presencePenalty,
        seed,
        stop);
  }

  /**
   * A request about one task.
   *
   * @param place the step: part of the request's id
   * @param task the task that is asked about, where there is one
   * @param stepMaxNewTokens the step's own length, where the run has none
   */
  TeacherRequest of(
      String place,
      Optional<String> task,
      String prompt,
      int stepMaxNewTokens,
      double stepTemperature,
      double stepTopP,
      double presencePenalty,
      long seed,
      List<String> stop) {
    var sampling =
        new Sampling(
            // An answer of one word stays short, whatever the run's length.
            stepMaxNewTokens < 10 ? stepMaxNewTokens : maxNewTokens.orElse(stepMaxNewTokens),
            OptionalDouble.of(stepTemperature),
            OptionalDouble.of(stepTopP),
            OptionalInt.empty(),
            OptionalDouble.of(0),
            OptionalDouble.of(presencePenalty),
            OptionalDouble.empty(),
            OptionalLong.of(seed),
            stop);
    return new TeacherRequest(
        RequestIds.of(
            model,
            sampling,
            extraBody,
            Optional.of(prompt),
            List.of(),
            task.orElse("") + " " + place),
        task,
        model,
        Optional.of(prompt),
        List.of(),
        sampling,
        extraBody);
  }
}
