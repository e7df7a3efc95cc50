package dev.distillery.datasets;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.datasets.read.InputFiles;
import dev.distillery.spark.warehouse.Table;
import java.io.Serializable;
import java.util.List;
import java.util.Optional;

/**
 * A public data set. Its reader sees one row at a time, as a JSON object (a row of an XML dump: its
 * attributes; a plain text: the member {@code text}). Where rows only mean something together it
 * returns items, which come back in groups. Instances travel to the executors and hold nothing but
 * their settings.
 */
public interface Source extends Serializable {
  /** The name on the command line and in the column {@code source}. */
  String name();

  /** The table that its rows go to. */
  Table table();

  /** What is counted: each unit is kept, a duplicate, or rejected. */
  String unit();

  /** What its files hold. */
  default InputFiles.Expected expected() {
    return InputFiles.Expected.JSON;
  }

  /**
   * What the settings would have to say of a file, as its path does not; empty where nothing is
   * missing.
   */
  default Optional<String> missingFor(String path) {
    return Optional.empty();
  }

  /** The fields that its rows have; others are counted as unread. */
  Fields fields();

  /**
   * What becomes of a row: of each unit in it, one result.
   *
   * @throws RejectedRowException where the row as a whole cannot be used
   */
  List<RowResult> parse(ObjectNode row, RowContext context) throws RejectedRowException;

  /**
   * What becomes of the items of one group: one result each, in their order.
   *
   * @param key the group
   * @param items sorted by their order, no two of the same; never more than {@link #maxGroup}
   */
  default List<RowResult> group(String key, List<RowResult.Item> items) {
    throw new UnsupportedOperationException(name() + " makes no items");
  }

  /** Whether rows may become items. */
  default boolean groups() {
    return false;
  }

  /** Items of a group beyond this many are rejected: the most that a task holds in memory. */
  default int maxGroup() {
    return 10_000;
  }
}
