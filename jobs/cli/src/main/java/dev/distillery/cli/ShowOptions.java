package dev.distillery.cli;

import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.OnlyWith;
import dev.distillery.core.run.Required;
import java.util.Optional;
import picocli.CommandLine.Option;

/**
 * What {@code show} can be told.
 *
 * @param ref table or files; empty lists the newest runs
 * @param warehouse where the tables are
 * @param rows how many are printed
 * @param sql engine whose query is printed, and nothing else
 * @param card whether the data set's card is printed, and nothing else
 */
record ShowOptions(
    @Option(
            names = "--ref",
            paramLabel = "REF",
            description =
                "Table, table@run_id, or a path of Parquet files; the option's name may be left"
                    + " out. Default: the newest runs, as the command runs lists them.")
        Optional<String> ref,
    @Required("name a folder or a URI")
        @Option(
            names = "--warehouse",
            paramLabel = "URI",
            defaultValue = "warehouse",
            description = "Folder of the tables: a local path or a Hadoop URI.")
        String warehouse,
    @Bounds(atLeast = 0)
        @Option(
            names = "--rows",
            paramLabel = "N",
            defaultValue = "3",
            description = "Rows to print.")
        int rows,
    @OnlyWith(option = "--ref")
        @Option(
            names = "--sql",
            description = "Print the query that reads the table in that engine, and nothing else.")
        Optional<Engine> sql,
    @OnlyWith(option = "--ref")
        @Option(
            names = "--card",
            defaultValue = "false",
            description = "Print the data set's card: columns, sources, licenses, how it was made.")
        boolean card) {

  /** Engines whose query can be printed. */
  enum Engine {
    DUCKDB,
    SPARK,
    TRINO
  }
}
