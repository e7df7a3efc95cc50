package dev.distillery.jobs.generate;

import dev.distillery.core.prompt.SeedTask;
import dev.distillery.core.text.Match;
import dev.distillery.core.text.SimilarityPool;
import dev.distillery.core.text.WordTokenizer;
import dev.distillery.spark.warehouse.InstructionRow;
import dev.distillery.spark.warehouse.StableIds;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
  private final Map<String, Integer> texts = new HashMap<>();
  private final int seeds;

  TaskPool(List<SeedTask> seedTasks, WordTokenizer tokenizer, double threshold) {
    pool = new SimilarityPool(tokenizer, threshold);
    for (SeedTask seed : seedTasks) {
      add(seed.id(), seed.instruction());
    }
    seeds = seedTasks.size();
  }

  /** A seed's instruction, as an example of one. */
  String firstSeed() {
    return pool.text(0);
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
    Integer equal = texts.get(instruction);
    // At a threshold of 1 nothing scores above, and still no task may come twice.
    return equal == null
        ? pool.firstAbove(instruction).map(this::similar)
        : Optional.of(new InstructionRow.Similar(ids.get(equal), instruction, 1));
  }

  /** Adds a candidate that nothing excludes. */
  AdmittedTask admit(Candidate candidate) {
    List<InstructionRow.Similar> mostSimilar =
        pool.nearest(candidate.instruction(), MOST_SIMILAR).stream().map(this::similar).toList();
    String taskId = StableIds.of("task", candidate.instruction());
    add(taskId, candidate.instruction());
    return new AdmittedTask(candidate, taskId, mostSimilar);
  }

  private void add(String id, String instruction) {
    texts.putIfAbsent(instruction, pool.add(instruction));
    ids.add(id);
  }

  private InstructionRow.Similar similar(Match match) {
    return new InstructionRow.Similar(
        ids.get(match.member()), pool.text(match.member()), match.score());
  }
}
