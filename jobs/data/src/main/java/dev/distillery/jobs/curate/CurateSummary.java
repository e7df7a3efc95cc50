package dev.distillery.jobs.curate;

import dev.distillery.core.run.RunSummary;
import dev.distillery.core.run.Summary;
import java.util.Map;

/**
 * What a curate run did; in = kept + rejects, in rows.
 *
 * @param in rows of the inputs
 * @param kept rows written
 * @param refused rows that the use does not allow, by reason
 */
public record CurateSummary(RunSummary run, long in, long kept, Map<String, Long> refused)
    implements Summary {}
