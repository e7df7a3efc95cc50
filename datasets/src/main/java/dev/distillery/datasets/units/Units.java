package dev.distillery.datasets.units;

import static org.apache.spark.sql.functions.broadcast;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.explode;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.sum;

import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.apache.spark.storage.StorageLevel;
import scala.jdk.javaapi.CollectionConverters;

/**
 * The units of a run, parted into kept rows, duplicates and rejects. The files are parsed once: the
 * units lie on the executors' disks until this is closed.
 */
public final class Units implements AutoCloseable {
  /** Fewer dropped positions than this go to every executor; kept rows need not move then. */
  private static final long BROADCAST_LIMIT = 1_000_000;

  /**
   * As Spark keeps units on disk; a file of Parquet is some five times smaller. Fewer files of this
   * size need no shuffle: a task writes what several have read.
   */
  private static final long BYTES_OF_FILE = 256L << 20;

  /** Names of unread fields beyond the commonest are not kept: some files have no end of them. */
  private static final int MAX_UNREAD = 50;

  private final Dataset<Row> units;
  private final Dataset<Row> dropped;
  private final long droppedCount;

  /**
   * Parts units.
   *
   * @param parsed of {@link UnitReader}
   */
  public Units(Dataset<Row> parsed) {
    this.units = parsed.persist(StorageLevel.DISK_ONLY());
    this.dropped = FirstWins.held(FirstWins.dropped(units.filter("id is not null")));
    this.droppedCount = dropped.count();
  }

  /** The rows that are kept, in the source's table, in partitions of the size of a file. */
  public Dataset<Row> rows() {
    long bytes = units.queryExecution().withCachedData().stats().sizeInBytes().longValue();
    return kept()
        .select(explode(col("rows")).as("row"))
        .select("row.*")
        .coalesce((int) Math.min(Integer.MAX_VALUE, bytes / BYTES_OF_FILE + 1));
  }

  private Dataset<Row> kept() {
    Dataset<Row> kept = units.filter("id is not null");
    if (droppedCount > 0) {
      Dataset<Row> positions =
          dropped.select(UnitColumns.POSITION.stream().map(functions::col).toArray(Column[]::new));
      kept =
          kept.join(
              droppedCount < BROADCAST_LIMIT ? broadcast(positions) : positions,
              CollectionConverters.asScala(UnitColumns.POSITION).toSeq(),
              "left_anti");
    }
    return kept;
  }

  /** Units that a rule rejected, as rows of the rejects table. */
  public Dataset<Row> rejects(String job) {
    return units
        .filter(col(UnitColumns.RULE).isNotNull())
        .select(
            lit(job).as("job"),
            col("place").as("id"),
            col(UnitColumns.RULE),
            col("detail"),
            col("raw").as("row"));
  }

  /** Units that an earlier one excludes, as rows of the duplicates table. */
  public Dataset<Row> duplicates() {
    return dropped
        .select(col("id"), col("kept_id"), lit(1.0).as("score"), col("rule"))
        .sort("id", "kept_id", "rule");
  }

  /**
   * How many units there are.
   *
   * @param units all that were found
   * @param kept those that are used
   * @param duplicates dropped because of an earlier one
   * @param rejects dropped, by rule
   * @param leftOver what a limit left unmade of the kept ones
   * @param unread fields that no reader knows, with the rows that have them
   */
  public record Counts(
      long units,
      long kept,
      long duplicates,
      Map<String, Long> rejects,
      long leftOver,
      Map<String, Long> unread) {
    /** Units that a rule rejected. */
    public long rejected() {
      return rejects.values().stream().mapToLong(Long::longValue).sum();
    }
  }

  /** Counts the units, each kind by itself. */
  public Counts counts() {
    Row kept = kept().agg(count(lit(1)), sum("left_over")).head();
    long all = 0;
    Map<String, Long> rejects = new TreeMap<>();
    for (Row row : units.groupBy(UnitColumns.RULE).count().collectAsList()) {
      all += row.getLong(1);
      if (!row.isNullAt(0)) {
        rejects.put(row.getString(0), row.getLong(1));
      }
    }
    long leftOver = kept.isNullAt(1) ? 0 : kept.getLong(1);
    return new Counts(all, kept.getLong(0), droppedCount, rejects, leftOver, unread());
  }

  private Map<String, Long> unread() {
    Map<String, Long> unread = new TreeMap<>();
    units
        .select(explode(col(UnitColumns.UNREAD)).as("name"))
        .groupBy("name")
        .count()
        .orderBy(col("count").desc(), col("name"))
        .limit(MAX_UNREAD)
        .collectAsList()
        .forEach(row -> unread.put(row.getString(0), row.getLong(1)));
    return unread;
  }

  @Override
  public void close() {
    // Spark would warn of blocks that are gone already where the session ends before they are.
    units.unpersist(true);
  }
}
