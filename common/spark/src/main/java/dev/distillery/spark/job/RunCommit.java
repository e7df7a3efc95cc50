package dev.distillery.spark.job;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobSummary;
import dev.distillery.spark.warehouse.Warehouse;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.column.statistics.Statistics;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;
import org.apache.parquet.hadoop.metadata.ParquetMetadata;
import org.apache.parquet.io.api.Binary;

/** The last step of a run: tables are moved to where readers look, then the record is written. */
final class RunCommit {
  private static final ObjectMapper JSON = new ObjectMapper();

  private RunCommit() {}

  static void publish(Warehouse warehouse, String runId, Collection<String> tables) {
    tables.forEach(table -> warehouse.publish(table, runId));
  }

  /**
   * The record of a run that has ended; reads the published tables for their files and licences.
   */
  static ObjectNode record(
      JobRun run,
      JobSummary summary,
      ExitCode exitCode,
      String message,
      Instant start,
      Instant end,
      Map<String, String> effective,
      Map<String, String> decisive) {
    ObjectNode record = JSON.createObjectNode();
    record
        .put("job", summary.job())
        .put("run_id", summary.runId())
        .put("status", summary.status())
        .put("exit_code", exitCode.code());
    if (!message.isEmpty()) {
      record.put("message", message);
    }
    record.put("started_at", start.toString()).put("finished_at", end.toString());
    record.set("summary", summary.toJson());
    ObjectNode tables = record.putObject("tables");
    ObjectNode licenses = record.putObject("licenses");
    summary
        .tables()
        .forEach(
            (name, table) -> {
              ObjectNode node = tables.putObject(name);
              describe(run, name, table, node);
              licenses(run, name, licenses);
            });
    record.set("inputs", JSON.valueToTree(run.inputs()));
    record.set("provenance", JSON.valueToTree(new TreeMap<>(run.provenance())));
    record.set("options", JSON.valueToTree(effective));
    record.set("decisive_options", JSON.valueToTree(decisive));
    record
        .putObject("versions")
        .put("distillery", version())
        .put("spark", run.spark().version())
        .put("java", Runtime.version().toString());
    record.put("spark_application_id", run.spark().sparkContext().applicationId());
    return record;
  }

  private static void describe(
      JobRun run, String name, JobSummary.TableSummary table, ObjectNode node) {
    Warehouse warehouse = run.warehouse();
    Path folder = warehouse.table(name, run.id());
    node.put("path", table.path()).put("rows", table.rows());
    var files = node.putArray("files");
    long bytes = 0;
    for (FileStatus file : warehouse.parquetFiles(folder)) {
      bytes += file.getLen();
      files.addObject().put("name", file.getPath().getName()).put("bytes", file.getLen());
    }
    node.put("bytes", bytes);
    node.put("schema", run.writtenSchema(name).toDDL());
  }

  /** How many rows of each licence; a table has few. */
  private static void licenses(JobRun run, String name, ObjectNode licenses) {
    if (!Arrays.asList(run.written().get(name).schema().fieldNames()).contains("license")) {
      return;
    }
    ObjectNode counts = licenses.putObject(name);
    Path folder = run.warehouse().table(name, run.id());
    Map<String, Long> rows = new TreeMap<>();
    for (ParquetMetadata footer : run.warehouse().footers(folder)) {
      for (BlockMetaData block : footer.getBlocks()) {
        Optional<String> license = onlyLicense(block);
        if (license.isEmpty()) {
          countLicenses(run, folder, counts);
          return;
        }
        rows.merge(license.get(), block.getRowCount(), Long::sum);
      }
    }
    rows.forEach(counts::put);
  }

  /** The license of all rows of a block, if its statistics say that they have the same one. */
  private static Optional<String> onlyLicense(BlockMetaData block) {
    return block.getColumns().stream()
        .filter(column -> column.getPath().toDotString().equals("license"))
        .<Statistics<?>>map(ColumnChunkMetaData::getStatistics)
        .filter(Statistics::hasNonNullValue)
        .filter(all -> all.isNumNullsSet() && all.getNumNulls() == 0)
        .filter(all -> all.genericGetMin().equals(all.genericGetMax()))
        .findFirst()
        .map(all -> ((Binary) all.genericGetMin()).toStringUsingUTF8());
  }

  private static void countLicenses(JobRun run, Path folder, ObjectNode counts) {
    run.spark()
        .read()
        .parquet(folder.toString())
        .groupBy("license")
        .count()
        .orderBy("license")
        .takeAsList(1000)
        .forEach(row -> counts.put(row.getString(0), row.getLong(1)));
  }

  /**
   * The version of the jar that holds this class; {@code development} where it is run from class
   * files.
   */
  static String version() {
    String version = RunCommit.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }
}
