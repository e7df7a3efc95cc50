package dev.distillery.jobs.dedup;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.min;

import dev.distillery.core.run.JobException;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/** Refuses rows on which no decision could be right. */
final class InputChecks {
  private static final int EXAMPLES = 5;

  private InputChecks() {}

  /**
   * The ids that stand in more than one row; their rows have the same text.
   *
   * @param rows the narrow columns of the input
   * @throws JobException if rows of one id have different texts
   */
  static Dataset<Row> repeatedIds(Dataset<Row> rows) {
    Dataset<Row> repeated =
        rows.groupBy("id")
            .agg(
                count(lit(1)).as("rows"), min("text_hash").as("least"), max("text_hash").as("most"))
            .where(col("rows").gt(1));
    refuse(
        repeated,
        "id",
        "rows of the same id have different texts; an id names one row: give each its own");
    return repeated.select("id");
  }

  /**
   * Checks that rows which are one have one text.
   *
   * @throws JobException if not
   */
  static void checkGroups(Dataset<Row> rows, String groupBy) {
    refuse(
        rows.groupBy("task").agg(min("text_hash").as("least"), max("text_hash").as("most")),
        "task",
        "rows of one "
            + groupBy
            + " are kept or dropped together, so what is compared must be the same in all of them;"
            + " use --group-by id to decide on each row");
  }

  private static void refuse(Dataset<Row> groups, String key, String why) {
    List<Row> offending =
        groups
            .where(col("least").notEqual(col("most")))
            .select(key)
            .orderBy(key)
            .limit(EXAMPLES)
            .collectAsList();
    if (!offending.isEmpty()) {
      throw JobException.invalid(
          "The input has a contradiction: "
              + why
              + ". Found with: "
              + offending.stream()
                  .map(row -> "'" + row.getString(0) + "'")
                  .collect(Collectors.joining(", "))
              + (offending.size() == EXAMPLES ? " and perhaps more" : ""));
    }
  }
}
