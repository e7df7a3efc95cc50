import dev.distillery.core.run.RunOptions;
import dev.distillery.datasets.registry.Sources;
import dev.distillery.jobs.dedup.DedupJob;
import dev.distillery.jobs.dedup.DedupOptions;
import dev.distillery.jobs.dedup.DedupSummary;
import dev.distillery.jobs.ingest.IngestJob;
import dev.distillery.jobs.ingest.IngestOptions;
import dev.distillery.jobs.ingest.IngestSummary;
import java.util.List;
import org.apache.spark.sql.SparkSession;

/**
 * Reads a file of Alpaca's rows into a table and drops its near duplicates, from Java.
 *
 * <p>Arguments: the file, the warehouse.
 */
public final class JavaDoor {
  private JavaDoor() {}

  public static void main(String[] args) {
    SparkSession spark =
        SparkSession.builder()
            .appName("java-door")
            .config("spark.sql.session.timeZone", "UTC")
            .config("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
            .getOrCreate();
    IngestSummary read =
        new IngestJob()
            .run(
                spark,
                IngestOptions.builder()
                    .run(run(args[1], "read"))
                    .source(Sources.ALPACA)
                    .input(List.of(args[0]))
                    .build());
    DedupSummary unique =
        new DedupJob()
            .run(
                spark,
                DedupOptions.builder()
                    .run(run(args[1], "unique"))
                    .input(List.of("instructions@" + read.run().runId()))
                    .threshold(0.6)
                    .build(),
                update -> System.err.println(update.job() + ": " + update.line()));
    System.out.println(unique.kept() + " of " + unique.in() + " rows are kept");
    System.out.println(read.toJson());
    System.out.println(unique.toJson());
    spark.stop();
  }

  private static RunOptions run(String warehouse, String id) {
    return RunOptions.builder().warehouse(warehouse).runId(id).build();
  }
}
