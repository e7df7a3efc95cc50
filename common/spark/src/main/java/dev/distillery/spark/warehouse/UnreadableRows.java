package dev.distillery.spark.warehouse;

import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * Rows of files of one's own that {@link TableReader} puts aside, since the canonical form cannot
 * hold their messages: a picture, an unknown role, no content.
 *
 * @param rows {@code id}, {@code rule}, {@code detail} and the whole {@code row} as JSON
 * @param byRule how many there are, by rule; at least one
 */
public record UnreadableRows(Dataset<Row> rows, Map<String, Long> byRule) {
  public UnreadableRows {
    byRule = Map.copyOf(byRule);
  }
}
