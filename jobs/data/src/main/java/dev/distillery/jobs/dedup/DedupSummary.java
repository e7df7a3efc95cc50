package dev.distillery.jobs.dedup;

import dev.distillery.core.run.RunSummary;
import dev.distillery.core.run.Summary;
import java.util.Optional;

/**
 * What a dedup run did; in = kept + duplicates + rejects, in rows.
 *
 * @param in rows of the input
 * @param kept rows written
 * @param duplicates rows dropped, each for a kept one
 * @param withoutTokens kept rows that have nothing to compare
 * @param against rows of the pools
 * @param evaluation beside the exact gate, where it was asked for
 */
public record DedupSummary(
    RunSummary run,
    long in,
    long kept,
    long duplicates,
    long withoutTokens,
    long against,
    Optional<Evaluation> evaluation)
    implements Summary {

  /**
   * An approximate metric beside the exact gate.
   *
   * @param precision share of the dropped rows that the exact gate drops too
   * @param recall share of the rows that the exact gate drops that were dropped
   * @param exactDuplicates rows that the exact gate drops
   */
  public record Evaluation(double precision, double recall, long exactDuplicates) {}
}
