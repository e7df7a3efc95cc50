package dev.distillery.jobs.curate;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.date_format;
import static org.apache.spark.sql.functions.lit;

import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.jobs.curate.HubOptions.Format;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.warehouse.PathNames;
import dev.distillery.spark.warehouse.Table;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;

/**
 * Writes a table as a folder that {@code datasets.load_dataset} takes as it is: {@code
 * data/<split>/*} and a card. It is written beside and moved there whole. A folder that holds
 * anything is replaced only where it is this run's own, or with {@code --overwrite}.
 */
final class HubExport {
  private static final String SPLIT = "__split";
  private static final String CARD = "README.md";

  /** Rows of a table without splits. */
  private static final String ALL = "train";

  private final JobRun run;
  private final CurateOptions options;
  private final Path folder;
  private final FileSystem files;

  private HubExport(JobRun run, CurateOptions options, Path folder, FileSystem files) {
    this.run = run;
    this.options = options;
    this.folder = folder;
    this.files = files;
  }

  /**
   * The export that was asked for.
   *
   * @throws JobException where the folder holds something else
   */
  static Optional<HubExport> of(JobRun run, CurateOptions options) throws IOException {
    if (options.export().export().isEmpty()) {
      return Optional.empty();
    }
    Path folder = PathNames.path(options.export().export().get());
    FileSystem files = PathNames.fileSystem(folder, run.warehouse().hadoop());
    var export = new HubExport(run, options, folder, files);
    if (files.exists(folder)
        && !(files.getFileStatus(folder).isDirectory() && files.listStatus(folder).length == 0)
        && !run.overwrites()
        && !export.isOurs()) {
      throw JobException.invalid(
          "Option --export: there is something at "
              + folder
              + "; name another folder, or replace it with --overwrite");
    }
    return Optional.of(export);
  }

  /** Whether an earlier try of this run wrote the folder. */
  private boolean isOurs() throws IOException {
    Path card = new Path(folder, CARD);
    if (!files.exists(card)) {
      return false;
    }
    try (var in = files.open(card)) {
      String text = new String(in.readNBytes(1 << 20), StandardCharsets.UTF_8);
      return text.contains(HubCard.runLine(run.id()));
    }
  }

  /** Writes the rows of a table. */
  void write(Dataset<Row> rows, Table table, String name) throws IOException {
    run.phase(
        "Export to " + folder,
        () -> {
          try {
            writeWhole(rows, table, name);
          } catch (IOException e) {
            throw new JobException(
                ExitCode.TEMPORARY, "Cannot write " + folder + ": " + e.getMessage(), e);
          }
          return folder;
        });
  }

  private void writeWhole(Dataset<Row> rows, Table table, String name) throws IOException {
    Path whole = files.makeQualified(folder);
    Path part = new Path(whole.getParent(), "." + whole.getName() + "." + run.id() + ".part");
    files.delete(part, true);
    Dataset<Row> plain = withSplit(withoutTimes(rows));
    Map<String, Long> splits = new TreeMap<>();
    for (Row split : plain.groupBy(SPLIT).count().collectAsList()) {
      splits.put(split.getString(0), split.getLong(1));
    }
    for (String split : splits.keySet()) {
      if (!split.matches("\\w+(\\.\\w+)*")) {
        throw JobException.invalid(
            "Option --export: '" + split + "' in the column split is no name of a split");
      }
      Path to = new Path(part, "data/" + split);
      var writer =
          plain
              .where(col(SPLIT).equalTo(split))
              .drop(SPLIT)
              .write()
              .mode(SaveMode.Overwrite)
              .option("mapreduce.fileoutputcommitter.marksuccessfuljobs", "false");
      if (options.export().exportFormat() == Format.PARQUET) {
        writer.option("compression", "zstd").parquet(to.toString());
      } else {
        writer.option("ignoreNullFields", "false").json(to.toString());
      }
      for (FileStatus file : files.listStatus(to)) {
        if (file.getPath().getName().startsWith(".")) {
          files.delete(file.getPath(), false);
        }
      }
    }
    var card =
        new HubCard(
            name,
            table.description(),
            run.id(),
            plain.drop(SPLIT).schema(),
            options.export().exportFormat() == Format.PARQUET ? "parquet" : "json",
            splits,
            origins(rows));
    try (var out = files.create(new Path(part, CARD), true)) {
      out.write(card.text().getBytes(StandardCharsets.UTF_8));
    }
    files.delete(whole, true);
    files.mkdirs(whole.getParent());
    if (!files.rename(part, whole)) {
      throw new IOException("cannot rename " + part);
    }
  }

  private static Dataset<Row> withSplit(Dataset<Row> rows) {
    boolean has = List.of(rows.columns()).contains("split");
    return rows.withColumn(SPLIT, has ? coalesce(col("split"), lit(ALL)) : lit(ALL));
  }

  /** Times as texts, which are the same in Parquet and JSON. */
  private static Dataset<Row> withoutTimes(Dataset<Row> rows) {
    List<Column> columns = new ArrayList<>();
    for (StructField field : rows.schema().fields()) {
      Column column = col("`" + field.name() + "`");
      columns.add(
          field.dataType().equals(DataTypes.TimestampType)
              ? date_format(column, "yyyy-MM-dd'T'HH:mm:ssXXX").as(field.name(), field.metadata())
              : column);
    }
    return rows.select(columns.toArray(Column[]::new));
  }

  private static List<HubCard.Origin> origins(Dataset<Row> rows) {
    return rows
        .groupBy("source", "license")
        .count()
        .sort("source", "license")
        .collectAsList()
        .stream()
        .map(row -> new HubCard.Origin(row.getString(0), row.getString(1), row.getLong(2)))
        .toList();
  }
}
