package dev.distillery.jobs.generate;

import dev.distillery.core.run.RunSummary;
import dev.distillery.core.run.Summary;
import dev.distillery.core.teacher.Prices;
import dev.distillery.spark.fanout.Fanout;
import dev.distillery.spark.fanout.FanoutFigures;
import java.util.Optional;

/**
 * How a generate run ended; its unit is the task.
 *
 * @param counts of its rounds; empty in a dry run
 * @param requestsReused replies taken from other runs by this attempt; empty in a dry run
 * @param teacher what asking took: requests, tokens, cost; empty in a dry run
 * @param price of one instruction; empty where the teacher has no price or none was kept
 * @param plan what a run would ask; of a dry run
 */
public record GenerateSummary(
    RunSummary run,
    Optional<GenerationCounts> counts,
    Optional<Long> requestsReused,
    Optional<FanoutFigures> teacher,
    Optional<InstructionPrice> price,
    Optional<GeneratePlan> plan)
    implements Summary {

  /** US dollars for one instruction, and what Alpaca says of its own. */
  public record InstructionPrice(
      double costUsdPerInstruction, double alpacaCostUsdPerInstruction) {}

  static GenerateSummary of(RunSummary run, GenerationCounts counts, Fanout fanout) {
    FanoutFigures teacher = fanout.figures();
    return new GenerateSummary(
        run,
        Optional.of(counts),
        Optional.of(fanout.reused()),
        Optional.of(teacher),
        teacher
            .costUsd()
            .filter(cost -> counts.instructions() > 0)
            .map(
                cost ->
                    new InstructionPrice(
                        cost / counts.instructions(),
                        Prices.ALPACA_USD_PER_INSTRUCTION.doubleValue())),
        Optional.empty());
  }

  static GenerateSummary of(RunSummary run, GeneratePlan plan) {
    return new GenerateSummary(
        run,
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.of(plan));
  }

  /** Tasks that survived every filter. */
  public long instructions() {
    return counts.map(GenerationCounts::instructions).orElse(0L);
  }
}
