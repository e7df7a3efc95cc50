package dev.distillery.cli;

import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.spark.warehouse.RunRecord;
import dev.distillery.spark.warehouse.RunRecords;
import dev.distillery.spark.warehouse.TableRef;
import dev.distillery.spark.warehouse.Warehouse;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.apache.hadoop.fs.Path;
import org.apache.spark.deploy.SparkHadoopUtil;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructField;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/**
 * `distillery show REF`: a table's schema, the record of its run, and some rows; or the query that
 * reads it elsewhere.
 */
final class ShowCommand {
  private final PrintStream out;

  ShowCommand(PrintStream out) {
    this.out = out;
  }

  /** Engines whose query `--sql` prints. */
  enum Engine {
    DUCKDB,
    SPARK,
    TRINO
  }

  @CommandLine.Command(
      name = "distillery show",
      description = "Print a table's schema, the record of its run, and some rows.")
  static final class Arguments {
    @Parameters(
        arity = "1",
        paramLabel = "REF",
        description = "table, table@run_id, or a path of Parquet files")
    private String ref = "";

    @Option(
        names = "--warehouse",
        paramLabel = "URI",
        defaultValue = "warehouse",
        description = "Folder of the tables (default: warehouse)")
    private String warehouse = "warehouse";

    @Option(
        names = "--rows",
        paramLabel = "N",
        defaultValue = "3",
        description = "Rows to print (default: 3)")
    private int rows = 3;

    @Option(
        names = "--sql",
        paramLabel = "duckdb|spark|trino",
        description = "Print the query that reads the table in that engine, and nothing else")
    private Optional<Engine> sql = Optional.empty();

    @Option(
        names = "--card",
        description = "Print the data set's card: columns, sources, licenses, how it was made")
    private boolean card;

    @Option(
        names = {"-h", "--help"},
        usageHelp = true,
        description = "Print this help")
    private boolean help;
  }

  ExitCode run(List<String> args) {
    var arguments = new Arguments();
    var commandLine = new CommandLine(arguments).setCaseInsensitiveEnumValuesAllowed(true);
    try {
      commandLine.parseArgs(args.toArray(String[]::new));
    } catch (ParameterException e) {
      throw JobException.usage(List.of(String.valueOf(e.getMessage())));
    }
    if (arguments.help) {
      commandLine.usage(out);
      return ExitCode.DONE;
    }
    TableRef ref = TableRef.parse(arguments.ref);
    Warehouse warehouse = Warehouse.at(arguments.warehouse, SparkHadoopUtil.get().conf());
    Optional<RunRecord> record =
        ref instanceof TableRef.Named named
            ? Optional.of(find(named, warehouse))
            : Optional.empty();
    Path path =
        ref instanceof TableRef.Named named
            ? warehouse.table(named.table(), record.orElseThrow().runId())
            : new Path(((TableRef.Files) ref).path());
    if (arguments.sql.isPresent()) {
      out.println(query(arguments.sql.get(), path));
      return ExitCode.DONE;
    }
    if (arguments.card) {
      if (!(ref instanceof TableRef.Named named)) {
        throw JobException.invalid(
            "Option --card: only a table of the warehouse has a card, not files: " + arguments.ref);
      }
      out.print(DatasetCard.of(record.orElseThrow(), named.table()));
      return ExitCode.DONE;
    }
    return Sessions.with(
        "show " + arguments.ref,
        spark -> {
          Dataset<Row> rows = spark.read().parquet(path.toString());
          out.println(path);
          out.println();
          schema(rows);
          record.ifPresent(this::record);
          rows(rows, arguments.rows);
          return ExitCode.DONE;
        });
  }

  private static RunRecord find(TableRef.Named named, Warehouse warehouse) {
    var records = new RunRecords(warehouse);
    return named
        .runId()
        .map(id -> records.find(id).filter(r -> r.done() && r.tables().contains(named.table())))
        .orElseGet(() -> records.newestWith(named.table()))
        .orElseThrow(() -> TableRef.missing(named, records, warehouse));
  }

  /** A query that a user can paste. */
  static String query(Engine engine, Path path) {
    String files =
        path.toUri().getScheme() == null || path.toUri().getScheme().equals("file")
            ? path.toUri().getPath()
            : path.toString();
    return switch (engine) {
      case DUCKDB ->
          "SELECT * FROM read_parquet('"
              + quote(files.replaceFirst("^s3a:", "s3:"))
              + "/*.parquet');";
      case SPARK -> "SELECT * FROM parquet.`" + files.replace("`", "``") + "`;";
      case TRINO ->
          "-- In a hive catalog, a table whose external_location is the folder:\n"
              + "-- CREATE TABLE t (...) WITH (format = 'PARQUET', external_location = '"
              + quote(path.toString())
              + "');\n"
              + "SELECT * FROM t;";
    };
  }

  private static String quote(String text) {
    return text.replace("'", "''");
  }

  private void schema(Dataset<Row> rows) {
    out.println("Columns");
    for (StructField field : rows.schema().fields()) {
      out.printf(
          "  %-18s %-12s %s%n",
          field.name(),
          shortened(field.dataType().simpleString(), 12),
          field.getComment().getOrElse(() -> ""));
    }
    out.println();
  }

  private static String shortened(String type, int length) {
    int bracket = type.indexOf('<');
    return bracket > 0 && type.length() > length ? type.substring(0, bracket) + "<..>" : type;
  }

  private void record(RunRecord record) {
    out.println("Run " + record.runId());
    out.println("  job       " + record.job());
    out.println("  finished  " + record.finishedAt());
    record
        .json()
        .path("tables")
        .properties()
        .forEach(
            table ->
                out.printf(
                    Locale.ROOT,
                    "  table     %s: %,d rows, %,d bytes%n",
                    table.getKey(),
                    table.getValue().path("rows").asLong(),
                    table.getValue().path("bytes").asLong()));
    out.println("  figures   " + record.summary().path("figures"));
    out.println();
  }

  private void rows(Dataset<Row> rows, int limit) {
    List<Row> sample = rows.takeAsList(limit);
    String[] columns = rows.columns();
    for (int i = 0; i < sample.size(); i++) {
      out.println("Row " + (i + 1));
      for (String column : columns) {
        Object value = sample.get(i).getAs(column);
        if (value != null && !value.toString().isEmpty()) {
          out.println(PrintedValue.of(column, value));
        }
      }
      out.println();
    }
  }
}
