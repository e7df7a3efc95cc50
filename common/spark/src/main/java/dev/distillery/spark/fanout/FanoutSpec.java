package dev.distillery.spark.fanout;

import dev.distillery.core.teacher.TeacherSettings;

/**
 * One run that asks a teacher.
 *
 * @param runId the run's id; the same id again resumes from the ledger
 * @param ledger URI of the folder of all ledgers, {@code <warehouse>/_ledger}
 * @param settings which teacher
 * @param tariff what it costs
 * @param limits what the run must not exceed
 * @param retry when a request is tried again
 */
public record FanoutSpec(
    String runId,
    String ledger,
    TeacherSettings settings,
    Tariff tariff,
    FanoutLimits limits,
    RetryPolicy retry) {}
