package dev.distillery.jobs.curate;

import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.Required;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.WithBuilder;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/**
 * What {@code curate} can be told; {@code --use} says which rows stay.
 *
 * @param run what every job can be told
 * @param input tables or files, all of one canonical table
 * @param table canonical table that files of one's own hold; a named table is its own
 * @param outputTable name of the table of kept rows
 */
@WithBuilder
public record CurateOptions(
    RunOptions run,
    @Required("name a table, table@run_id, or files")
        @Option(
            names = "--input",
            paramLabel = "REF",
            description = "Table, table@run_id, or files; may be repeated.")
        List<String> input,
    @Option(
            names = "--table",
            paramLabel = "NAME",
            defaultValue = "instructions",
            description =
                "Canonical table that files of your own hold; ignored for a table's name.")
        String table,
    @Option(
            names = "--output-table",
            paramLabel = "NAME",
            description = "Name of the table of kept rows. Default: the input table's name.")
        Optional<String> outputTable) {
  /** Named setters over the declared defaults. */
  public static CurateOptionsBuilder builder() {
    return CurateOptionsBuilder.builder(OptionsBinder.defaults(CurateOptions.class));
  }
}
