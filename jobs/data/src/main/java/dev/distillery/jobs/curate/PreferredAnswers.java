package dev.distillery.jobs.curate;

import static org.apache.spark.sql.functions.array;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.first;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.row_number;
import static org.apache.spark.sql.functions.sha2;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.to_json;

import dev.distillery.core.dialogue.Roles;
import dev.distillery.spark.warehouse.Columns;
import dev.distillery.spark.warehouse.MessageRows;
import java.util.Arrays;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.sql.expressions.WindowSpec;

/**
 * Comparisons as dialogues: the prompt with the chosen answer. An answer that was preferred to
 * several others is one dialogue; its first comparison by id, input and content stands for the
 * others.
 */
final class PreferredAnswers {
  /** The comparison that stands for a row; its own id where the row stands for itself. */
  static final String KEPT_ID = "__kept_id";

  static final String RULE = "same_answer";

  private PreferredAnswers() {}

  /** The rows with messages, and {@link #KEPT_ID} and whether they stand for themselves. */
  static Dataset<Row> of(Dataset<Row> preferences) {
    Column answer =
        struct(
                lit(Roles.ASSISTANT).as("role"),
                col("chosen").as("content"),
                lit(null).cast("string").as("name"),
                lit(null).cast("double").as("weight"),
                lit(null).cast("string").as("tool_calls"),
                lit(null).cast("string").as("tool_call_id"))
            .cast(MessageRows.MESSAGE);
    Column dialogue = sha2(to_json(struct(col("prompt"), col("chosen"))), 256);
    // Rows of one id may differ in anything: what stands must not hang on the order they come in.
    Column whole =
        struct(Arrays.stream(preferences.columns()).map(Columns::named).toArray(Column[]::new));
    WindowSpec same =
        Window.partitionBy(col("__dialogue"))
            .orderBy(col("id"), col(Mixture.INPUT), sha2(to_json(whole), 256));
    return preferences
        .withColumn("messages", concat(col("prompt"), array(answer)))
        .withColumn("language", lit(null).cast("string"))
        .withColumn("__dialogue", dialogue)
        .withColumn("__number", row_number().over(same))
        .withColumn(KEPT_ID, first(coalesce(col("id"), lit(""))).over(same));
  }

  /** Whether a row stands for itself. */
  static Column stands() {
    return col("__number").equalTo(1);
  }
}
