package dev.distillery.spark.warehouse;

import static org.apache.spark.sql.functions.array;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.explode;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.min;
import static org.apache.spark.sql.functions.transform;
import static org.apache.spark.sql.functions.when;

import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataTypes;

/**
 * What one look at the messages of all rows finds.
 *
 * @param rows how many there are
 * @param byRule rows whose messages cannot be read, by rule
 * @param example what is wrong with one of them; empty where none is
 * @param unread members of messages that nothing reads, with the rows that have them
 */
record MessageFindings(
    long rows, Map<String, Long> byRule, String example, Map<String, Long> unread) {
  /** Rows differ in few kinds, but members may be named by anything. */
  private static final int MOST_KINDS = 100;

  private static final String ROW = "row ";
  private static final String RULE = "rule ";
  private static final String UNREAD = "unread ";

  /** Looks at the rows once. */
  static MessageFindings in(Dataset<Row> rows, MessageColumns.Read read) {
    Column none = array().cast(new ArrayType(DataTypes.StringType, false));
    Column kinds =
        concat(
            array(lit(ROW)),
            when(read.rule().isNotNull(), array(concat(lit(RULE), read.rule()))).otherwise(none),
            coalesce(transform(read.unread(), name -> concat(lit(UNREAD), name)), none));
    Map<String, Long> byRule = new TreeMap<>();
    Map<String, Long> unread = new TreeMap<>();
    long all = 0;
    String example = "";
    for (Row found :
        rows.select(explode(kinds).as("kind"), read.detail().as("detail"))
            .groupBy("kind")
            .agg(count(lit(1)).as("rows"), min("detail").as("detail"))
            .orderBy(col("kind").startsWith(UNREAD), col("rows").desc(), col("kind"))
            .limit(MOST_KINDS)
            .collectAsList()) {
      String kind = found.getString(0);
      if (kind.equals(ROW)) {
        all = found.getLong(1);
        example = found.isNullAt(2) ? "" : found.getString(2);
      } else if (kind.startsWith(RULE)) {
        byRule.put(kind.substring(RULE.length()), found.getLong(1));
      } else {
        unread.put(kind.substring(UNREAD.length()), found.getLong(1));
      }
    }
    return new MessageFindings(all, byRule, example, unread);
  }

  /** Rows whose messages cannot be read. */
  long refused() {
    return byRule.values().stream().mapToLong(Long::longValue).sum();
  }
}
