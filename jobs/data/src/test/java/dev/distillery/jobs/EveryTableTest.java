package dev.distillery.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.run.OptionsBinder;
import dev.distillery.jobs.curate.CurateJob;
import dev.distillery.jobs.curate.CurateOptions;
import dev.distillery.jobs.dedup.DedupJob;
import dev.distillery.jobs.dedup.DedupOptions;
import dev.distillery.spark.testing.LocalSpark;
import dev.distillery.spark.warehouse.Table;
import dev.distillery.spark.warehouse.Tables;
import java.nio.file.Path;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every job that takes a table is tried on every table that it takes, with all columns filled. */
class EveryTableTest {
  @TempDir Path folder;

  static Stream<String> tables() {
    return Stream.of("instructions", "conversations", "preferences", "documents");
  }

  @ParameterizedTest
  @MethodSource("tables")
  void dedupAndCurateTakeIt(String name) {
    Table table = Tables.byName(name).orElseThrow();
    List<Row> rows = List.of(row(table, "a", 1), row(table, "b", 1), row(table, "c", 2));
    // Columns that the jobs' own could be confused with.
    StructType schema =
        table
            .schema()
            .add("kept_id", DataTypes.StringType)
            .add("tokens", DataTypes.StringType)
            .add("task", DataTypes.StringType);
    String input = folder.resolve("rows").toString();
    LocalSpark.session()
        .createDataFrame(rows.stream().map(row -> with(row, "x", "y", "z")).toList(), schema)
        .write()
        .parquet(input);
    Map<String, List<String>> given =
        Map.of(
            "warehouse", List.of(folder.resolve("wh").toString()),
            "input", List.of(input),
            "table", List.of(name));

    var dedup =
        new DedupJob().run(LocalSpark.session(), OptionsBinder.of(DedupOptions.class).bind(given));
    assertThat(dedup.figures()).containsEntry("kept", 2L).containsEntry("duplicates", 1L);
    assertThat(
            LocalSpark.session()
                .read()
                .parquet(dedup.tables().get(name).path())
                .select("id", "kept_id", "tokens", "task")
                .sort("id")
                .collectAsList())
        .extracting(Row::toString)
        .containsExactly("[a,x,y,z]", "[c,x,y,z]");

    var curate =
        new CurateJob()
            .run(LocalSpark.session(), OptionsBinder.of(CurateOptions.class).bind(given));
    assertThat(curate.tables().get(name).rows()).isEqualTo(3);
  }

  private static Row with(Row row, Object... more) {
    var values = new ArrayList<Object>();
    for (int i = 0; i < row.size(); i++) {
      values.add(row.get(i));
    }
    values.addAll(Arrays.asList(more));
    return RowFactory.create(values.toArray());
  }

  private static Row row(Table table, String id, int content) {
    var values = new ArrayList<Object>();
    for (StructField field : table.schema().fields()) {
      boolean names = List.of("id", "task_id", "group_id").contains(field.name());
      values.add(
          names ? id : field.name().equals("license") ? "MIT" : value(field.dataType(), content));
    }
    return RowFactory.create(values.toArray());
  }

  /** Of a message: what the readers of messages take. */
  private static Object member(StructField field, int content) {
    return switch (field.name()) {
      case "role" -> "user";
      case "tool_calls" -> "[]";
      default -> value(field.dataType(), content);
    };
  }

  private static Object value(DataType type, int content) {
    if (type instanceof StructType struct) {
      return RowFactory.create(
          Arrays.stream(struct.fields()).map(field -> member(field, content)).toArray());
    }
    if (type instanceof ArrayType array) {
      return new Object[] {value(array.elementType(), content)};
    }
    if (type.equals(DataTypes.DoubleType)) {
      return content / 2.0;
    }
    if (type.equals(DataTypes.LongType)) {
      return (long) content;
    }
    if (type.equals(DataTypes.IntegerType)) {
      return content;
    }
    if (type.equals(DataTypes.BooleanType)) {
      return true;
    }
    if (type.equals(DataTypes.TimestampType)) {
      return Timestamp.from(Instant.EPOCH);
    }
    return content == 1 ? "the first text of all" : "another that differs entirely";
  }
}
