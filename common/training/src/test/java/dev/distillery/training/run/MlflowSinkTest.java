package dev.distillery.training.run;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.distillery.core.run.Progress;
import dev.distillery.spark.warehouse.MetricRow;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Faults of a server; {@code benchmarks/training/mlflow} runs against a real one. */
class MlflowSinkTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final MlflowSink.Waits WAITS =
      new MlflowSink.Waits(Duration.ofMillis(5), Duration.ofMillis(20), Duration.ofSeconds(5));

  /** What the server is asked, path and body. */
  private record Call(String path, JsonNode body, String authorization) {}

  /** Status and body of an answer. */
  private record Answer(int status, String body) {}

  private final List<Call> calls = new CopyOnWriteArrayList<>();
  private final List<String> said = new CopyOnWriteArrayList<>();
  private final CountDownLatch over = new CountDownLatch(1);
  private volatile String found = "{}";
  private volatile List<Answer> failures = List.of();
  private HttpServer server;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", this::answer);
    server.start();
  }

  @AfterEach
  void stop() {
    over.countDown();
    server.stop(0);
  }

  private void answer(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath().replace("/api/2.0/mlflow/", "");
    JsonNode body = JSON.readTree(exchange.getRequestBody());
    String authorization = String.valueOf(exchange.getRequestHeaders().getFirst("Authorization"));
    calls.add(new Call(path, body, authorization));
    int number = calls.size() - 1;
    Answer answer =
        number < failures.size()
            ? failures.get(number)
            : new Answer(
                200,
                switch (path) {
                  case "experiments/get-by-name" -> "{\"experiment\": {\"experiment_id\": \"7\"}}";
                  case "runs/search" -> found;
                  case "runs/create" -> "{\"run\": {\"info\": {\"run_id\": \"abc\"}}}";
                  default -> "{}";
                });
    if (answer.status() == 0) {
      await();
    }
    byte[] bytes = answer.body().getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(Math.max(answer.status(), 200), bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  private void await() {
    try {
      over.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private MlflowSink sink(MlflowSink.Waits waits) {
    return new MlflowSink(
        new MlflowServer(
            "http://127.0.0.1:" + server.getAddress().getPort() + "/",
            Map.of("MLFLOW_TRACKING_TOKEN", "s3cret"),
            Duration.ofMillis(300)),
        "distillery",
        "run-1",
        false,
        Map.of("batch-size", "8", "model", "m".repeat(600)),
        new Progress("sft", update -> said.add(update.line())),
        Clock.systemUTC(),
        waits);
  }

  private static MetricRow row(long step, String name, double value) {
    return new MetricRow(step, Instant.ofEpochMilli(1000 + step), name, value);
  }

  private List<JsonNode> batches(String field) {
    return calls.stream()
        .filter(call -> call.path().equals("runs/log-batch") && call.body().has(field))
        .map(call -> call.body().get(field))
        .toList();
  }

  @Test
  void aRunIsMadeWithItsOptionsFiguresAndEnd() {
    MlflowSink sink = sink(WAITS);
    for (int step = 1; step <= 2500; step++) {
      sink.accept(row(step, "loss", 1.0 / step));
    }
    sink.accept(row(2501, "grad_norm", Double.NaN));
    sink.accept(row(2501, "loss", Double.NEGATIVE_INFINITY));
    sink.close(MlflowSink.Status.FINISHED);
    assertThat(calls.get(2).body().path("tags").path(0).path("value").asText()).isEqualTo("run-1");
    assertThat(batches("params").get(0)).hasSize(2);
    assertThat(batches("params").get(0).findValuesAsText("value"))
        .containsExactlyInAnyOrder("8", "m".repeat(500));
    List<JsonNode> metrics =
        batches("metrics").stream()
            .flatMap(b -> List.copyOf(b.findParents("key")).stream())
            .toList();
    assertThat(batches("metrics")).allMatch(batch -> batch.size() <= 1000);
    assertThat(metrics).hasSize(2502);
    assertThat(metrics.get(1).toString())
        .isEqualTo("{\"key\":\"loss\",\"step\":2,\"timestamp\":1002,\"value\":0.5}");
    assertThat(metrics.get(2500).path("value").asText()).isEqualTo("NaN");
    assertThat(metrics.get(2501).path("value").asText()).isEqualTo("-Infinity");
    Call last = calls.get(calls.size() - 1);
    assertThat(last.path()).isEqualTo("runs/update");
    assertThat(last.body().path("status").asText()).isEqualTo("FINISHED");
    assertThat(calls).allMatch(call -> call.authorization().equals("Bearer s3cret"));
    assertThat(said).isEmpty();
  }

  @Test
  void aResumedRunGoesOnWhereTheServerStands() {
    found =
        """
        {"runs": [{"info": {"run_id": "old"}, "data": {"metrics": [{"key": "loss", "step": 3}]}}]}
        """;
    MlflowSink sink = sink(WAITS);
    for (int step = 2; step <= 5; step++) {
      sink.accept(row(step, "loss", step));
    }
    sink.accept(row(2, "eval_loss", 1));
    sink.close(MlflowSink.Status.KILLED);
    assertThat(calls.get(1).body().path("filter").asText())
        .isEqualTo("tags.`distillery.run_id` = 'run-1'");
    assertThat(batches("params")).isEmpty();
    assertThat(batches("metrics").stream().flatMap(b -> b.findValuesAsText("step").stream()))
        .containsExactly("4", "5", "2");
    assertThat(calls).allMatch(call -> call.body().path("run_id").asText("old").equals("old"));
    assertThat(said).isEmpty();
  }

  @Test
  void aServerThatIsAwayIsTriedAgainAndNothingIsLost() {
    failures =
        List.of(
            new Answer(503, ""),
            new Answer(429, "x"),
            new Answer(200, "{\"experiment\": {\"experiment_id\": \"7\"}}"),
            new Answer(500, "{"));
    MlflowSink sink = sink(WAITS);
    sink.accept(row(1, "loss", 1));
    sink.close(MlflowSink.Status.FINISHED);
    assertThat(batches("metrics")).hasSize(1);
    assertThat(said)
        .containsExactly(
            "Warning: MLflow: it answers with status 503; it is tried again, and the run goes on"
                + " without it");
  }

  @Test
  void aServerThatRefusesOrIsNoneGetsNoMore() {
    for (Answer answer :
        List.of(new Answer(401, ""), new Answer(200, "<html>"), new Answer(200, "{}"))) {
      calls.clear();
      said.clear();
      failures = List.of(answer);
      MlflowSink sink = sink(WAITS);
      sink.accept(row(1, "loss", 1));
      sink.accept(row(2, "loss", 1));
      sink.close(MlflowSink.Status.FINISHED);
      assertThat(calls).hasSize(1);
      assertThat(said).hasSize(2);
      assertThat(said.get(0)).startsWith("Warning: MLflow: it").contains("it gets no more");
      assertThat(said.get(1)).isEqualTo("MLflow: 2 of 2 figures were not delivered");
      assertThat(String.join("", said)).doesNotContain("s3cret");
    }
  }

  /** The end of a run waits so long and no longer, and logging never. */
  @Test
  void aServerThatNeverAnswersHoldsNothingUp() {
    failures = List.of(new Answer(0, ""), new Answer(0, ""), new Answer(0, ""));
    MlflowSink sink =
        sink(
            new MlflowSink.Waits(
                Duration.ofMillis(5), Duration.ofMillis(20), Duration.ofMillis(200)));
    for (int step = 1; step <= 150_000; step++) {
      sink.accept(row(step, "loss", 1));
    }
    sink.close(MlflowSink.Status.FAILED);
    assertThat(said.get(said.size() - 1))
        .isEqualTo("MLflow: 150000 of 150000 figures were not delivered");
  }
}
