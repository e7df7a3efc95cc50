package dev.distillery.jobs.generate;

import java.util.Map;

/**
 * What rounds of `generate` have counted. The unit of candidates is the task: candidates =
 * instructions + rejected + leftOver.
 *
 * @param stoppedBy {@code num-instructions} or {@code idle-rounds}; {@code teacher} where asking
 *     had to stop
 * @param rounds closed rounds
 * @param candidates tasks that replies proposed
 * @param instructions tasks that survived every filter
 * @param rejected tasks that a rule dropped
 * @param leftOver tasks that a reached target left over
 * @param instances rows of the table
 * @param instancesOverCap instances of kept tasks beyond the most that a task may have
 * @param rejects rejections by rule, of tasks and of instances
 */
public record GenerationCounts(
    String stoppedBy,
    int rounds,
    long candidates,
    long instructions,
    long rejected,
    long leftOver,
    long instances,
    long instancesOverCap,
    Map<String, Long> rejects) {

  public GenerationCounts {
    rejects = Map.copyOf(rejects);
  }
}
