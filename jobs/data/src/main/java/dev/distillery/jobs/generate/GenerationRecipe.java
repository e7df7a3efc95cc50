package dev.distillery.jobs.generate;

import dev.distillery.core.prompt.Parsed;
import dev.distillery.core.prompt.Rejection;
import dev.distillery.core.teacher.TeacherRequest;
import dev.distillery.spark.fanout.Completion;
import java.util.List;
import java.util.Optional;

/**
 * Whose way of growing a pool: what a slot asks, how its reply is read, which candidates pass, and
 * what is asked of those.
 */
interface GenerationRecipe {

  /** The request of one slot of one round, over the pool after the round before. */
  TeacherRequest propose(int round, int slot, TaskPool pool);

  /** The candidates in a slot's reply, in its order. */
  Parsed<Candidate> read(Completion reply);

  /** The first rule that drops a candidate before it is compared with the pool. */
  Optional<Rejection> check(Candidate candidate);

  /**
   * What is asked of each admitted task, for an estimate; nothing where a reply holds whole tasks.
   */
  List<TeacherRequest> followUps(String instruction);

  /** Fills in what admitted tasks lack, by asking about them; the results in the tasks' order. */
  List<FinishedTask> finish(List<AdmittedTask> tasks, Asking asking);
}
