package dev.distillery.jobs.ingest;

import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.Required;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.Tunable;
import dev.distillery.core.run.WithBuilder;
import dev.distillery.datasets.SourceSettings;
import dev.distillery.datasets.read.ReadLimits;
import dev.distillery.datasets.registry.Sources;
import java.util.List;
import picocli.CommandLine.Option;

/**
 * What {@code ingest} can be told; {@code --use} refuses a source whose license does not allow it.
 *
 * @param run what every job can be told
 * @param source which reader
 * @param input paths, folders and globs
 * @param settings what a source can be told
 * @param limits what is believed of the input
 * @param splitBytes size of a task's part of a file
 */
@WithBuilder
public record IngestOptions(
    RunOptions run,
    @Option(
            names = "--source",
            paramLabel = "NAME",
            description = "What the files are: which reader takes them.")
        Sources source,
    @Required("name files, folders or globs")
        @Option(
            names = "--input",
            paramLabel = "PATH",
            description = "File, folder or glob, any Hadoop URI; may be given several times.")
        List<String> input,
    SourceSettings settings,
    ReadLimits limits,
    @Tunable
        @Bounds(atLeast = 1024)
        @Option(
            names = "--split-bytes",
            paramLabel = "BYTES",
            defaultValue = "33554432",
            description = "Size of the part of a file that one task reads, as stored.")
        long splitBytes) {
  /** Named setters over the declared defaults. */
  public static IngestOptionsBuilder builder() {
    return IngestOptionsBuilder.builder(OptionsBinder.defaults(IngestOptions.class));
  }
}
