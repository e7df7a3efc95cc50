package dev.distillery.jobs.curate;

import dev.distillery.core.run.RunSummary;
import dev.distillery.core.run.Summary;
import java.util.Map;

/**
 * What a curate run did; in = kept + duplicates + rejects + left over, in rows of the inputs.
 *
 * @param in rows of the inputs
 * @param kept rows that are used
 * @param duplicates rows whose prompt and chosen answer an earlier one has
 * @param leftOver rows of other splits, and those that weights and caps leave
 * @param rows written: more than are kept where a weight is over 1
 * @param uncheckedItems rows of the evaluation tables that are too short to be found
 * @param refused rows that the use does not allow, by reason
 * @param dropped rows by the rule that dropped them
 * @param inputs rows of each input that are used
 * @param splits rows written of each split
 * @param redacted placeholders in the kept rows, by kind, as figures {@code redacted_email}
 */
public record CurateSummary(
    RunSummary run,
    long in,
    long kept,
    long duplicates,
    long leftOver,
    long rows,
    long uncheckedItems,
    Map<String, Long> refused,
    Map<String, Long> dropped,
    Map<String, Long> inputs,
    Map<String, Long> splits,
    Map<String, Number> redacted)
    implements Summary {}
