package dev.distillery.jobs.generate;

import dev.distillery.core.prompt.Rejection;
import dev.distillery.core.prompt.TaskInstance;
import dev.distillery.spark.fanout.Completion;
import java.util.List;
import java.util.Optional;

/**
 * An admitted task with its instances.
 *
 * @param isClassification what the teacher said of it; empty where it was not asked
 * @param instances those that passed every filter; none drops the task
 * @param rejected instances that did not pass
 * @param overCap instances that passed and are more than a task may have
 * @param reply the completion that holds the instances
 */
record FinishedTask(
    AdmittedTask task,
    Optional<Boolean> isClassification,
    List<TaskInstance> instances,
    List<Rejection> rejected,
    int overCap,
    Completion reply) {

  /** A task about which a request failed for good. */
  static FinishedTask failed(AdmittedTask task, Completion reply) {
    return new FinishedTask(task, Optional.empty(), List.of(), List.of(), 0, reply);
  }
}
