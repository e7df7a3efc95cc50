package dev.distillery.spark.job;

import dev.distillery.spark.warehouse.Table;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * Rows of a table that a driver makes one by one, in an order worth keeping. Holds a bounded number
 * in memory and stages the rest, so that a long run does not grow the driver.
 */
public final class RowSpool {
  private static final int BUFFERED_ROWS = 8192;
  private static final String ORDINAL = "_ordinal";

  private final JobRun run;
  private final Table table;
  private final StructType spooled;
  private final Path folder;
  private final List<Row> buffer = new ArrayList<>();
  private long added;
  private boolean flushed;

  public RowSpool(JobRun run, Table table) {
    this.run = run;
    this.table = table;
    this.spooled = table.schema().add(ORDINAL, DataTypes.LongType, false);
    this.folder = new Path(run.warehouse().staging(run.id()), ".spool-" + table.name());
  }

  /** Adds a row in the table's columns. */
  public void add(Row row) {
    Object[] values = new Object[row.length() + 1];
    for (int i = 0; i < row.length(); i++) {
      values[i] = row.get(i);
    }
    values[row.length()] = added++;
    buffer.add(RowFactory.create(values));
    if (buffer.size() == BUFFERED_ROWS) {
      flush();
    }
  }

  /** Writes the table in the order in which rows were added; returns their number. */
  public long finish() {
    Dataset<Row> rows;
    if (flushed) {
      flush();
      rows = run.spark().read().schema(spooled).parquet(folder.toString());
    } else {
      rows = run.spark().createDataFrame(buffer, spooled);
    }
    return run.write(table, rows.coalesce(1).sortWithinPartitions(ORDINAL).drop(ORDINAL));
  }

  private void flush() {
    run.spark()
        .createDataFrame(buffer, spooled)
        .coalesce(1)
        .write()
        .mode("append")
        .parquet(folder.toString());
    buffer.clear();
    flushed = true;
  }
}
