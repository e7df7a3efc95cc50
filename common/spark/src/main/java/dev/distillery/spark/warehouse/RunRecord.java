package dev.distillery.spark.warehouse;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.run.JobException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.fs.Path;
import org.jspecify.annotations.Nullable;

/**
 * What `_runs/<id>.json` holds, member by member: the truth about one run. Written last; a run is
 * visible when its record says {@code done}. Members are added, never renamed or retyped; what is
 * more than that makes a new {@link #VERSION}.
 *
 * @param version of this format; 0 where the record is older than the member
 * @param job the job's name
 * @param runId the run's id
 * @param status {@code running} from its opening on, then {@code done}, {@code partial} or {@code
 *     failed}; one whose driver was killed stays running
 * @param exitCode as the process's exit status tells it; -1 while it is running
 * @param message why the run ended so; left out where it is done
 * @param startedAt when the job began; ISO 8601 in UTC
 * @param finishedAt when it ended; ISO 8601 in UTC, so that texts sort as times do
 * @param summary the summary that the run ended with
 * @param tables what the run shows readers, by table; empty unless it is done or was asked to
 *     publish what it has (then only {@code table@run_id} names it)
 * @param licenses rows of each license, by table
 * @param origins rows of each source and license, with the terms that they stand under
 * @param inputs what was read: references, with the runs or files behind them
 * @param provenance further facts, such as a model's hash
 * @param options every option with its effective value
 * @param decisiveOptions those that decided what was written, and hashes of the files they name
 * @param versions of Distillery, Spark and Java
 * @param sparkApplicationId of the Spark application that ran the job; empty where it needed none
 * @param generation how often the run was finished, from 1; 0 in a record that is older
 */
@JsonNaming(SnakeCaseStrategy.class)
@JsonIgnoreProperties(ignoreUnknown = true)
public record RunRecord(
    int version,
    String job,
    String runId,
    String status,
    int exitCode,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) String message,
    String startedAt,
    String finishedAt,
    JsonNode summary,
    Map<String, WrittenTable> tables,
    Map<String, Map<String, Long>> licenses,
    List<Origin> origins,
    List<ObjectNode> inputs,
    Map<String, String> provenance,
    Map<String, String> options,
    Map<String, String> decisiveOptions,
    Map<String, String> versions,
    String sparkApplicationId,
    int generation) {

  /** The status of a run that is open. */
  public static final String RUNNING = "running";

  /** The version of the records that this class writes, and the newest that it reads. */
  public static final int VERSION = 1;

  /** A null stands for nothing that a record holds, but where {@link Origin} says so. */
  private static final ObjectMapper JSON =
      new ObjectMapper().setDefaultSetterInfo(JsonSetter.Value.construct(Nulls.FAIL, Nulls.FAIL));

  /** What stands for the members that an older record lacks. */
  private static final String NOTHING =
      """
      {"version": 0, "job": "", "status": "", "exit_code": 0, "message": "", "started_at": "",
       "finished_at": "", "summary": {}, "tables": {}, "licenses": {}, "origins": [], "inputs": [],
       "provenance": {}, "options": {}, "decisive_options": {}, "versions": {},
       "spark_application_id": "", "generation": 0}
      """;

  /** The same of one of its {@link #tables}. */
  private static final String NO_TABLE =
      """
      {"path": "", "rows": 0, "files": [], "bytes": 0, "schema": ""}
      """;

  /**
   * One table that a run wrote.
   *
   * @param path its folder
   * @param schema as Spark's DDL, with comments
   */
  public record WrittenTable(
      String path, long rows, List<WrittenFile> files, long bytes, String schema) {}

  /** One file of a table. */
  public record WrittenFile(String name, long bytes) {}

  /**
   * Rows of a table that come from one source under one license; what is known of its terms is null
   * where the registry does not know the source.
   */
  @JsonNaming(SnakeCaseStrategy.class)
  @JsonIgnoreProperties(ignoreUnknown = true)
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Origin(
      String table,
      String source,
      String license,
      long rows,
      @JsonSetter(nulls = Nulls.SET) @Nullable String terms,
      @JsonSetter(nulls = Nulls.SET) @Nullable String url,
      @JsonSetter(nulls = Nulls.SET) @Nullable String attribution,
      @JsonSetter(nulls = Nulls.SET) @Nullable String commercialUse,
      @JsonSetter(nulls = Nulls.SET) @Nullable String providerTerms) {}

  /**
   * Reads a record, of this version or an older one.
   *
   * @throws JobException where the record is of a newer version
   * @throws IllegalStateException where the text is none of ours
   */
  static RunRecord parse(String origin, String text) {
    try {
      if (!(JSON.readTree(text) instanceof ObjectNode json) || !json.hasNonNull("run_id")) {
        throw new IllegalStateException("The run record " + origin + " has no run_id");
      }
      int version = json.path("version").asInt();
      if (version > VERSION) {
        throw JobException.invalid(
            "The run record "
                + origin
                + " is of version "
                + version
                + ", and this Distillery reads versions up to "
                + VERSION
                + ": use the Distillery that wrote it, or a newer one");
      }
      ObjectNode whole = JSON.readValue(NOTHING, ObjectNode.class);
      whole.setAll(json);
      for (var table : whole.path("tables").properties()) {
        if (table.getValue() instanceof ObjectNode written) {
          ObjectNode all = JSON.readValue(NO_TABLE, ObjectNode.class);
          table.setValue(all.setAll(written));
        }
      }
      return JSON.treeToValue(whole, RunRecord.class);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(
          "The run record " + origin + " is not JSON of a run: " + e.getOriginalMessage(), e);
    }
  }

  /** The record as a text of JSON, one member a line. */
  public String toJson() {
    return JSON.valueToTree(this).toPrettyString() + "\n";
  }

  /** The same record with what an earlier attempt at the run has published. */
  public RunRecord withTablesOf(RunRecord earlier) {
    return new RunRecord(
        version,
        job,
        runId,
        status,
        exitCode,
        message,
        startedAt,
        finishedAt,
        summary,
        earlier.tables,
        earlier.licenses,
        earlier.origins,
        inputs,
        provenance,
        options,
        decisiveOptions,
        versions,
        sparkApplicationId,
        generation);
  }

  /** What a reader of the run's tables should hear; nothing where it is done. */
  public Optional<String> warning() {
    return done()
        ? Optional.empty()
        : Optional.of(
            "Warning: the run "
                + runId
                + " is not done ("
                + message
                + "); its tables have the rows that it had then");
  }

  public boolean done() {
    return status.equals("done");
  }

  /** Where the rows lie that the run wrote of a table. */
  public Path folder(Warehouse warehouse, String table) {
    Path replacing = warehouse.table(table, runId, generation);
    return generation > 1 && warehouse.exists(replacing)
        ? replacing
        : warehouse.table(table, runId);
  }

  /** Whether the run has written the table. */
  public boolean has(String table) {
    return tables.containsKey(table);
  }
}
