package dev.distillery.spark.warehouse;

import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;

/**
 * One row of {@link Tables#REJECTS}, with its codec.
 *
 * @param job job that dropped it
 * @param id id of the row, or where it stands
 * @param rule name of the rule
 * @param detail what the rule found
 * @param row the row as JSON
 */
public record RejectRow(String job, String id, String rule, String detail, String row) {
  /** The row in the schema of {@link Tables#REJECTS}. */
  public Row toRow() {
    return RowFactory.create(job, id, rule, detail, row);
  }
}
