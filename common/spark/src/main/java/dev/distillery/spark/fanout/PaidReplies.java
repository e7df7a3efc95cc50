package dev.distillery.spark.fanout;

import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.warehouse.LogprobRows;
import dev.distillery.spark.warehouse.Tables;
import java.sql.Timestamp;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.sql.functions;
import org.jspecify.annotations.Nullable;

/** Replies that other runs have paid for, as {@code --reuse-completions} names them. */
public final class PaidReplies {
  private PaidReplies() {}

  /**
   * Reads completions of other runs: those with a reply, one a request, the earliest. What their
   * rows may be used for is decided by the rows that are asked about now.
   *
   * @param refs tables or files of completions; none gives none
   * @return the columns of the table
   */
  public static Optional<Dataset<Row>> of(JobRun run, List<String> refs) {
    if (refs.isEmpty()) {
      return Optional.empty();
    }
    Column[] columns =
        Arrays.stream(Tables.COMPLETIONS.schema().fieldNames())
            .map(functions::col)
            .toArray(Column[]::new);
    // The tokens of a reply are long, and equal where all else is.
    Column[] telling =
        Arrays.stream(Tables.COMPLETIONS.schema().fieldNames())
            .filter(name -> !name.equals("logprobs"))
            .map(functions::col)
            .toArray(Column[]::new);
    var earliest =
        Window.partitionBy("request_id")
            .orderBy(functions.col("created_at"), functions.to_json(functions.struct(telling)));
    return Optional.of(
        run.inputsOfAnyLicense(refs, Tables.COMPLETIONS)
            .select(columns)
            .where("status = 'ok'")
            .withColumn("rank", functions.row_number().over(earliest))
            .where("rank = 1")
            .drop("rank"));
  }

  /** The completion of a row of the table; this run pays nothing for it. */
  static Completion completion(Row row) {
    return new Completion(
        row.getAs("request_id"),
        text(row, "id"),
        row.getAs("model"),
        text(row, "prompt").orElse(""),
        text(row, "params").orElse("{}"),
        true,
        text(row, "finish_reason"),
        text(row, "text"),
        tokens(row.getAs("prompt_tokens")),
        0,
        tokens(row.getAs("completion_tokens")),
        0,
        Optional.ofNullable(row.getAs("cost_usd")),
        number(row.getAs("attempts")),
        0,
        number(row.getAs("http_status")),
        row.isNullAt(row.fieldIndex("latency_ms")) ? 0 : row.<Long>getAs("latency_ms"),
        Optional.empty(),
        Optional.ofNullable(row.<@Nullable Timestamp>getAs("created_at"))
            .orElseGet(() -> new Timestamp(0))
            .toInstant(),
        text(row, "reasoning"),
        LogprobRows.read(
            row.isNullAt(row.fieldIndex("logprobs"))
                ? null
                : row.getList(row.fieldIndex("logprobs"))),
        text(row, "tool_calls"));
  }

  private static Optional<String> text(Row row, String column) {
    return Optional.ofNullable(row.getAs(column));
  }

  private static int tokens(@Nullable Long tokens) {
    return tokens == null ? -1 : Math.toIntExact(tokens);
  }

  private static int number(@Nullable Integer number) {
    return number == null ? 0 : number;
  }
}
