package dev.distillery.datasets.units;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat_ws;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.datasets.Fields;
import dev.distillery.datasets.RejectedRowException;
import dev.distillery.datasets.RowContext;
import dev.distillery.datasets.RowParser;
import dev.distillery.datasets.RowResult;
import dev.distillery.datasets.Source;
import dev.distillery.datasets.read.Compression;
import dev.distillery.datasets.read.InputFile;
import dev.distillery.datasets.read.Layout;
import dev.distillery.datasets.read.ParquetRows;
import dev.distillery.datasets.read.RawRow;
import dev.distillery.datasets.read.ReadLimits;
import dev.distillery.datasets.read.RowSplits;
import java.io.IOException;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/** Reads files with a source's reader; of every unit it says what became of it. */
public final class UnitReader {
  private UnitReader() {}

  /**
   * What files hold.
   *
   * @param units of all files, duplicates among them
   * @param tasks that read the files
   */
  public record Parsed(Dataset<Row> units, int tasks) {}

  /** Plans the reading of files; a JSON array that is split is scanned for it. */
  public static Parsed read(
      SparkSession spark, Source source, List<InputFile> files, long splitBytes, ReadLimits limits)
      throws IOException {
    StructType schema = UnitColumns.schema(source.table());
    ParseRows parse =
        new ParseRows(
            source,
            files.stream().map(InputFile::path).toList(),
            files.stream().map(InputFile::layout).toList(),
            limits.maxRowBytes());
    JavaRDD<RawRow> rows = rows(spark, files, splitBytes, limits);
    Dataset<Row> units = spark.createDataFrame(rows.mapPartitions(parse::all), schema);
    return new Parsed(source.groups() ? grouped(units, source) : units, rows.getNumPartitions());
  }

  private static JavaRDD<RawRow> rows(
      SparkSession spark, List<InputFile> files, long splitBytes, ReadLimits limits)
      throws IOException {
    Map<Boolean, List<InputFile>> byKind =
        files.stream()
            .collect(Collectors.partitioningBy(file -> file.compression() == Compression.PARQUET));
    List<InputFile> parquet = byKind.getOrDefault(true, List.of());
    List<InputFile> others = byKind.getOrDefault(false, List.of());
    if (parquet.isEmpty()) {
      return RowSplits.read(spark.sparkContext(), others, splitBytes, limits);
    }
    JavaRDD<RawRow> rows = ParquetRows.read(spark, parquet, limits.maxRowBytes());
    return others.isEmpty()
        ? rows
        : rows.union(RowSplits.read(spark.sparkContext(), others, splitBytes, limits));
  }

  /** Whatever has no group goes along by itself, so that the files are read once. */
  private static Dataset<Row> grouped(Dataset<Row> units, Source source) {
    return units
        .repartition(
            coalesce(
                col(UnitColumns.GROUP), concat_ws(" ", col("file"), col("part"), col("offset"))))
        .sortWithinPartitions(UnitColumns.GROUP, UnitColumns.ORDER, "file", "part", "offset")
        .mapPartitions(
            (MapPartitionsFunction<Row, Row>) rows -> new GroupedUnits(rows, source),
            Encoders.row(units.schema()));
  }

  /** From rows of files to units. */
  private record ParseRows(Source source, List<String> paths, List<Layout> layouts, int maxRowBytes)
      implements Serializable {

    Iterator<Row> all(Iterator<RawRow> rows) {
      RowParser parser = new RowParser(maxRowBytes);
      return new Iterator<>() {
        private Iterator<Row> ready = List.<Row>of().iterator();

        @Override
        public boolean hasNext() {
          while (!ready.hasNext() && rows.hasNext()) {
            ready = parse(rows.next(), parser).iterator();
          }
          return ready.hasNext();
        }

        @Override
        public Row next() {
          if (!hasNext()) {
            throw new NoSuchElementException();
          }
          return ready.next();
        }
      };
    }

    private List<Row> parse(RawRow raw, RowParser parser) {
      String path = paths.get(raw.position().file());
      RowContext context = new RowContext(path, Optional.ofNullable(raw.key()));
      List<RowResult> results = results(raw, context, parser);
      Set<String> unread = context.unreadFields();
      List<Row> units = new ArrayList<>(results.size());
      for (RowResult result : results) {
        String row = result instanceof RowResult.Rejected ? text(raw) : null;
        boolean tells = units.isEmpty() && !unread.isEmpty();
        units.add(
            UnitColumns.encode(
                UnitColumns.Origin.of(raw, units.size(), path),
                result,
                row,
                tells ? unread.toArray(String[]::new) : null));
      }
      return units;
    }

    private List<RowResult> results(RawRow raw, RowContext context, RowParser parser) {
      RawRow.Problem problem = raw.problem();
      if (problem != null) {
        return List.of(new RowResult.Rejected(problem.rule(), problem.detail()));
      }
      try {
        Optional<ObjectNode> row = parser.parse(raw, layouts.get(raw.position().file()));
        if (row.isEmpty()) {
          return List.of();
        }
        Fields fields = source.fields();
        for (var field : row.get().properties()) {
          if (!field.getValue().isNull() && !fields.knows(field.getKey())) {
            context.unread(field.getKey());
          }
        }
        return source.parse(row.get(), context.with(row.get()));
      } catch (RejectedRowException e) {
        return List.of(new RowResult.Rejected(e.rule(), e.detail()));
      } catch (RuntimeException e) {
        // A fault of the reader costs one row and not the run, and is counted where it is seen.
        return List.of(new RowResult.Rejected("reader_failed", e.toString()));
      }
    }

    private static @Nullable String text(RawRow raw) {
      if (raw.bytes().length == 0) {
        return null;
      }
      int length = Math.min(raw.bytes().length, UnitColumns.MAX_RAW_CHARS);
      return new String(raw.bytes(), 0, length, StandardCharsets.UTF_8).replace("\0", "\\u0000");
    }
  }
}
