package dev.distillery.datasets.read;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.to_json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.run.JobException;
import dev.distillery.spark.warehouse.PathNames;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.StructType;

/**
 * Rows of Parquet files, each as the JSON object that the same row is where its source publishes
 * JSON. Files whose columns differ are read side by side, each with its own.
 *
 * <p>Where JSON of no fixed form is stored as structs, as definitions and calls of tools are, each
 * has the members of all, and null for those that it had not: these are left out again.
 */
public final class ParquetRows {
  /** Members whose values are JSON of no fixed form. */
  private static final Set<String> FREE =
      Set.of("tools", "functions", "tool_calls", "function_call");

  /**
   * Spark's setting by which batches of columns are read, whose texts are looked up only when they
   * are asked for: an index that damage made too large is met then, far from the file's name.
   */
  private static final String BATCHES = "spark.sql.parquet.enableVectorizedReader";

  /** Numbers stay as they are written. A text is as long as its row, whose size is known. */
  private static final ObjectMapper JSON =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxStringLength(Integer.MAX_VALUE).build())
                  .build())
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
          .build();

  private ParquetRows() {}

  /** The rows of files, of which there is at least one. */
  public static JavaRDD<RawRow> read(SparkSession spark, List<InputFile> files, int maxRowBytes) {
    Map<StructType, List<String>> groups = new LinkedHashMap<>();
    HashMap<String, Integer> ordinals = new HashMap<>();
    for (InputFile file : files) {
      ordinals.put(file.path(), file.ordinal());
      groups.computeIfAbsent(schema(spark, file.path()), any -> new ArrayList<>()).add(file.path());
    }
    String batches = spark.conf().get(BATCHES);
    spark.conf().set(BATCHES, "false");
    try {
      return read(spark, groups, ordinals, maxRowBytes);
    } finally {
      spark.conf().set(BATCHES, batches);
    }
  }

  /** How a file is read is settled here, before its rows are asked for. */
  private static JavaRDD<RawRow> read(
      SparkSession spark,
      Map<StructType, List<String>> groups,
      Map<String, Integer> ordinals,
      int maxRowBytes) {
    return groups.entrySet().stream()
        .map(
            group -> {
              boolean free = hasFree(group.getKey());
              return parquet(spark, group.getValue())
                  .select(
                      col("_metadata.file_path"),
                      col("_metadata.row_index"),
                      // As in JSON, where a null answer is another thing than none.
                      to_json(struct("*"), Map.of("ignoreNullFields", "false")))
                  .javaRDD()
                  .map(row -> raw(row, free, ordinals, maxRowBytes));
            })
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

  /** Whether a type has structs where JSON of no fixed form is. */
  private static boolean hasFree(DataType type) {
    if (type instanceof ArrayType array) {
      return hasFree(array.elementType());
    }
    return type instanceof StructType struct
        && Arrays.stream(struct.fields())
            .anyMatch(
                field ->
                    FREE.contains(field.name())
                        ? !(field.dataType() instanceof StringType)
                        : hasFree(field.dataType()));
  }

  /** A row without the nulls within its JSON of no fixed form. */
  private static byte[] withoutInvented(byte[] json) {
    try {
      JsonNode row = JSON.readTree(json);
      prune(row, false);
      return JSON.writeValueAsBytes(row);
    } catch (IOException e) {
      throw new IllegalStateException("Spark wrote no JSON: " + e.getMessage(), e);
    }
  }

  private static void prune(JsonNode node, boolean free) {
    if (node instanceof ObjectNode object) {
      for (var members = object.properties().iterator(); members.hasNext(); ) {
        var member = members.next();
        if (free && member.getValue().isNull()) {
          members.remove();
        } else {
          prune(member.getValue(), free || FREE.contains(member.getKey()));
        }
      }
    } else {
      node.forEach(element -> prune(element, free));
    }
  }

  private static RawRow raw(Row row, boolean free, Map<String, Integer> ordinals, int maxRowBytes) {
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
        : RawRow.of(position, free ? withoutInvented(json) : json, null);
  }
}
