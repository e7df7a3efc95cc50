package dev.distillery.spark.warehouse;

import static dev.distillery.spark.warehouse.Columns.named;
import static org.apache.spark.sql.functions.col;

import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.spark.SparkException;
import org.apache.spark.sql.AnalysisException;
import org.apache.spark.sql.DataFrameReader;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.Metadata;
import org.apache.spark.sql.types.MetadataBuilder;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/** Files of one's own, Parquet or JSON Lines, as rows. */
final class TableFiles {
  /** In a column's metadata: whether every row has a list there. */
  private static final String LISTS = "lists";

  private static final String CORRUPT = "_corrupt_record";

  /** Escapes of a high surrogate without a low one behind it, the other way round, and NUL. */
  private static final String HALF_OR_NUL =
      "\\\\u(?:[dD][89abAB]..(?!\\\\u[dD][c-fC-F])|0000)"
          + "|(?<!\\\\u[dD][89abAB][0-9a-fA-F]{2})\\\\u[dD][c-fC-F]";

  /** Files whose schemas are compared one by one where Spark cannot bring them together. */
  private static final int MAX_COMPARED = 10_000;

  private final SparkSession spark;
  private final Configuration hadoop;
  private final String path;
  private final List<Path> matches;
  private final List<FileStatus> files;

  private TableFiles(
      SparkSession spark,
      Configuration hadoop,
      String path,
      List<Path> matches,
      List<FileStatus> files) {
    this.spark = spark;
    this.hadoop = hadoop;
    this.path = path;
    this.matches = matches;
    this.files = files;
  }

  /**
   * The files of a path, a folder or a pattern.
   *
   * @param found what it names
   * @throws JobException where there is none that is read
   */
  static TableFiles of(
      SparkSession spark,
      Configuration hadoop,
      String text,
      PathNames.Found found,
      Consumer<String> notes) {
    if (found.roots().isEmpty()) {
      throw JobException.invalid("No file at " + text + ": check the path or the pattern");
    }
    var hidden = new ArrayList<>(found.hidden());
    var passedOver = new HashSet<Path>();
    var roots = new ArrayList<Path>();
    for (FileStatus root : found.roots()) {
      // Spark passes over these even where they are named themselves.
      if (PathNames.isHidden(root.getPath().getName())) {
        hidden.add(root.getPath().toString());
        passedOver.add(root.getPath());
      } else {
        roots.add(root.getPath());
      }
    }
    List<FileStatus> files =
        found.files().stream().filter(file -> !isIn(passedOver, file.getPath())).toList();
    PathNames.Found.passedOver(text, hidden).ifPresent(notes);
    if (files.isEmpty()) {
      throw JobException.invalid(
          "No file at "
              + text
              + " is read: names that begin with _ or . are taken for a tool's own files; rename"
              + " them");
    }
    return new TableFiles(spark, hadoop, text, roots, files);
  }

  /** Whether a file is one of these, or below one. */
  private static boolean isIn(Set<Path> places, Path file) {
    for (Path at = file; at != null && !places.isEmpty(); at = at.getParent()) {
      if (places.contains(at)) {
        return true;
      }
    }
    return false;
  }

  List<FileStatus> files() {
    return files;
  }

  /** The rows, with the columns of all files. */
  Dataset<Row> rows(Table table) {
    files.stream()
        .map(FileStatus::getPath)
        .filter(TableFiles::isCsv)
        .findFirst()
        .ifPresent(TableFiles::refuseCsv);
    boolean parquet = files.stream().anyMatch(file -> isParquet(file.getPath()));
    boolean mixed = parquet && !files.stream().allMatch(file -> isParquet(file.getPath()));
    if (mixed) {
      String other =
          files.stream()
              .map(FileStatus::getPath)
              .filter(file -> !isParquet(file))
              .findFirst()
              .orElseThrow()
              .toString();
      throw JobException.invalid(
          path + " holds Parquet files and others, such as " + other + ": give them as two inputs");
    }
    Dataset<Row> rows = parquet ? parquet() : json(table);
    // What is recorded is what is read.
    int read = rows.inputFiles().length;
    if (read != files.size()) {
      throw new JobException(
          ExitCode.TEMPORARY,
          "%s had %s files, and %s when they were read: do not change it meanwhile, and try again"
              .formatted(path, files.size(), read));
    }
    return rows;
  }

  private static boolean isCsv(Path file) {
    return file.getName().matches("(?i).*\\.[ct]sv(\\.\\w+)?");
  }

  private static void refuseCsv(Path file) {
    throw JobException.invalid(
        file
            + " is a CSV, and inputs are Parquet or JSONL: convert it, such as by duckdb -c \"COPY"
            + " (FROM 'in.csv') TO 'out.parquet'\"");
  }

  private static boolean isParquet(Path file) {
    return file.getName().endsWith(".parquet");
  }

  private DataFrameReader reader() {
    return PathNames.reader(spark, files.stream().map(file -> file.getPath().toString()).toList())
        .option("recursiveFileLookup", String.valueOf(!isPartitioned()));
  }

  /** Whether all files lie in folders that name a column's value: Spark reads these as columns. */
  private boolean isPartitioned() {
    for (FileStatus file : files) {
      Path at = file.getPath();
      boolean inPartition = false;
      while (at != null && !matches.contains(at)) {
        at = at.getParent();
        if (at == null || matches.contains(at)) {
          break;
        }
        if (!at.getName().contains("=")) {
          return false;
        }
        inPartition = true;
      }
      if (!inPartition) {
        return false;
      }
    }
    return true;
  }

  /** The columns that the first file has, as its first row tells. */
  List<String> columns() {
    Path first = files.get(0).getPath();
    if (isParquet(first)) {
      return Arrays.asList(reader().parquet(first.toString()).columns());
    }
    return reader().text(first.toString()).where("trim(value) <> ''").takeAsList(1).stream()
        .flatMap(row -> JsonLines.members(first.toString(), row.getString(0)).stream())
        .toList();
  }

  private String[] paths() {
    return matches.stream().map(Path::toString).toArray(String[]::new);
  }

  private Dataset<Row> parquet() {
    try {
      return reader().option("mergeSchema", "true").parquet(paths());
    } catch (Exception e) {
      if (e instanceof SparkException || e.getCause() instanceof SparkException) {
        return byType(e);
      }
      throw e;
    }
  }

  /**
   * Files in which a column has different types of numbers, read each in its own and brought
   * together in the wider one.
   */
  private Dataset<Row> byType(Exception failure) {
    var groups = new LinkedHashMap<StructType, List<String>>();
    var firstOf = new LinkedHashMap<String, Map.Entry<DataType, String>>();
    if (files.size() > MAX_COMPARED) {
      throw new JobException(
          ExitCode.INVALID, path + ": the files' columns differ: " + failure.getMessage(), failure);
    }
    for (FileStatus file : files) {
      String name = file.getPath().toString();
      StructType schema;
      try {
        schema = reader().parquet(name).schema();
      } catch (Exception e) {
        throw new JobException(
            ExitCode.INVALID, name + ": not a Parquet file that can be read: " + firstLine(e), e);
      }
      groups.computeIfAbsent(schema, any -> new ArrayList<>()).add(name);
      for (StructField field : schema.fields()) {
        var first = firstOf.computeIfAbsent(field.name(), any -> Map.entry(field.dataType(), name));
        if (widened(first.getKey(), field.dataType()).isEmpty()) {
          throw JobException.invalid(
              "Column '%s' is %s in %s but %s in %s: convert one, or give them as two inputs"
                  .formatted(
                      field.name(),
                      first.getKey().simpleString(),
                      first.getValue(),
                      field.dataType().simpleString(),
                      name));
        }
        firstOf.put(
            field.name(),
            Map.entry(widened(first.getKey(), field.dataType()).orElseThrow(), first.getValue()));
      }
    }
    return groups.entrySet().stream()
        .map(
            group -> {
              Dataset<Row> rows = reader().parquet(group.getValue().toArray(String[]::new));
              for (String name : rows.columns()) {
                DataType type = firstOf.get(name).getKey();
                rows = rows.withColumn(name, named(name).cast(type));
              }
              return rows;
            })
        .reduce((left, right) -> left.unionByName(right, true))
        .orElseThrow();
  }

  /** The type that holds the values of both, where there is one. */
  private static Optional<DataType> widened(DataType left, DataType right) {
    List<DataType> widening =
        List.of(
            DataTypes.ByteType,
            DataTypes.ShortType,
            DataTypes.IntegerType,
            DataTypes.LongType,
            DataTypes.FloatType,
            DataTypes.DoubleType);
    if (left.sameType(right) || right.equals(DataTypes.NullType)) {
      return Optional.of(left);
    }
    if (left.equals(DataTypes.NullType)) {
      return Optional.of(right);
    }
    int l = widening.indexOf(left);
    int r = widening.indexOf(right);
    if (l < 0 || r < 0) {
      return Optional.empty();
    }
    DataType wider = widening.get(Math.max(l, r));
    // A float holds no int or bigint.
    return Optional.of(wider.equals(DataTypes.FloatType) ? DataTypes.DoubleType : wider);
  }

  private Dataset<Row> json(Table table) {
    // A declared schema makes Spark turn what does not fit into null in silence, so the types are
    // looked at first.
    StructType inferred;
    try {
      inferred =
          reader()
              .option("mode", "PERMISSIVE")
              .option("columnNameOfCorruptRecord", CORRUPT)
              .json(paths())
              .schema();
    } catch (Exception e) {
      if (JsonLines.isInterruption(e)) {
        throw e;
      }
      throw new JobException(
          ExitCode.INVALID,
          problem(reader().text(paths())).orElse(path + ": " + firstLine(e))
              + "; mend or remove it",
          e);
    }
    if (Arrays.asList(inferred.fieldNames()).contains(CORRUPT)) {
      throw JobException.invalid(
          problem(reader().text(paths())).orElse(path + ": a line is no JSON object of its own")
              + "; mend or remove the line");
    }
    refuseHalfCharacters();
    var known = new ArrayList<StructField>();
    for (StructField field : inferred.fields()) {
      Optional<StructField> ours =
          Arrays.stream(table.schema().fields())
              .filter(column -> column.name().equals(field.name()))
              .findFirst();
      if (ours.isPresent() && isFree(ours.get())) {
        // As they are written: rows differ in the forms of these.
        known.add(
            new StructField(field.name(), DataTypes.StringType, true, asFound(field.dataType())));
      } else if (ours.isPresent() && isNullish(field.dataType())) {
        known.add(ours.get());
      } else {
        known.add(field);
      }
    }
    return reader().schema(new StructType(known.toArray(StructField[]::new))).json(paths());
  }

  private static Metadata asFound(DataType type) {
    return new MetadataBuilder().putBoolean(LISTS, type instanceof ArrayType).build();
  }

  /** Whether a column, read as it is written, holds lists in every row. */
  static boolean holdsLists(StructField column) {
    return column.metadata().contains(LISTS) && column.metadata().getBoolean(LISTS);
  }

  /** Whether people write a column's values in forms of their own. */
  private static boolean isFree(StructField column) {
    return column.dataType().sameType(MessageRows.TYPE) || column.name().equals(Tables.TOOLS);
  }

  /** Spark makes a question mark of half a surrogate pair, and says nothing. */
  private void refuseHalfCharacters() {
    Dataset<Row> lines = reader().text(paths());
    if (!lines.where(col("value").rlike(HALF_OR_NUL)).isEmpty()) {
      problem(lines)
          .ifPresent(
              problem -> {
                throw JobException.invalid(problem + "; mend or remove the line");
              });
    }
  }

  private Optional<String> problem(Dataset<Row> lines) {
    return JsonLines.problem(lines, files, hadoop);
  }

  /** A column of nulls, or of empty lists, tells nothing of its type. */
  private static boolean isNullish(DataType type) {
    return type.equals(DataTypes.NullType)
        || (type instanceof ArrayType array && array.elementType().equals(DataTypes.NullType));
  }

  private static String firstLine(Exception e) {
    String message =
        e instanceof AnalysisException analysis
            ? analysis.message()
            : String.valueOf(e.getMessage());
    return message.lines().findFirst().orElse(message);
  }
}
