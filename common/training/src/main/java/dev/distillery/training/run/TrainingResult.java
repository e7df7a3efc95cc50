package dev.distillery.training.run;

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
 */
public record TrainingResult(
    long steps,
    OptionalLong resumedFrom,
    long resultStep,
    Optional<String> interrupted,
    boolean stoppedEarly,
    String output,
    Map<String, Number> figures) {
  public TrainingResult {
    figures = Map.copyOf(new TreeMap<>(figures));
  }
}
