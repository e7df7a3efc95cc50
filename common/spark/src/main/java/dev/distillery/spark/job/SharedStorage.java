package dev.distillery.spark.job;

import dev.distillery.core.run.JobException;
import dev.distillery.spark.warehouse.Warehouse;
import java.io.File;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;

/**
 * A `file:` warehouse on several machines would scatter its files: executors must see what the
 * driver wrote.
 */
final class SharedStorage {
  private SharedStorage() {}

  /** Ends with exit 3 where an executor does not find a file of the driver's. */
  static void check(SparkSession spark, Warehouse warehouse) {
    String master = spark.sparkContext().master();
    if (master.startsWith("local") || !warehouse.files().getScheme().equals("file")) {
      return;
    }
    Path nonce = new Path(warehouse.runs(), ".nonce-" + UUID.randomUUID());
    warehouse.writeText(nonce, "here");
    try {
      String local = nonce.toUri().getPath();
      int slots = Math.max(2, spark.sparkContext().defaultParallelism());
      List<String> blind =
          JavaSparkContext.fromSparkContext(spark.sparkContext())
              .parallelize(IntStream.range(0, slots).boxed().toList(), slots)
              .filter(slot -> !new File(local).exists())
              .map(slot -> org.apache.spark.SparkEnv.get().blockManager().blockManagerId().host())
              .distinct()
              .collect();
      if (!blind.isEmpty()) {
        throw JobException.invalid(
            "The warehouse "
                + warehouse.root()
                + " is on the driver's own disk: executors on "
                + String.join(", ", blind)
                + " do not see it; name a shared folder or a URI such as hdfs:// or s3a://");
      }
    } finally {
      warehouse.delete(nonce);
    }
  }
}
