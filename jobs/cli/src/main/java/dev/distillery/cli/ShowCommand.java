package dev.distillery.cli;

import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Manual;
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

/** Prints a table's schema, the record of its run, and some rows; or the query that reads it. */
final class ShowCommand implements PlainCommand<ShowOptions> {
  @Override
  public String name() {
    return "show";
  }

  @Override
  public String purpose() {
    return "Print a table's schema, its run, and some rows.";
  }

  @Override
  public Manual manual() {
    return Manual.of(
        "A table's name stands for the newest finished run that has it.",
        "a table, or Parquet files.",
        "nothing but standard output.",
        "distillery show instructions --rows 5",
        "distillery show instructions@run1 --sql duckdb");
  }

  @Override
  public Class<ShowOptions> optionsType() {
    return ShowOptions.class;
  }

  @Override
  public Optional<String> bareWord() {
    return Optional.of("ref");
  }

  @Override
  public ExitCode run(ShowOptions options, PrintStream out) {
    return options
        .ref()
        .map(ref -> show(ref, options, out))
        .orElseGet(() -> new RunsCommand().run(RunsOptions.newest(options.warehouse()), out));
  }

  private static ExitCode show(String reference, ShowOptions options, PrintStream out) {
    TableRef ref = TableRef.parse(reference);
    Warehouse warehouse = Warehouse.at(options.warehouse(), SparkHadoopUtil.get().conf());
    Optional<RunRecord> record =
        ref instanceof TableRef.Named named
            ? Optional.of(new RunRecords(warehouse).of(named))
            : Optional.empty();
    Path path =
        ref instanceof TableRef.Named named
            ? record.orElseThrow().folder(warehouse, named.table())
            : new Path(((TableRef.Files) ref).path());
    record.flatMap(RunRecord::warning).ifPresent(System.err::println);
    if (options.sql().isPresent()) {
      out.println(query(options.sql().get(), path));
      return ExitCode.DONE;
    }
    if (options.card()) {
      if (!(ref instanceof TableRef.Named named)) {
        throw JobException.invalid(
            "Option --card: only a table of the warehouse has a card, not files: " + reference);
      }
      out.print(DatasetCard.of(record.orElseThrow(), named.table()));
      return ExitCode.DONE;
    }
    return Sessions.with(
        "show " + reference,
        spark -> {
          Dataset<Row> rows = spark.read().parquet(path.toString());
          out.println(path);
          out.println();
          schema(rows, out);
          record.ifPresent(run -> record(run, out));
          rows(rows, options.rows(), out);
          return ExitCode.DONE;
        });
  }

  /** A query that a user can paste. */
  static String query(ShowOptions.Engine engine, Path path) {
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

  private static void schema(Dataset<Row> rows, PrintStream out) {
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

  private static void record(RunRecord record, PrintStream out) {
    out.println("Run " + record.runId());
    out.println("  job       " + record.job());
    if (!record.done()) {
      out.println("  status    " + record.status());
    }
    out.println("  finished  " + record.finishedAt());
    record
        .tables()
        .forEach(
            (name, table) ->
                out.printf(
                    Locale.ROOT,
                    "  table     %s: %,d rows, %,d bytes%n",
                    name,
                    table.rows(),
                    table.bytes()));
    out.println("  figures   " + record.summary().path("figures"));
    out.println();
  }

  private static void rows(Dataset<Row> rows, int limit, PrintStream out) {
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
