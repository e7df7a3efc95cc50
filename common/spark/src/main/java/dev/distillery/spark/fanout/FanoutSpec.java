package dev.distillery.spark.fanout;

import dev.distillery.core.teacher.Price;
import dev.distillery.core.teacher.TeacherSettings;
import java.util.Optional;

/**
 * One run that asks a teacher.
 *
 * @param runId the run's id; the same id again resumes from the ledger
 * @param ledger URI of the folder of all ledgers, {@code <warehouse>/_ledger}
 * @param settings which teacher
 * @param price what it costs; empty where nobody knows, and then no cost limit is possible
 * @param limits what the run must not exceed
 * @param retry when a request is tried again
 */
public record FanoutSpec(
    String runId,
    String ledger,
    TeacherSettings settings,
    Optional<Price> price,
    FanoutLimits limits,
    RetryPolicy retry) {}
