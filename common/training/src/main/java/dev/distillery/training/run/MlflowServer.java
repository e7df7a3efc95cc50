package dev.distillery.training.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.spark.warehouse.MetricRow;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The calls of MLflow's REST interface (2.0) that a run's figures need. Replies are bounded before
 * they are read; secrets go into one header and nowhere else.
 */
final class MlflowServer {
  /** Of one call of {@code runs/log-batch} (MLflow, REST API, Request Limits). */
  static final int BATCH = 1000;

  /** Parameters of one call. */
  private static final int PARAMETERS = 100;

  /** Characters of a parameter's value that every server takes. */
  private static final int PARAMETER_LENGTH = 500;

  private static final int REPLY_BYTES = 8 << 20;
  private static final String RUN_TAG = "distillery.run_id";
  private static final ObjectMapper JSON = new ObjectMapper();

  /** A run there, and the last step that it has of each figure. */
  record Run(String id, boolean found, Map<String, Long> lastSteps) {}

  /** The server has read a call and refuses it: the same call again is refused too. */
  static final class RefusedException extends IOException {
    private static final long serialVersionUID = 1;

    private final int status;

    RefusedException(int status, String message) {
      super(message);
      this.status = status;
    }

    int status() {
      return status;
    }
  }

  private final String root;
  private final Optional<String> authorization;
  private final Duration timeout;
  private final HttpClient client;

  /**
   * Connects to nothing yet.
   *
   * @param environment where MLflow's own clients look for secrets
   * @param timeout of connecting, and of an answer
   */
  MlflowServer(String uri, Map<String, String> environment, Duration timeout) {
    this.root = uri.replaceAll("/+$", "") + "/api/2.0/mlflow/";
    this.authorization = authorization(environment);
    this.timeout = timeout;
    this.client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(timeout)
            .build();
  }

  private static Optional<String> authorization(Map<String, String> environment) {
    String name = environment.get("MLFLOW_TRACKING_USERNAME");
    String password = environment.get("MLFLOW_TRACKING_PASSWORD");
    if (name != null && password != null) {
      byte[] both = (name + ":" + password).getBytes(StandardCharsets.UTF_8);
      return Optional.of("Basic " + Base64.getEncoder().encodeToString(both));
    }
    return Optional.ofNullable(environment.get("MLFLOW_TRACKING_TOKEN")).map(t -> "Bearer " + t);
  }

  /**
   * The experiment's run that has this run's id, the newest; or a new one.
   *
   * @param startMillis since the epoch, of a new one
   */
  Run open(String experiment, String runId, boolean anew, long startMillis)
      throws IOException, InterruptedException {
    String id = experiment(experiment);
    if (!anew) {
      ObjectNode search = JSON.createObjectNode();
      search.putArray("experiment_ids").add(id);
      search.put("filter", "tags.`" + RUN_TAG + "` = '" + runId + "'").put("max_results", 1);
      JsonNode found = post("runs/search", search).path("runs").path(0);
      if (!found.isMissingNode()) {
        Map<String, Long> last = new HashMap<>();
        for (JsonNode metric : found.path("data").path("metrics")) {
          last.put(metric.path("key").asText(), metric.path("step").asLong());
        }
        Run run = new Run(text(found.path("info"), "run_id"), true, last);
        update(run, "RUNNING", Optional.empty());
        return run;
      }
    }
    ObjectNode create = JSON.createObjectNode();
    create.put("experiment_id", id).put("run_name", runId).put("start_time", startMillis);
    create.putArray("tags").addObject().put("key", RUN_TAG).put("value", runId);
    JsonNode info = post("runs/create", create).path("run").path("info");
    return new Run(text(info, "run_id"), false, Map.of());
  }

  private String experiment(String name) throws IOException, InterruptedException {
    try {
      return named(name);
    } catch (RefusedException e) {
      if (e.status() != 404) {
        throw e;
      }
    }
    try {
      ObjectNode create = JSON.createObjectNode().put("name", name);
      return text(post("experiments/create", create), "experiment_id");
    } catch (RefusedException e) {
      // Another run may have made it meanwhile.
      return named(name);
    }
  }

  private String named(String name) throws IOException, InterruptedException {
    String query = URLEncoder.encode(name, StandardCharsets.UTF_8);
    JsonNode reply =
        send(request("experiments/get-by-name?experiment_name=" + query).GET().build());
    return text(reply.path("experiment"), "experiment_id");
  }

  /** Options of a new run; longer values are cut. */
  void parameters(Run run, Map<String, String> values) throws IOException, InterruptedException {
    List<Map.Entry<String, String>> all = List.copyOf(values.entrySet());
    for (int from = 0; from < all.size(); from += PARAMETERS) {
      ObjectNode batch = JSON.createObjectNode().put("run_id", run.id());
      ArrayNode params = batch.putArray("params");
      for (Map.Entry<String, String> entry :
          all.subList(from, Math.min(from + PARAMETERS, all.size()))) {
        params.addObject().put("key", entry.getKey()).put("value", cut(entry.getValue()));
      }
      post("runs/log-batch", batch);
    }
  }

  private static String cut(String value) {
    return value.codePointCount(0, value.length()) <= PARAMETER_LENGTH
        ? value
        : value.substring(0, value.offsetByCodePoints(0, PARAMETER_LENGTH));
  }

  /** Figures, at most {@link #BATCH}. What is no number goes as the words that protobuf has. */
  void metrics(Run run, List<MetricRow> rows) throws IOException, InterruptedException {
    ObjectNode batch = JSON.createObjectNode().put("run_id", run.id());
    ArrayNode metrics = batch.putArray("metrics");
    for (MetricRow row : rows) {
      ObjectNode metric = metrics.addObject().put("key", row.name()).put("step", row.step());
      metric.put("timestamp", row.wallTime().toEpochMilli());
      if (Double.isFinite(row.value())) {
        metric.put("value", row.value());
      } else {
        metric.put("value", Double.toString(row.value()));
      }
    }
    post("runs/log-batch", batch);
  }

  /** Sets the run's status; an end has a time. */
  void update(Run run, String status, Optional<Long> endMillis)
      throws IOException, InterruptedException {
    ObjectNode update = JSON.createObjectNode().put("run_id", run.id()).put("status", status);
    endMillis.ifPresent(end -> update.put("end_time", end));
    post("runs/update", update);
  }

  private HttpRequest.Builder request(String path) {
    HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(root + path)).timeout(timeout);
    authorization.ifPresent(value -> request.header("Authorization", value));
    return request;
  }

  private JsonNode post(String path, ObjectNode body) throws IOException, InterruptedException {
    return send(
        request(path)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofByteArray(JSON.writeValueAsBytes(body)))
            .build());
  }

  private JsonNode send(HttpRequest request) throws IOException, InterruptedException {
    int status;
    byte[] bytes;
    try {
      HttpResponse<InputStream> response =
          client.send(request, HttpResponse.BodyHandlers.ofInputStream());
      status = response.statusCode();
      try (InputStream body = response.body()) {
        bytes = body.readNBytes(REPLY_BYTES);
      }
    } catch (IOException e) {
      String why = e.getMessage() == null ? "" : " (" + e.getMessage() + ")";
      throw new IOException("it cannot be reached" + why, e);
    }
    if (status == 429 || status >= 500) {
      throw new IOException("it answers with status " + status);
    }
    if (status != 200) {
      throw new RefusedException(status, "it refuses with status " + status);
    }
    try {
      return JSON.readTree(bytes);
    } catch (JsonProcessingException e) {
      throw new RefusedException(status, "its answer is not MLflow's");
    }
  }

  private static String text(JsonNode node, String field) throws RefusedException {
    String text = node.path(field).asText();
    if (text.isEmpty()) {
      throw new RefusedException(200, "its answer is not MLflow's");
    }
    return text;
  }
}
