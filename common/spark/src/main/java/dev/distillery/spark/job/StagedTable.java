package dev.distillery.spark.job;

import dev.distillery.spark.warehouse.Table;
import dev.distillery.spark.warehouse.Warehouse;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.column.statistics.Statistics;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;
import org.apache.parquet.io.api.Binary;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;

/**
 * A table that a run has written, as the footers of its files tell of it: a job over the rows is
 * run only where they do not tell enough.
 *
 * @param schema as Parquet gives it back
 * @param origins rows of each source and license; empty where the table has no such columns
 */
record StagedTable(Table table, StructType schema, long rows, Map<Origin, Long> origins) {
  private static final String SOURCE = "source";
  private static final String LICENSE = "license";

  /** More pairs than this are a column gone wrong; the record lists so many. */
  private static final int MAX_ORIGINS = 1000;

  /** Where rows come from, and the SPDX expression that they carry. */
  record Origin(String source, String license) implements Comparable<Origin> {
    @Override
    public int compareTo(Origin other) {
      return Comparator.comparing(Origin::source)
          .thenComparing(Origin::license)
          .compare(this, other);
    }
  }

  static StagedTable read(
      SparkSession spark, Warehouse warehouse, Path folder, Table table, StructType schema) {
    List<BlockMetaData> blocks =
        warehouse.footers(folder).stream().flatMap(footer -> footer.getBlocks().stream()).toList();
    boolean licensed =
        Arrays.asList(table.schema().fieldNames()).containsAll(List.of(SOURCE, LICENSE));
    return new StagedTable(
        table,
        schema.asNullable(),
        blocks.stream().mapToLong(BlockMetaData::getRowCount).sum(),
        licensed ? origins(blocks).orElseGet(() -> countOrigins(spark, folder)) : Map.of());
  }

  /** Rows of each license. */
  Map<String, Long> licenses() {
    Map<String, Long> rows = new TreeMap<>();
    origins.forEach((origin, count) -> rows.merge(origin.license, count, Long::sum));
    return rows;
  }

  /** Empty if the blocks' statistics do not tell. */
  private static Optional<Map<Origin, Long>> origins(List<BlockMetaData> blocks) {
    Map<Origin, Long> rows = new TreeMap<>();
    for (BlockMetaData block : blocks) {
      Optional<String> source = onlyValue(block, SOURCE);
      Optional<String> license = onlyValue(block, LICENSE);
      if (source.isEmpty() || license.isEmpty()) {
        return Optional.empty();
      }
      rows.merge(new Origin(source.get(), license.get()), block.getRowCount(), Long::sum);
    }
    return Optional.of(rows);
  }

  /** A column's value, if the statistics say that all rows of the block have the same one. */
  private static Optional<String> onlyValue(BlockMetaData block, String name) {
    return block.getColumns().stream()
        .filter(column -> column.getPath().toDotString().equals(name))
        .<Statistics<?>>map(ColumnChunkMetaData::getStatistics)
        .filter(Statistics::hasNonNullValue)
        .filter(all -> all.isNumNullsSet() && all.getNumNulls() == 0)
        .filter(all -> all.genericGetMin().equals(all.genericGetMax()))
        .findFirst()
        .map(all -> ((Binary) all.genericGetMin()).toStringUsingUTF8());
  }

  private static Map<Origin, Long> countOrigins(SparkSession spark, Path folder) {
    Map<Origin, Long> rows = new TreeMap<>();
    spark
        .read()
        .parquet(folder.toString())
        .groupBy(SOURCE, LICENSE)
        .count()
        .orderBy(SOURCE, LICENSE)
        .takeAsList(MAX_ORIGINS)
        .forEach(
            row ->
                rows.put(
                    new Origin(String.valueOf(row.getString(0)), String.valueOf(row.getString(1))),
                    row.getLong(2)));
    return rows;
  }
}
