package dev.distillery.datasets.read;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.to_json;

import dev.distillery.core.run.JobException;
import dev.distillery.spark.warehouse.PathNames;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;

/**
 * Rows of Parquet files, each as the JSON object that the same row is where its source publishes
 * JSON. Files whose columns differ are read side by side, each with its own.
 */
public final class ParquetRows {
  private ParquetRows() {}

  /** The rows of files, of which there is at least one. */
  public static JavaRDD<RawRow> read(SparkSession spark, List<InputFile> files, int maxRowBytes) {
    Map<StructType, List<String>> groups = new LinkedHashMap<>();
    HashMap<String, Integer> ordinals = new HashMap<>();
    for (InputFile file : files) {
      ordinals.put(file.path(), file.ordinal());
      groups.computeIfAbsent(schema(spark, file.path()), any -> new ArrayList<>()).add(file.path());
    }
    return groups.values().stream()
        .map(
            paths ->
                parquet(spark, paths)
                    .select(
                        col("_metadata.file_path"),
                        col("_metadata.row_index"),
                        // As in JSON, where a null answer is another thing than none.
                        to_json(struct("*"), Map.of("ignoreNullFields", "false")))
                    .javaRDD()
                    .map(row -> raw(row, ordinals, maxRowBytes)))
        .reduce(JavaRDD::union)
        .orElseThrow();
  }

  private static Dataset<Row> parquet(SparkSession spark, List<String> paths) {
    // A name that looks like a pattern is a name: the files were found before.
    return PathNames.reader(spark, paths).parquet(paths.toArray(String[]::new));
  }

  private static StructType schema(SparkSession spark, String path) {
    try {
      return parquet(spark, List.of(path)).schema();
    } catch (Exception e) {
      String message = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
      throw JobException.invalid(
          path + ": The Parquet file is damaged; fetch it again (" + message + ")");
    }
  }

  private static RawRow raw(Row row, Map<String, Integer> ordinals, int maxRowBytes) {
    // Spark names files by URIs, in which a blank is %20.
    String path = new Path(URI.create(row.getString(0))).toString();
    Integer ordinal = ordinals.get(path);
    if (ordinal == null) {
      throw new IllegalStateException("Rows of a file that was not asked for: " + path);
    }
    long index = row.getLong(1);
    var position = new RawRow.Position(ordinal, 0, index, index + 1);
    byte[] json = row.getString(2).getBytes(StandardCharsets.UTF_8);
    return json.length > maxRowBytes
        ? RawRow.bad(
            position,
            "row_too_long",
            "The row has " + json.length + " bytes; --max-row-bytes allows " + maxRowBytes)
        : RawRow.of(position, json, null);
  }
}
