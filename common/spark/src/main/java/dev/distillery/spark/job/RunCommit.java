package dev.distillery.spark.job;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobSummary;
import dev.distillery.spark.license.Licenses;
import dev.distillery.spark.warehouse.Warehouse;
import java.time.Instant;
import java.util.Collection;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;

/** The last step of a run: tables are moved to where readers look, then the record is written. */
final class RunCommit {
  private static final ObjectMapper JSON = new ObjectMapper();

  private RunCommit() {}

  static void publish(Warehouse warehouse, String runId, Collection<String> tables) {
    tables.forEach(table -> warehouse.publish(table, runId));
  }

  /** The record of a run that has ended; lists the files of the published tables. */
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
    ArrayNode origins = record.putArray("origins");
    summary
        .tables()
        .forEach(
            (name, table) -> {
              ObjectNode node = tables.putObject(name);
              StagedTable written = Objects.requireNonNull(run.written().get(name));
              describe(run, name, table, written, node);
              if (!written.origins().isEmpty()) {
                ObjectNode counts = licenses.putObject(name);
                written.licenses().forEach(counts::put);
                written
                    .origins()
                    .forEach((origin, rows) -> origins.add(origin(name, origin, rows)));
              }
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

  /** What is known of the terms that rows stand under, for whoever passes them on. */
  private static ObjectNode origin(String table, StagedTable.Origin origin, long rows) {
    ObjectNode node =
        JSON.createObjectNode()
            .put("table", table)
            .put("source", origin.source())
            .put("license", origin.license())
            .put("rows", rows);
    Licenses.of(origin.source())
        .ifPresent(
            known ->
                node.put("terms", known.terms())
                    .put("url", known.url())
                    .put("attribution", lower(known.attribution()))
                    .put("commercial_use", lower(known.commercialUse()))
                    .put("provider_terms", known.providerTerms()));
    return node;
  }

  private static String lower(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }

  private static void describe(
      JobRun run,
      String name,
      JobSummary.TableSummary table,
      StagedTable written,
      ObjectNode node) {
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
    node.put("schema", written.schema().toDDL());
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
