package dev.distillery.core.run;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import java.util.TreeMap;

/**
 * How a run ended, as the last line of standard output and as part of the run's record.
 *
 * @param job the job's name
 * @param runId the run's id
 * @param status {@code done}, {@code partial}, {@code failed} or {@code dry-run}
 * @param tables what was written, by table
 * @param rejects rows dropped, by rule
 * @param figures counts, ratios and costs, by name
 * @param members what this job adds
 * @param seconds wall-clock time of the job, Spark's start not counted
 */
public record JobSummary(
    String job,
    String runId,
    String status,
    Map<String, TableSummary> tables,
    Map<String, Long> rejects,
    Map<String, Number> figures,
    Map<String, Object> members,
    double seconds) {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** One table that was written: where, and how many rows. */
  public record TableSummary(String path, long rows) {}

  public JobSummary {
    tables = Map.copyOf(tables);
    rejects = Map.copyOf(rejects);
    figures = Map.copyOf(figures);
    members = Map.copyOf(members);
  }

  /**
   * The summary as one JSON object; members in a fixed order, so that equal summaries are equal
   * texts.
   */
  public ObjectNode toJson() {
    ObjectNode node = JSON.createObjectNode();
    node.put("job", job).put("run_id", runId).put("status", status);
    node.set("tables", JSON.valueToTree(new TreeMap<>(tables)));
    node.set("rejects", JSON.valueToTree(new TreeMap<>(rejects)));
    node.set("figures", JSON.valueToTree(new TreeMap<>(figures)));
    node.put("seconds", Math.round(seconds * 1000) / 1000.0);
    new TreeMap<>(members)
        .forEach((name, value) -> node.putIfAbsent(name, JSON.valueToTree(value)));
    return node;
  }

  /** One line of JSON. */
  @Override
  public String toString() {
    return toJson().toString();
  }
}
