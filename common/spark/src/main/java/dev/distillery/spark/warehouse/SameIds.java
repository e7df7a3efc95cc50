package dev.distillery.spark.warehouse;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.min;

import dev.distillery.core.run.JobException;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/** Rows that share an id and are not the same. */
public final class SameIds {
  private static final int EXAMPLES = 5;

  private SameIds() {}

  /**
   * Makes sure that an id stands for one thing.
   *
   * @param rows with a column {@code id}
   * @param content what makes two rows the same, as a text
   * @param file where a row is
   * @param things what different rows are, such as {@code questions}
   * @param remedy what to do, the end of a sentence
   * @throws JobException that names ids and files
   */
  public static void refuse(
      Dataset<Row> rows, Column content, Column file, String things, String remedy) {
    List<Row> twice =
        rows.groupBy("id")
            .agg(
                min(content).as("least"),
                max(content).as("most"),
                min(file).as("first"),
                max(file).as("last"))
            .where(col("least").notEqual(col("most")))
            .sort("id")
            .limit(EXAMPLES + 1)
            .collectAsList();
    if (twice.isEmpty()) {
      return;
    }
    String first = twice.get(0).getString(3);
    String last = twice.get(0).getString(4);
    String others =
        twice.stream()
            .skip(1)
            .limit(EXAMPLES - 1)
            .map(row -> "'" + row.getString(0) + "'")
            .collect(Collectors.joining(", "));
    throw JobException.invalid(
        "The id '"
            + twice.get(0).getString(0)
            + "' stands for different "
            + things
            + " in "
            + (first.equals(last) ? first : first + " and " + last)
            + (others.isEmpty() ? "" : "; so do " + others)
            + (twice.size() > EXAMPLES ? " and more" : "")
            + ": "
            + remedy);
  }
}
