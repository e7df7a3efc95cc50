package dev.distillery.training.run;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * What a run came to.
 *
 * @param steps taken, those of earlier tries included
 * @param resumedFrom the checkpoint that this try began at
 * @param resultStep whose weights were written: the best step's or the last
 * @param interrupted why the run ended before its last step, to be started again; empty where it is
 *     done, an early stop included
 * @param stoppedEarly whether evaluation had not improved for too long
 * @param output folder of the model or the adapter
 * @param figures of the summary: steps, tokens, losses, norms, seconds
 * @param samples answers to held-out prompts
 */
public record TrainingResult(
    long steps,
    OptionalLong resumedFrom,
    long resultStep,
    Optional<String> interrupted,
    boolean stoppedEarly,
    String output,
    Map<String, Number> figures,
    List<Sample> samples) {
  public TrainingResult {
    figures = Map.copyOf(new TreeMap<>(figures));
    samples = List.copyOf(samples);
  }

  /** What was answered to a held-out prompt before training, and by the result. */
  public record Sample(String prompt, String before, String after) {}

  TrainingResult with(List<Sample> answered) {
    return new TrainingResult(
        steps, resumedFrom, resultStep, interrupted, stoppedEarly, output, figures, answered);
  }
}
