package dev.distillery.jobs.complete;

import dev.distillery.core.run.RunSummary;
import dev.distillery.core.run.Summary;
import dev.distillery.spark.fanout.FanoutFigures;
import dev.distillery.spark.fanout.RequestPlan;
import java.util.Optional;

/**
 * What a complete run did; its unit is the request.
 *
 * @param requests requests of the input: rows times samples
 * @param requestsReused replies taken from other runs
 * @param teacher what was asked and used; empty in a dry run
 * @param plan what the requests that are not reused would take; of a dry run
 */
public record CompleteSummary(
    RunSummary run,
    long requests,
    Optional<Long> requestsReused,
    Optional<FanoutFigures> teacher,
    Optional<RequestPlan> plan)
    implements Summary {}
