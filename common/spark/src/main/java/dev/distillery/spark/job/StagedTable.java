package dev.distillery.spark.job;

import dev.distillery.spark.warehouse.Table;
import dev.distillery.spark.warehouse.Warehouse;
import java.util.Arrays;
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
 * @param licenses rows of each license; empty where the table has no such column
 */
record StagedTable(Table table, StructType schema, long rows, Map<String, Long> licenses) {
  private static final String LICENSE = "license";

  static StagedTable read(
      SparkSession spark, Warehouse warehouse, Path folder, Table table, StructType schema) {
    List<BlockMetaData> blocks =
        warehouse.footers(folder).stream().flatMap(footer -> footer.getBlocks().stream()).toList();
    boolean licensed = Arrays.asList(table.schema().fieldNames()).contains(LICENSE);
    return new StagedTable(
        table,
        schema.asNullable(),
        blocks.stream().mapToLong(BlockMetaData::getRowCount).sum(),
        licensed ? licenses(blocks).orElseGet(() -> countLicenses(spark, folder)) : Map.of());
  }

  /** Empty if the blocks' statistics do not tell. */
  private static Optional<Map<String, Long>> licenses(List<BlockMetaData> blocks) {
    Map<String, Long> rows = new TreeMap<>();
    for (BlockMetaData block : blocks) {
      Optional<String> license = onlyLicense(block);
      if (license.isEmpty()) {
        return Optional.empty();
      }
      rows.merge(license.get(), block.getRowCount(), Long::sum);
    }
    return Optional.of(rows);
  }

  /** The license of all rows of a block, if its statistics say that they have the same one. */
  private static Optional<String> onlyLicense(BlockMetaData block) {
    return block.getColumns().stream()
        .filter(column -> column.getPath().toDotString().equals(LICENSE))
        .<Statistics<?>>map(ColumnChunkMetaData::getStatistics)
        .filter(Statistics::hasNonNullValue)
        .filter(all -> all.isNumNullsSet() && all.getNumNulls() == 0)
        .filter(all -> all.genericGetMin().equals(all.genericGetMax()))
        .findFirst()
        .map(all -> ((Binary) all.genericGetMin()).toStringUsingUTF8());
  }

  private static Map<String, Long> countLicenses(SparkSession spark, Path folder) {
    Map<String, Long> rows = new TreeMap<>();
    spark
        .read()
        .parquet(folder.toString())
        .groupBy(LICENSE)
        .count()
        .orderBy(LICENSE)
        .takeAsList(1000)
        .forEach(row -> rows.put(String.valueOf(row.getString(0)), row.getLong(1)));
    return rows;
  }
}
