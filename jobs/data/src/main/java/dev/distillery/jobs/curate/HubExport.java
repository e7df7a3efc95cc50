package dev.distillery.jobs.curate;

import static dev.distillery.spark.warehouse.Columns.named;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.date_format;
import static org.apache.spark.sql.functions.lit;

import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Names;
import dev.distillery.jobs.curate.HubOptions.Format;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.license.Licenses;
import dev.distillery.spark.warehouse.PathNames;
import dev.distillery.spark.warehouse.Table;
import dev.distillery.spark.warehouse.TableRef;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * Writes a table as a folder that {@code datasets.load_dataset} takes as it is: {@code
 * data/<split>/*} and a card. It is written beside and moved there whole. A folder that holds
 * anything is replaced only where an export wrote it and nothing else has come in since: its own
 * run's as it is, another's with {@code --overwrite}.
 *
 * <p>Beside {@code DIR} stand {@code .DIR.<run>.part} while it is written, and {@code
 * .DIR.<run>.aside}, what was there before, until the new one is in its place. A run that goes on
 * takes up either.
 */
final class HubExport {
  private static final String SPLIT = "__split";
  private static final String CARD = "README.md";
  private static final String DATA = "data";
  private static final String PART = ".part";
  private static final String ASIDE = ".aside";

  /** Files that a message names. */
  private static final int NAMED = 5;

  /** A card's end, in which the run stands. */
  private static final int END = 1 << 10;

  /** Names of splits that datasets takes. */
  private static final Pattern SPLIT_NAME = Pattern.compile("\\w+(\\.\\w+)*");

  /** Rows of a table without splits. */
  private static final String ALL = "train";

  private final JobRun run;
  private final Format format;
  private final Path folder;
  private final FileSystem files;

  private HubExport(JobRun run, Format format, Path folder, FileSystem files) {
    this.run = run;
    this.format = format;
    this.folder = folder;
    this.files = files;
  }

  /**
   * Why nothing may be exported to a folder, whatever lies there: it is, holds or lies in what the
   * run reads, or the warehouse.
   *
   * @param inputs tables and files that are read
   */
  static List<String> violations(
      HubOptions options, String warehouse, List<TableRef> inputs, Configuration hadoop)
      throws IOException {
    if (options.export().isEmpty()) {
      return List.of();
    }
    Path folder = real(PathNames.path(options.export().get()), hadoop);
    Map<Path, String> taken = new LinkedHashMap<>();
    taken.put(real(PathNames.path(warehouse), hadoop), "the warehouse");
    for (TableRef input : inputs) {
      if (input instanceof TableRef.Files some) {
        taken.put(real(PathNames.path(some.path()), hadoop), "the input " + some.path());
        for (FileStatus root : PathNames.find(some.path(), hadoop).roots()) {
          taken.put(real(root.getPath(), hadoop), "the input " + some.path());
        }
      }
    }
    List<String> violations = new ArrayList<>();
    taken.forEach(
        (path, what) -> {
          if (holds(path, folder) || holds(folder, path)) {
            violations.add(
                "Option --export: "
                    + folder
                    + (path.equals(folder) ? " is " : holds(path, folder) ? " lies in " : " holds ")
                    + what
                    + "; name a folder apart from it");
          }
        });
    return violations.stream().distinct().toList();
  }

  /** The path in full, links of a local one followed as far as it is there. */
  private static Path real(Path path, Configuration hadoop) throws IOException {
    Path whole = PathNames.fileSystem(path, hadoop).makeQualified(path);
    if (!"file".equals(whole.toUri().getScheme())) {
      return whole;
    }
    java.nio.file.Path local = java.nio.file.Path.of(whole.toUri().getPath()).normalize();
    java.nio.file.Path there = local;
    while (!Files.exists(there) && there.getParent() != null) {
      there = there.getParent();
    }
    String real = there.toRealPath().resolve(there.relativize(local)).toString();
    return new Path("file", null, real);
  }

  private static boolean holds(Path folder, Path path) {
    for (Path at = path; at != null; at = at.getParent()) {
      if (at.toUri().getPath().equals(folder.toUri().getPath())) {
        return Objects.equals(at.toUri().getAuthority(), folder.toUri().getAuthority())
            && Objects.equals(at.toUri().getScheme(), folder.toUri().getScheme());
      }
    }
    return false;
  }

  /** Whether datasets takes a split of that name. */
  static boolean takesSplit(String name) {
    return SPLIT_NAME.matcher(name).matches();
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
    Path named = PathNames.path(options.export().export().get());
    FileSystem files = PathNames.fileSystem(named, run.warehouse().hadoop());
    Path folder = files.makeQualified(named);
    if (folder.getParent() == null) {
      throw JobException.invalid("Option --export: " + folder + " is no folder to write");
    }
    var export = new HubExport(run, options.export().exportFormat(), folder, files);
    export.refuseWhatIsNotOurs();
    export.sayWhatOthersLeft();
    return Optional.of(export);
  }

  /** Makes sure that what is there, if anything, may be replaced. */
  private void refuseWhatIsNotOurs() throws IOException {
    if (!files.exists(folder) || files.listStatus(folder).length == 0) {
      return;
    }
    Optional<String> writer = writer();
    List<String> foreign = writer.isEmpty() ? List.of() : foreign();
    if (writer.isEmpty() || !foreign.isEmpty()) {
      throw JobException.invalid(
          "Option --export: what is at "
              + folder
              + (writer.isEmpty()
                  ? " was written by no export, and --overwrite does not replace it"
                  : " was written by an export, but also holds " + foreign)
              + "; name another folder, or take it away yourself");
    }
    if (!writer.get().equals(run.id()) && !run.overwrites()) {
      throw JobException.invalid(
          "Option --export: there is something at "
              + folder
              + ", the export of the run "
              + writer.get()
              + "; name another folder, or replace it with --overwrite");
    }
  }

  /** Names what runs that were stopped have left beside; what was the folder's may be in it. */
  private void sayWhatOthersLeft() throws IOException {
    Path parent = folder.getParent();
    if (!files.exists(parent)) {
      return;
    }
    String begin = "." + folder.getName() + ".";
    List<String> left =
        Stream.of(
                files.listStatus(
                    parent,
                    path ->
                        path.getName().startsWith(begin)
                            && (path.getName().endsWith(PART) || path.getName().endsWith(ASIDE))
                            && !path.equals(beside(PART))
                            && !path.equals(beside(ASIDE))))
            .map(status -> status.getPath().getName())
            .sorted()
            .toList();
    if (!left.isEmpty()) {
      run.progress()
          .say(
              "Warning: beside "
                  + folder
                  + " lies what an export of another run has left, "
                  + Names.first(NAMED, left)
                  + ": a "
                  + ASIDE
                  + " is what the folder held before; let that run go on with its id, or take it"
                  + " away yourself");
    }
  }

  /** What is there and is none of an export's files, at most {@link #NAMED} of them. */
  private List<String> foreign() throws IOException {
    List<String> foreign = new ArrayList<>();
    var all = files.listFiles(folder, true);
    while (all.hasNext() && foreign.size() < NAMED) {
      Path file = all.next().getPath();
      boolean ours =
          file.equals(new Path(folder, CARD))
              || (file.getParent().getParent().equals(new Path(folder, DATA))
                  && file.getName().startsWith("part-"));
      if (!ours) {
        foreign.add(folder.toUri().relativize(file.toUri()).getPath());
      }
    }
    return foreign;
  }

  /** The run that exported to the folder; empty where none did. */
  private Optional<String> writer() throws IOException {
    Path card = new Path(folder, CARD);
    if (!files.exists(card)) {
      return Optional.empty();
    }
    long length = files.getFileStatus(card).getLen();
    try (var in = files.open(card)) {
      in.seek(Math.max(0, length - END));
      return HubCard.runOf(new String(in.readNBytes(END), StandardCharsets.UTF_8));
    }
  }

  /**
   * Makes sure that the rows' columns can be exported.
   *
   * @throws JobException with those that cannot
   */
  void check(StructType schema) {
    List<String> unsaid = HubCard.unsaid(plain(schema), format == Format.JSONL);
    if (!unsaid.isEmpty()) {
      throw JobException.invalid(
          "Option --export: a data set of "
              + format.name().toLowerCase(Locale.ROOT)
              + " files cannot have these columns: "
              + String.join(", ", unsaid)
              + "; take them out of the input, or cast them");
    }
  }

  /**
   * Makes sure that the splits that are written can be exported.
   *
   * @throws JobException with those that cannot
   */
  void check(Set<String> splits) {
    List<String> wrong = splits.stream().filter(name -> !takesSplit(name)).sorted().toList();
    if (!wrong.isEmpty()) {
      throw JobException.invalid(
          "Option --export: these names in the column split are no names of splits to datasets,"
              + " which takes letters, digits, underscores and dots within: "
              + wrong
              + "; draw splits with --split");
    }
  }

  /** Writes the rows of a table, which are accounted for, and moves them into place. */
  void write(Dataset<Row> rows, Table table, String name) throws IOException {
    run.phase(
        "Export to " + folder,
        () -> {
          try {
            writePart(rows, table, name);
            moveIntoPlace();
          } catch (IOException e) {
            throw new JobException(
                ExitCode.TEMPORARY, "Cannot write " + folder + ": " + e.getMessage(), e);
          }
          return folder;
        });
  }

  private Path beside(String ending) {
    return new Path(folder.getParent(), "." + folder.getName() + "." + run.id() + ending);
  }

  private void writePart(Dataset<Row> rows, Table table, String name) throws IOException {
    Path part = beside(PART);
    files.delete(part, true);
    Dataset<Row> plain = withSplit(withoutTimes(rows));
    Map<String, Long> splits = new TreeMap<>();
    for (Row split : plain.groupBy(SPLIT).count().collectAsList()) {
      splits.put(split.getString(0), split.getLong(1));
    }
    check(splits.keySet());
    for (String split : splits.keySet()) {
      Path to = new Path(part, DATA + "/" + split);
      var writer =
          plain
              .where(col(SPLIT).equalTo(split))
              .drop(SPLIT)
              .write()
              .mode(SaveMode.Overwrite)
              .option("mapreduce.fileoutputcommitter.marksuccessfuljobs", "false");
      if (format == Format.PARQUET) {
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
            format == Format.PARQUET ? "parquet" : "json",
            splits,
            origins(rows));
    try (var out = files.create(new Path(part, CARD), true)) {
      out.write(card.text().getBytes(StandardCharsets.UTF_8));
    }
  }

  /** At no time is neither what was there nor what comes in its place on the disk. */
  private void moveIntoPlace() throws IOException {
    if (!run.isSurelyOurs()) {
      throw new JobException(
          ExitCode.TEMPORARY,
          "The run " + run.id() + " may be another driver's by now: its export is not moved");
    }
    Path part = beside(PART);
    Path aside = beside(ASIDE);
    refuseWhatIsNotOurs();
    if (files.exists(folder)) {
      // Then an aside one is what this run has replaced already.
      files.delete(aside, true);
      rename(folder, aside);
    }
    try {
      rename(part, folder);
    } catch (IOException e) {
      if (files.exists(aside) && !files.rename(aside, folder)) {
        throw new IOException(e.getMessage() + "; what was there is at " + aside, e);
      }
      throw e;
    }
    files.delete(aside, true);
  }

  private void rename(Path from, Path to) throws IOException {
    if (files.exists(to) || !files.rename(from, to)) {
      throw new IOException("cannot rename " + from + " to " + to);
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
      Column column = named(field.name());
      columns.add(
          field.dataType().equals(DataTypes.TimestampType)
              ? date_format(column, "yyyy-MM-dd'T'HH:mm:ssXXX").as(field.name(), field.metadata())
              : column);
    }
    return rows.select(columns.toArray(Column[]::new));
  }

  /** The columns of {@link #withoutTimes}. */
  private static StructType plain(StructType schema) {
    return new StructType(
        Stream.of(schema.fields())
            .map(
                field ->
                    field.dataType().equals(DataTypes.TimestampType)
                        ? DataTypes.createStructField(field.name(), DataTypes.StringType, true)
                        : field)
            .toArray(StructField[]::new));
  }

  private static List<HubCard.Origin> origins(Dataset<Row> rows) {
    Dataset<Row> groups =
        rows.groupBy(
                coalesce(col("source"), lit("")).as("source"),
                coalesce(col("license"), lit(Licenses.NOASSERTION)).as("license"))
            .count()
            .sort("source", "license");
    return Mixture.few(groups, "source").stream()
        .map(row -> new HubCard.Origin(row.getString(0), row.getString(1), row.getLong(2)))
        .toList();
  }
}
