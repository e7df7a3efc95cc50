package dev.distillery.spark.warehouse;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What `_runs/<id>.json` holds: the truth about one run. Written last; a run is visible when its
 * record says {@code done}.
 *
 * @param json the whole record
 */
public record RunRecord(ObjectNode json) {
  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * Reads a record.
   *
   * @throws IllegalStateException where the text is none of ours
   */
  static RunRecord parse(String origin, String text) {
    try {
      if (JSON.readTree(text) instanceof ObjectNode node && node.hasNonNull("run_id")) {
        return new RunRecord(node);
      }
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(
          "The run record " + origin + " is not JSON: " + e.getOriginalMessage(), e);
    }
    throw new IllegalStateException("The run record " + origin + " has no run_id");
  }

  public String runId() {
    return json.path("run_id").asText();
  }

  public String job() {
    return json.path("job").asText();
  }

  /** {@code done}, {@code partial} or {@code failed}. */
  public String status() {
    return json.path("status").asText();
  }

  public boolean done() {
    return status().equals("done");
  }

  /** When the run ended; ISO 8601 in UTC, so that texts sort as times do. */
  public String finishedAt() {
    return json.path("finished_at").asText();
  }

  /** The folder of a table that the run wrote. */
  public Optional<String> tablePath(String table) {
    return Optional.ofNullable(json.path("tables").get(table))
        .map(node -> node.path("path").asText());
  }

  /** Names of the tables that the run wrote. */
  public List<String> tables() {
    var names = new ArrayList<String>();
    json.path("tables").fieldNames().forEachRemaining(names::add);
    return names;
  }

  /** The options that decided what was written. */
  public Map<String, String> decisiveOptions() {
    var options = new LinkedHashMap<String, String>();
    json.path("decisive_options")
        .properties()
        .forEach(option -> options.put(option.getKey(), option.getValue().asText()));
    return options;
  }

  /** The summary that the run ended with. */
  public JsonNode summary() {
    return json.path("summary");
  }
}
