package dev.distillery.spark.job;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.input_file_name;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.not;
import static org.apache.spark.sql.functions.trim;
import static org.apache.spark.sql.functions.when;

import dev.distillery.spark.license.Licenses;
import dev.distillery.spark.warehouse.Table;
import java.util.List;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** Answers to prompts, under the names that tables and people's files have for them. */
public final class AnswerRows {
  private static final Table ANSWERS =
      new Table(
          "answers",
          "One answer to a prompt.",
          new StructType()
              .add("id", DataTypes.StringType, false, "Shared by the answers to one prompt")
              .add("prompt", DataTypes.StringType, true, "What was asked; a dialogue as JSON")
              .add("instruction", DataTypes.StringType, true, "What was asked")
              .add("input", DataTypes.StringType, true, "What it was asked about")
              .add("text", DataTypes.StringType, true, "The answer")
              .add("tool_calls", DataTypes.StringType, true, "Calls of tools, a JSON array")
              .add("output", DataTypes.StringType, true, "The answer")
              .add("answer", DataTypes.StringType, true, "The answer")
              .add("model", DataTypes.StringType, true, "Who gave it")
              .add("generator", DataTypes.StringType, true, "Who gave it")
              .add("teacher", DataTypes.StringType, true, "Who gave it")
              .add("status", DataTypes.StringType, true, "ok, or the row has no answer")
              .add("source", DataTypes.StringType, true, "Name of the source")
              .add("license", DataTypes.StringType, true, "SPDX expression, or NOASSERTION"));

  private AnswerRows() {}

  /**
   * Reads answers.
   *
   * @param refs tables or files, at least one; where a row does not say who answered, they stand
   *     for that
   * @return columns id, prompt (of an instruction: it and its input), instruction, input, answer
   *     (null where the row failed), calls (whether the answer calls tools), model, source,
   *     license, and file. Where columns say the same, {@code instruction} goes before {@code
   *     prompt}, and {@code output} and {@code answer} before {@code text}: rows of Alpaca have all
   *     of question and answer in the latter
   */
  public static Dataset<Row> read(JobRun run, List<String> refs) {
    return run.inputs(refs, ANSWERS)
        .select(
            col("id"),
            coalesce(instruction(), col("prompt")).as("prompt"),
            col("instruction"),
            col("input"),
            when(
                    coalesce(col("status"), lit("ok")).equalTo("ok"),
                    coalesce(col("output"), col("answer"), col("text")))
                .as("answer"),
            not(trim(coalesce(col("tool_calls"), lit(""))).isin("", "[]", "null")).as("calls"),
            coalesce(col("model"), col("generator"), col("teacher"), lit(String.join(", ", refs)))
                .as("model"),
            coalesce(col("source"), lit("")).as("source"),
            coalesce(col("license"), lit(Licenses.NOASSERTION)).as("license"),
            input_file_name().as("file"));
  }

  /** The column instruction, with the column input behind it where that is not empty. */
  public static Column instruction() {
    return concat(
        col("instruction"),
        when(trim(coalesce(col("input"), lit(""))).equalTo(""), lit(""))
            .otherwise(concat(lit("\n\n"), col("input"))));
  }
}
