package dev.distillery.jobs.generate;

import dev.distillery.core.prompt.TaskInstance;
import dev.distillery.spark.fanout.Completion;
import java.util.List;

/**
 * A task that a reply proposes.
 *
 * @param instruction what is to be done
 * @param instances its cases; empty where a later step asks for them
 * @param reply the completion that holds it
 * @param place where in the reply's candidates it stands, from 0
 */
record Candidate(String instruction, List<TaskInstance> instances, Completion reply, int place) {

  /** Where the candidate came from, as `rejects.id` names it. */
  String origin() {
    return reply.requestId() + "#" + place;
  }
}
