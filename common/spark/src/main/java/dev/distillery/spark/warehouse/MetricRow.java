package dev.distillery.spark.warehouse;

import java.sql.Timestamp;
import java.time.Instant;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;

/** One row of {@link Tables#METRICS}, with its codec. */
public record MetricRow(long step, Instant wallTime, String name, double value) {
  /** The row in the schema of {@link Tables#METRICS}. */
  public Row toRow() {
    return RowFactory.create(step, Timestamp.from(wallTime), name, value);
  }
}
