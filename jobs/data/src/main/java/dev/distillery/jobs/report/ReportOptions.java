package dev.distillery.jobs.report;

import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.Required;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.WithBuilder;
import java.util.List;
import picocli.CommandLine.Option;

/**
 * What the report job can be told.
 *
 * @param run what every job can be told
 * @param input table or files that are shown
 * @param output file of the page
 * @param texts columns that are measured; empty for all
 * @param sampleRows rows that are shown whole
 * @param nearest rows whose nearest others are shown
 */
@WithBuilder
public record ReportOptions(
    RunOptions run,
    @Required("name a table or files")
        @Option(
            names = "--input",
            paramLabel = "REF",
            description = "Table, table@run_id, or files of JSONL or Parquet with any columns.")
        String input,
    @Required("name the page's file, such as report.html")
        @Option(
            names = "--output",
            paramLabel = "FILE.html",
            description =
                "Page to write, on any file system; must not be there yet, but with --overwrite.")
        String output,
    @Option(
            names = "--texts",
            paramLabel = "NAMES",
            split = ",",
            description =
                "Columns whose texts are measured: lengths, languages, verbs, nearest rows."
                    + " Default: every column of texts or messages.")
        List<String> texts,
    @Bounds(atLeast = 0, atMost = 1000)
        @Option(
            names = "--sample-rows",
            paramLabel = "N",
            defaultValue = "10",
            description = "Rows that are shown, drawn by the seed.")
        int sampleRows,
    @Bounds(atLeast = 0, atMost = 100)
        @Option(
            names = "--nearest",
            paramLabel = "N",
            defaultValue = "5",
            description =
                "Rows, drawn by the seed, whose three most similar others are looked for among all"
                    + " rows, by ROUGE-L of the first text.")
        int nearest) {
  /** Named setters over the declared defaults. */
  public static ReportOptionsBuilder builder() {
    return ReportOptionsBuilder.builder(OptionsBinder.defaults(ReportOptions.class));
  }
}
