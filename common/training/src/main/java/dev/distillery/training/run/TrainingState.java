package dev.distillery.training.run;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Where a run stands, beside its weights and moments. The rows of the next step, their order and
 * what is dropped follow from the step and the seed.
 *
 * @param step steps taken
 * @param tokens that went through the model in them
 * @param seconds of all tries
 * @param totalSteps that the schedule was made for
 * @param best the lowest value of what is best by, of an accuracy with a minus before it; of no
 *     meaning where there is no best step
 * @param bestStep the step it was taken at; -1 where nothing was evaluated or asked for
 * @param sinceBest evaluations since then
 * @param stoppedEarly whether that was too many
 * @param figures of the stepper, as {@link Stepper#figures} gives them: a controller, running
 *     moments
 */
record TrainingState(
    long step,
    long tokens,
    double seconds,
    long totalSteps,
    double best,
    long bestStep,
    int sinceBest,
    boolean stoppedEarly,
    Map<String, Double> figures) {
  private static final List<String> NOT_FINITE = List.of("NaN", "Infinity", "-Infinity");

  TrainingState {
    figures = Map.copyOf(figures);
  }

  /** A state of a stepper without figures. */
  TrainingState(
      long step,
      long tokens,
      double seconds,
      long totalSteps,
      double best,
      long bestStep,
      int sinceBest,
      boolean stoppedEarly) {
    this(step, tokens, seconds, totalSteps, best, bestStep, sinceBest, stoppedEarly, Map.of());
  }

  static TrainingState start() {
    return new TrainingState(0, 0, 0, 0, 0, -1, 0, false);
  }

  /** After one more step. */
  TrainingState stepped(long tokensOfStep, double secondsOfStep) {
    return new TrainingState(
        step + 1,
        tokens + tokensOfStep,
        seconds + secondsOfStep,
        totalSteps,
        best,
        bestStep,
        sinceBest,
        stoppedEarly,
        figures);
  }

  /** With the stepper's figures as they are now. */
  TrainingState with(Map<String, Double> now) {
    return new TrainingState(
        step, tokens, seconds, totalSteps, best, bestStep, sinceBest, stoppedEarly, now);
  }

  /** With a schedule of so many steps. */
  TrainingState planned(long total) {
    return new TrainingState(
        step, tokens, seconds, total, best, bestStep, sinceBest, stoppedEarly, figures);
  }

  /**
   * After an evaluation. A value that is not finite is never best.
   *
   * @param patience evaluations without a new best after which the run ends
   */
  TrainingState evaluated(double value, int patience) {
    boolean better = Double.isFinite(value) && (bestStep < 0 || value < best);
    int since = better ? 0 : sinceBest + 1;
    return new TrainingState(
        step,
        tokens,
        seconds,
        totalSteps,
        better ? value : best,
        better ? step : bestStep,
        since,
        since >= patience,
        figures);
  }

  void write(ObjectNode json) {
    json.put("step", step);
    json.put("tokens", tokens);
    json.put("seconds", seconds);
    json.put("total_steps", totalSteps);
    json.put("best", best);
    json.put("best_step", bestStep);
    json.put("evaluations_since_best", sinceBest);
    json.put("stopped_early", stoppedEarly);
    if (!figures.isEmpty()) {
      ObjectNode own = json.putObject("stepper");
      new TreeMap<>(figures).forEach(own::put);
    }
  }

  /**
   * Reads what {@link #write} wrote.
   *
   * @throws IllegalArgumentException naming a member that is missing or of another kind
   */
  static TrainingState read(JsonNode json) {
    Map<String, Double> figures = new TreeMap<>();
    JsonNode own = json.path("stepper");
    own.fieldNames().forEachRemaining(name -> figures.put(name, number(own, name)));
    return new TrainingState(
        whole(json, "step", 0, Long.MAX_VALUE),
        whole(json, "tokens", 0, Long.MAX_VALUE),
        number(json, "seconds"),
        whole(json, "total_steps", 0, Long.MAX_VALUE),
        number(json, "best"),
        whole(json, "best_step", -1, Long.MAX_VALUE),
        (int) whole(json, "evaluations_since_best", 0, Integer.MAX_VALUE),
        flag(json, "stopped_early"),
        figures);
  }

  private static long whole(JsonNode json, String member, long least, long most) {
    JsonNode value = json.required(member);
    if (!value.isIntegralNumber()
        || !value.canConvertToLong()
        || value.longValue() < least
        || value.longValue() > most) {
      throw unlike(member, value, "a whole number from " + least + " to " + most);
    }
    return value.longValue();
  }

  /** A number; one that is not finite stands as a text. */
  private static double number(JsonNode json, String member) {
    JsonNode value = json.required(member);
    if (!value.isNumber() && !(value.isTextual() && NOT_FINITE.contains(value.textValue()))) {
      throw unlike(member, value, "a number");
    }
    return value.isNumber() ? value.doubleValue() : Double.parseDouble(value.textValue());
  }

  private static boolean flag(JsonNode json, String member) {
    JsonNode value = json.required(member);
    if (!value.isBoolean()) {
      throw unlike(member, value, "true or false");
    }
    return value.booleanValue();
  }

  private static IllegalArgumentException unlike(String member, JsonNode value, String wanted) {
    return new IllegalArgumentException(
        "its state's %s is %s and must be %s".formatted(member, value, wanted));
  }
}
