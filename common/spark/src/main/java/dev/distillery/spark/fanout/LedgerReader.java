package dev.distillery.spark.fanout;

import dev.distillery.spark.warehouse.LogprobRows;
import dev.distillery.spark.warehouse.Tables;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.Timestamp;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Stream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/** Reads a run's ledger back, spread over the cluster. */
final class LedgerReader {
  /** A line of the ledger: the table {@code completions} and what only the books need. */
  static final StructType ENTRY =
      Tables.COMPLETIONS
          .schema()
          .add("lost_attempts", DataTypes.IntegerType)
          .add("billed_tokens", DataTypes.LongType)
          .add("failed_for_now", DataTypes.BooleanType)
          .add("line", DataTypes.StringType);

  private static final StructType GRANT =
      new StructType()
          .add("request_id", DataTypes.StringType, false)
          .add("grants", DataTypes.IntegerType)
          .add("refused", DataTypes.IntegerType)
          .add("tokens", DataTypes.LongType)
          .add("nanos", DataTypes.LongType);

  private final SparkSession spark;
  private final Path run;

  LedgerReader(SparkSession spark, Path run) {
    this.spark = spark;
    this.run = run;
  }

  /** Whether anything was ever granted to this run. */
  boolean exists() {
    return hasFiles(new Path(run, Ledger.GRANTED)) || hasReplies();
  }

  /** Every entry, those of one request that were written twice included. */
  Dataset<Row> entries() {
    if (!hasReplies()) {
      return spark.createDataFrame(List.of(), ENTRY);
    }
    return lines(run, LedgerMerge::replies).mapPartitions(new ParseEntries(), Encoders.row(ENTRY));
  }

  /**
   * One entry a request: a reply before a failure, then the earlier one. Both of two replies are
   * paid; the table shows one.
   */
  static Dataset<Row> onePerRequest(Dataset<Row> entries) {
    var order =
        Window.partitionBy("request_id")
            .orderBy(
                functions.col("status").desc(), functions.col("created_at"), functions.col("line"));
    return entries
        .withColumn("rank", functions.row_number().over(order))
        .where("rank = 1")
        .drop("rank");
  }

  /**
   * What the run has used before. A request that was granted more often than its entries tell may
   * have been sent and its reply lost: at worst it is paid.
   */
  Past past() {
    Dataset<Row> entries =
        entries()
            .groupBy("request_id")
            .agg(
                sum("billed_tokens").as("tokens"),
                functions.max("billed_tokens").as("most_tokens"),
                sum("coalesce(cast(round(cost_usd * 1e9) as bigint), 0)").as("nanos"),
                sum("lost_attempts").as("uncertain"),
                sum("lost_attempts + 1").as("accounted"));
    Dataset<Row> grants =
        grants()
            .groupBy("request_id")
            .agg(
                sum("grants").as("grants"),
                sum("grants + refused").as("sent"),
                functions.max("tokens").as("worst_tokens"),
                functions.max("nanos").as("worst_nanos"));
    Row row =
        grants
            .join(entries, new String[] {"request_id"}, "left")
            .withColumn("lost", functions.expr("greatest(grants - coalesce(accounted, 0), 0)"))
            .withColumn("unpaid", functions.expr("lost + coalesce(uncertain, 0)"))
            .agg(
                sum("sent"),
                sum("coalesce(tokens, 0) + unpaid * worst_tokens"),
                sum("coalesce(nanos, 0) + unpaid * worst_nanos"),
                sum("lost"),
                sum("lost * worst_tokens"),
                sum("lost * worst_nanos"),
                functions.max(functions.expr("most_tokens / worst_tokens")))
            .head();
    return new Past(
        new Spend(number(row, 0), number(row, 1), number(row, 2)),
        new Spend(number(row, 3), number(row, 4), number(row, 5)),
        row.isNullAt(6) ? 1 : Math.max(1, row.getDouble(6)));
  }

  private static org.apache.spark.sql.Column sum(String expression) {
    return functions.sum(functions.expr(expression));
  }

  private static long number(Row row, int column) {
    return row.isNullAt(column) ? 0 : row.getLong(column);
  }

  /**
   * What earlier attempts at a run have used.
   *
   * @param spent all of it, the lost at their worst included
   * @param lost requests that were let go and have no entry, at their worst
   * @param overrun how often over its worst case the server has counted a request; at least 1
   */
  record Past(Spend spent, Spend lost, double overrun) {
    static final Past NONE = new Past(Spend.NONE, Spend.NONE, 1);
  }

  private Dataset<Row> grants() {
    return hasFiles(new Path(run, Ledger.GRANTED))
        ? lines(new Path(run, Ledger.GRANTED), LedgerMerge::grants)
            .mapPartitions(new ParseGrants(), Encoders.row(GRANT))
        : spark.createDataFrame(List.of(), GRANT);
  }

  private interface Merged {
    List<Path> files(LedgerMerge merge) throws IOException;
  }

  private Dataset<String> lines(Path folder, Merged merged) {
    try {
      var merge =
          new LedgerMerge(LedgerFiles.fileSystem(run, spark.sessionState().newHadoopConf()), run);
      if (!merge.everBegan()) {
        return spark.read().option("recursiveFileLookup", "true").textFile(folder.toString());
      }
      String[] files = merged.files(merge).stream().map(Path::toString).toArray(String[]::new);
      return files.length == 0
          ? spark.emptyDataset(Encoders.STRING())
          : spark.read().textFile(files);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private boolean hasReplies() {
    try {
      FileSystem fileSystem = run.getFileSystem(spark.sessionState().newHadoopConf());
      if (!fileSystem.exists(run)) {
        return false;
      }
      for (FileStatus child : fileSystem.listStatus(run)) {
        if (child.isDirectory() && !child.getPath().getName().startsWith("_")) {
          return true;
        }
      }
      return false;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private boolean hasFiles(Path folder) {
    try {
      FileSystem fileSystem = folder.getFileSystem(spark.sessionState().newHadoopConf());
      return fileSystem.exists(folder) && fileSystem.listStatus(folder).length > 0;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static final class ParseEntries
      implements org.apache.spark.api.java.function.MapPartitionsFunction<String, Row> {
    private static final long serialVersionUID = 1L;

    @Override
    public Iterator<Row> call(Iterator<String> lines) {
      return stream(lines)
          .flatMap(line -> Ledger.fromJson(line).map(entry -> row(entry, line)).stream())
          .iterator();
    }
  }

  private static final class ParseGrants
      implements org.apache.spark.api.java.function.MapPartitionsFunction<String, Row> {
    private static final long serialVersionUID = 1L;

    @Override
    public Iterator<Row> call(Iterator<String> lines) {
      return stream(lines)
          .flatMap(line -> GrantLog.parse(line).stream())
          .map(
              grant ->
                  RowFactory.create(
                      grant.requestId(),
                      grant.grants(),
                      grant.refused(),
                      grant.tokens(),
                      grant.nanos()))
          .iterator();
    }
  }

  private static Stream<String> stream(Iterator<String> lines) {
    Iterable<String> iterable = () -> lines;
    return java.util.stream.StreamSupport.stream(iterable.spliterator(), false);
  }

  static Row row(Completion entry, String line) {
    return RowFactory.create(
        entry.requestId(),
        entry.rowId().orElse(null),
        entry.model(),
        entry.prompt(),
        entry.params(),
        entry.ok() ? "ok" : "failed",
        entry.finishReason().orElse(null),
        entry.text().orElse(null),
        known(entry.promptTokens()),
        known(entry.completionTokens()),
        entry.costUsd().orElse(null),
        entry.attempts(),
        entry.httpStatus() == 0 ? null : entry.httpStatus(),
        entry.latencyMillis(),
        entry.error().orElse(null),
        Timestamp.from(entry.createdAt()),
        entry.reasoning().orElse(null),
        // Source and license are the row's that was asked about; a job joins them.
        null,
        null,
        LogprobRows.of(entry.logprobs()),
        entry.toolCalls().orElse(null),
        entry.lostAttempts(),
        entry.billedTokens(),
        entry.failedForNow(),
        line);
  }

  private static @Nullable Long known(int tokens) {
    return tokens < 0 ? null : (long) tokens;
  }
}
