package dev.distillery.datasets;

import java.util.List;
import org.apache.spark.sql.Row;

/** What became of one unit of input. */
public sealed interface RowResult {

  /**
   * It is kept, unless it turns out to be a duplicate.
   *
   * @param id of the unit: a stable hash of its content and source
   * @param rows what it becomes in the source's table; several where it was split or paired
   * @param keys two units with a key in common are duplicates, and the earlier one stays
   * @param leftOver what else could have been made of it, but for a limit
   */
  record Kept(String id, List<Row> rows, List<Key> keys, long leftOver) implements RowResult {
    public Kept {
      rows = List.copyOf(rows);
      keys = List.copyOf(keys);
    }

    /** A unit of which nothing is left over. */
    public Kept(String id, List<Row> rows, List<Key> keys) {
      this(id, rows, keys, 0);
    }

    /** A unit that becomes one row, and is a duplicate only of the same content. */
    public static Kept of(String id, Row row) {
      return new Kept(id, List.of(row), List.of());
    }
  }

  /**
   * What makes two units duplicates.
   *
   * @param rule the rule's name
   * @param value equal in duplicates; hashed before it travels
   */
  record Key(String rule, String value) {}

  /**
   * It means something only together with others, and goes to its group.
   *
   * @param group items with the same one come together
   * @param order of the item in its group, as text
   * @param content whatever the source needs of it, as JSON
   */
  record Item(String group, String order, String content) implements RowResult {}

  /** It is not used. */
  record Rejected(String rule, String detail) implements RowResult {}
}
