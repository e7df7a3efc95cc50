package dev.distillery.jobs.judge;

import dev.distillery.core.run.RunSummary;
import dev.distillery.core.run.Summary;
import dev.distillery.spark.fanout.FanoutFigures;
import dev.distillery.spark.fanout.RequestPlan;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a judge run found; its unit is the id.
 *
 * @param ids different ids of all inputs
 * @param pairs ids that can be judged; empty where answers are graded
 * @param onlyInInput ids that only --input has an answer of
 * @param onlyInAgainst ids that only --against has an answer of
 * @param promptsDiffer pairs whose two rows were asked different things; the judge is shown that of
 *     --input
 * @param requests requests to the judge
 * @param requestsReused replies taken from other runs
 * @param teacher what was asked and used; empty where nothing was asked
 * @param plan what a run would ask; of a dry run
 * @param onlyInInputIds the first of those ids
 * @param onlyInAgainstIds the first of those ids
 * @param models who gave the answers
 * @param results {@code judged}, {@code win_rate} and others; with criteria under names such as
 *     {@code win_rate.helpful}
 */
public record JudgeSummary(
    RunSummary run,
    long ids,
    Optional<Long> pairs,
    Optional<Long> onlyInInput,
    Optional<Long> onlyInAgainst,
    Optional<Long> promptsDiffer,
    long requests,
    Optional<Long> requestsReused,
    Optional<FanoutFigures> teacher,
    Optional<RequestPlan> plan,
    List<String> onlyInInputIds,
    List<String> onlyInAgainstIds,
    List<Models> models,
    Map<String, Number> results)
    implements Summary {
  /** Who gave answer a, and who b; null where one answer is graded. */
  public record Models(String a, @Nullable String b) {}

  public JudgeSummary {
    onlyInInputIds = List.copyOf(onlyInInputIds);
    onlyInAgainstIds = List.copyOf(onlyInAgainstIds);
    models = List.copyOf(models);
    results = Map.copyOf(results);
  }
}
