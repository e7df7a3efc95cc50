package dev.distillery.jobs.generate;

import dev.distillery.spark.warehouse.InstructionRow;
import java.util.List;

/**
 * A candidate that is new enough: it is in the pool.
 *
 * @param taskId stable hash of the instruction
 * @param mostSimilar at most ten tasks of the pool as it was, best first
 */
record AdmittedTask(Candidate candidate, String taskId, List<InstructionRow.Similar> mostSimilar) {

  /** Score of the nearest task; 0 where none shares a token. */
  double maxSimilarity() {
    return mostSimilar.isEmpty() ? 0 : mostSimilar.get(0).score();
  }
}
