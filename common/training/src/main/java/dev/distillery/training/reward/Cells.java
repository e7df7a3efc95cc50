package dev.distillery.training.reward;

import dev.distillery.core.dialogue.Message;
import dev.distillery.spark.warehouse.MessageRows;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.Row;
import org.jspecify.annotations.Nullable;

/** The cells of a row that may lack a column. */
final class Cells {
  private Cells() {}

  static boolean has(Row row, String column) {
    return Arrays.asList(row.schema().fieldNames()).contains(column)
        && !row.isNullAt(row.fieldIndex(column));
  }

  /** A text; the empty one where there is none. */
  static String text(Row row, String column) {
    return has(row, column) ? row.getString(row.fieldIndex(column)) : "";
  }

  /** A number; {@code usual} where there is none. */
  static double number(Row row, String column, double usual) {
    return has(row, column) && row.get(row.fieldIndex(column)) instanceof Number number
        ? number.doubleValue()
        : usual;
  }

  /**
   * The messages of a column.
   *
   * @throws IllegalArgumentException where one has no role or no content
   */
  static List<Message> messages(Row row, String column) {
    List<@Nullable Row> messages =
        has(row, column) ? row.getList(row.fieldIndex(column)) : List.of();
    var turns = new ArrayList<Row>();
    for (Row message : messages) {
      if (message == null || message.isNullAt(0) || message.isNullAt(1)) {
        throw new IllegalArgumentException(
            "Message %s has no role or no content".formatted(turns.size() + 1));
      }
      turns.add(message);
    }
    return MessageRows.read(turns);
  }
}
