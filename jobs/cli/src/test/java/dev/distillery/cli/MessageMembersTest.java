package dev.distillery.cli;

import static org.apache.spark.sql.functions.expr;
import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.dialogue.Message;
import dev.distillery.spark.testing.LocalSpark;
import dev.distillery.spark.warehouse.ConversationRow;
import dev.distillery.spark.warehouse.Tables;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Runs of before messages had a name, a weight, calls and their ids are read beside runs of after.
 */
class MessageMembersTest {
  private final SparkSession spark = LocalSpark.session();

  @TempDir Path warehouse;

  @BeforeEach
  void writeBoth() {
    Row row =
        new ConversationRow(
                "new",
                List.of(
                    new Message("user", "Which river?"),
                    new Message(
                        "assistant",
                        "",
                        Optional.of("ann"),
                        OptionalDouble.of(0),
                        Optional.of("[{\"type\":\"function\"}]"),
                        Optional.of("c"))),
                Optional.of("en"),
                Optional.empty(),
                "test",
                "CC0-1.0",
                List.of(),
                Optional.of("[]"))
            .toRow();
    var after = spark.createDataFrame(List.of(row), Tables.CONVERSATIONS.schema());
    after.write().parquet(folder("b"));
    after
        .drop("tools")
        .withColumn("messages", expr("transform(messages, m -> struct(m.role, m.content))"))
        .write()
        .parquet(folder("a"));
  }

  private String folder(String run) {
    return warehouse.resolve("conversations/run_id=" + run).toString();
  }

  @Test
  void sparkReadsBoth() {
    List<Row> rows =
        spark
            .read()
            .schema(Tables.CONVERSATIONS.schema())
            .parquet(folder("a"), folder("b"))
            .selectExpr(
                "messages[1].name", "messages[1].weight AS weight", "messages[1].role", "tools")
            .sort("weight")
            .collectAsList();
    assertThat(rows)
        .extracting(Row::toString)
        .containsExactly("[null,null,assistant,null]", "[ann,0.0,assistant,[]]");
    assertThat(spark.read().option("mergeSchema", "true").parquet(folder("a"), folder("b")))
        .satisfies(
            merged ->
                assertThat(merged.schema().apply("messages").dataType().simpleString())
                    .isEqualTo(
                        "array<struct<role:string,content:string,name:string,weight:double,"
                            + "tool_calls:string,tool_call_id:string>>"));
  }

  @Test
  void duckDbReadsBoth() throws SQLException {
    assertThat(
            DuckDb.rows(
                """
                SELECT run_id, messages[2].role, messages[2].name, messages[2].weight,
                       messages[2].tool_calls, messages[2].tool_call_id, tools
                FROM read_parquet('%s/conversations/*/*.parquet', hive_partitioning = true,
                                  union_by_name = true)
                ORDER BY run_id
                """
                    .formatted(warehouse)))
        .containsExactly(
            "a|assistant|null|null|null|null|null",
            "b|assistant|ann|0.0|[{\"type\":\"function\"}]|c|[]");
  }
}
