package dev.distillery.jobs.report;

import dev.distillery.core.run.RunSummary;
import dev.distillery.core.run.Summary;
import java.util.List;

/**
 * What a report shows.
 *
 * @param rows of the table
 * @param texts columns that were measured as texts
 * @param sections headings of the page, in their order
 */
public record ReportSummary(RunSummary run, long rows, List<String> texts, List<String> sections)
    implements Summary {}
