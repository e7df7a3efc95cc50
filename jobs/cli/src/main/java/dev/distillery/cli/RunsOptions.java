package dev.distillery.cli;

import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.Required;
import dev.distillery.spark.job.RunList.RunState;
import java.util.Optional;
import picocli.CommandLine.Option;

/**
 * What {@code runs} can be told.
 *
 * @param warehouse where the runs are
 * @param table only runs that have it
 * @param state only runs in it
 * @param job only runs of it
 * @param limit how many are printed at most; 0 for all
 * @param json whether each is printed as JSON
 */
record RunsOptions(
    @Required("name a folder or a URI")
        @Option(
            names = "--warehouse",
            paramLabel = "URI",
            defaultValue = "warehouse",
            description = "Folder of the tables: a local path or a Hadoop URI.")
        String warehouse,
    @Option(
            names = "--table",
            paramLabel = "NAME",
            description = "Only runs that show this table; the option's name may be left out.")
        Optional<String> table,
    @Option(names = "--state", description = "Only runs in this state.") Optional<RunState> state,
    @Option(names = "--job", paramLabel = "NAME", description = "Only runs of this job.")
        Optional<String> job,
    @Bounds(atLeast = 0)
        @Option(
            names = "--limit",
            paramLabel = "N",
            defaultValue = "20",
            description = "Runs to print, the newest; 0 prints all.")
        int limit,
    @Option(
            names = "--json",
            defaultValue = "false",
            description = "Print each run as a JSON object, one a line.")
        boolean json) {
  /** The newest runs of a warehouse, for a person. */
  static RunsOptions newest(String warehouse) {
    return new RunsOptions(
        warehouse, Optional.empty(), Optional.empty(), Optional.empty(), 20, false);
  }
}
