package dev.distillery.jobs.ingest;

import dev.distillery.core.run.RunSummary;
import dev.distillery.core.run.Summary;
import java.util.List;

/**
 * What an ingest run did; unitsIn = unitsKept + unitsDuplicate + unitsRejected, in units of the
 * source.
 *
 * @param license SPDX expression that the registry or the user gave the source
 * @param files that were read
 * @param emptyFiles without content
 * @param bytes that were read, as stored
 * @param tasks that read them
 * @param unitsIn units that were found
 * @param unitsKept units that are used
 * @param unitsDuplicate units dropped because of an earlier one
 * @param unitsRejected units that a rule dropped
 * @param rows that were written
 * @param leftOver what a limit left unmade of the kept units
 * @param unreadFields fields that no reader knows, each as {@code name=rows}
 */
public record IngestSummary(
    RunSummary run,
    String license,
    int files,
    int emptyFiles,
    long bytes,
    int tasks,
    long unitsIn,
    long unitsKept,
    long unitsDuplicate,
    long unitsRejected,
    long rows,
    long leftOver,
    List<String> unreadFields)
    implements Summary {}
