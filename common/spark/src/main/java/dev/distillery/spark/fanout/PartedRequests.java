package dev.distillery.spark.fanout;

import dev.distillery.spark.job.JobRun;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.jspecify.annotations.Nullable;

/** The requests of a run, apart from those whose replies another run has paid for. */
public final class PartedRequests {
  private final Dataset<String> all;
  private final Dataset<String> open;
  private final @Nullable Dataset<Row> taken;

  private PartedRequests(Dataset<String> all, Dataset<String> open, @Nullable Dataset<Row> taken) {
    this.all = all;
    this.open = open;
    this.taken = taken;
  }

  /**
   * Parts requests.
   *
   * @param requests one a row, as {@link RequestCodec} writes them
   * @param reuse completions of other runs, as {@code --reuse-completions} names them
   */
  public static PartedRequests of(JobRun run, Dataset<String> requests, List<String> reuse) {
    Dataset<Row> others = PaidReplies.of(run, reuse).orElse(null);
    if (others == null) {
      return new PartedRequests(requests, requests, null);
    }
    String[] key = {"request_id"};
    Dataset<Row> asked =
        requests.select(
            functions.get_json_object(functions.col("value"), "$.request_id").as("request_id"),
            functions.get_json_object(functions.col("value"), "$.id").as("id"),
            functions.col("value"));
    // The row that is asked about is this run's: files of one's own may name another, or none.
    Dataset<Row> taken =
        others
            .drop("id")
            .join(asked.select("request_id", "id").distinct(), key)
            .select(Arrays.stream(others.columns()).map(functions::col).toArray(Column[]::new));
    Dataset<String> open =
        asked
            .join(taken.select("request_id"), key, "left_anti")
            .select("value")
            .as(Encoders.STRING());
    return new PartedRequests(requests, open, taken);
  }

  /** Those that are to be sent. */
  public Dataset<String> open() {
    return open;
  }

  /** How many there are in all. */
  public long count() {
    return all.count();
  }

  /** Replies that other runs have paid for. */
  public long reused() {
    return taken == null ? 0 : taken.count();
  }

  /** The table completions of all that have come to an end. */
  public Dataset<Row> completions(Fanout fanout) {
    Dataset<Row> own = fanout.completions(open);
    return taken == null ? own : own.unionByName(taken);
  }
}
