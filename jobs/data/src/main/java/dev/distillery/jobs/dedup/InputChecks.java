package dev.distillery.jobs.dedup;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.min;

import dev.distillery.core.run.JobException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** Refuses rows on which no decision could be right. */
final class InputChecks {
  private static final int EXAMPLES = 5;

  /** The ids that stand in more than one row. */
  static final StructType REPEATED = new StructType().add("id", DataTypes.StringType);

  private static final String SAME_ID =
      "rows of the same id have different texts; an id names one row: give each its own";

  private InputChecks() {}

  /**
   * The ids that stand in more than one row; their rows have the same text.
   *
   * @param rows the narrow columns of the input
   * @throws JobException if rows of one id, or of one group, have different texts
   */
  static Dataset<Row> repeatedIds(Dataset<Row> rows, String groupBy) {
    Dataset<Row> repeated =
        rows.groupBy("id")
            .agg(
                count(lit(1)).as("rows"), min("text_hash").as("least"), max("text_hash").as("most"))
            .where(col("rows").gt(1));
    refuse(differing(repeated, "id"), SAME_ID);
    if (!groupBy.equals("id")) {
      Dataset<Row> groups =
          rows.groupBy("task").agg(min("text_hash").as("least"), max("text_hash").as("most"));
      refuse(differing(groups, "task"), sameGroup(groupBy));
    }
    return repeated.select("id");
  }

  /**
   * As {@link #repeatedIds(Dataset, String)}, in memory.
   *
   * @param entries pinned, id, task, tokens and text_hash
   */
  static List<Row> repeatedIds(List<Row> entries, String groupBy) {
    Map<String, Long> textOfId = new HashMap<>();
    Map<String, Long> textOfTask = new HashMap<>();
    Set<String> repeated = new TreeSet<>();
    Set<String> differingIds = new TreeSet<>();
    Set<String> differingTasks = new TreeSet<>();
    for (Row entry : entries) {
      if (entry.getBoolean(0)) {
        continue;
      }
      long text = entry.getLong(4);
      Long before = textOfId.putIfAbsent(entry.getString(1), text);
      if (before != null) {
        repeated.add(entry.getString(1));
        if (before != text) {
          differingIds.add(entry.getString(1));
        }
      }
      Long ofTask = textOfTask.putIfAbsent(entry.getString(2), text);
      if (ofTask != null && ofTask != text) {
        differingTasks.add(entry.getString(2));
      }
    }
    refuse(differingIds.stream().limit(EXAMPLES).toList(), SAME_ID);
    if (!groupBy.equals("id")) {
      refuse(differingTasks.stream().limit(EXAMPLES).toList(), sameGroup(groupBy));
    }
    return repeated.stream().map(RowFactory::create).toList();
  }

  private static String sameGroup(String groupBy) {
    return "rows of one "
        + groupBy
        + " are kept or dropped together, so what is compared must be the same in all of them;"
        + " use --group-by id to decide on each row";
  }

  private static List<String> differing(Dataset<Row> groups, String key) {
    return groups
        .where(col("least").notEqual(col("most")))
        .select(key)
        .orderBy(key)
        .limit(EXAMPLES)
        .collectAsList()
        .stream()
        .map(row -> row.getString(0))
        .toList();
  }

  private static void refuse(List<String> offending, String why) {
    if (!offending.isEmpty()) {
      throw JobException.invalid(
          "The input has a contradiction: "
              + why
              + ". Found with: "
              + offending.stream().map(key -> "'" + key + "'").collect(Collectors.joining(", "))
              + (offending.size() == EXAMPLES ? " and perhaps more" : ""));
    }
  }
}
