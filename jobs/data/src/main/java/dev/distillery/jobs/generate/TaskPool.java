package dev.distillery.jobs.generate;

import dev.distillery.core.prompt.SeedTask;
import dev.distillery.core.text.Match;
import dev.distillery.core.text.SimilarityPool;
import dev.distillery.core.text.Tokenizer;
import dev.distillery.spark.warehouse.InstructionRow;
import dev.distillery.spark.warehouse.StableIds;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Every instruction so far, seeds first, then those admitted in their order. A candidate is
 * admitted iff no member scores above the threshold with it; one admitted earlier counts for the
 * next. Lives on the driver: its size is that of the result.
 */
final class TaskPool {
  private static final int MOST_SIMILAR = 10;

  private final SimilarityPool pool;
  private final List<String> ids = new ArrayList<>();
  private final int seeds;

  TaskPool(List<SeedTask> seedTasks, Tokenizer tokenizer, double threshold) {
    pool = new SimilarityPool(tokenizer, threshold);
    for (SeedTask seed : seedTasks) {
      pool.add(seed.instruction());
      ids.add(seed.id());
    }
    seeds = seedTasks.size();
  }

  /** How many instructions a teacher wrote are in the pool. */
  int generated() {
    return pool.size() - seeds;
  }

  /** The text of the n-th instruction that a teacher wrote. */
  String generated(int index) {
    return pool.text(seeds + index);
  }

  /** The member that excludes the instruction; empty where it may be admitted. */
  Optional<InstructionRow.Similar> excludedBy(String instruction) {
    return pool.firstAbove(instruction).map(this::similar);
  }

  /** Adds a candidate that nothing excludes. */
  AdmittedTask admit(Candidate candidate) {
    List<InstructionRow.Similar> mostSimilar =
        pool.nearest(candidate.instruction(), MOST_SIMILAR).stream().map(this::similar).toList();
    String taskId = StableIds.of("task", candidate.instruction());
    pool.add(candidate.instruction());
    ids.add(taskId);
    return new AdmittedTask(candidate, taskId, mostSimilar);
  }

  private InstructionRow.Similar similar(Match match) {
    return new InstructionRow.Similar(
        ids.get(match.member()), pool.text(match.member()), match.score());
  }
}
