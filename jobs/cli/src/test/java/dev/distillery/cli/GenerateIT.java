package dev.distillery.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.core.teacher.testing.FakeLlmServer;
import dev.distillery.core.teacher.testing.FakeScript;
import dev.distillery.core.teacher.testing.FetchedModel;
import dev.distillery.core.teacher.testing.LlamaCppServer;
import dev.distillery.core.teacher.testing.ScriptedTeacher;
import dev.distillery.spark.testing.StandaloneCluster;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Job generate by its real command line, each run a process of its own. */
class GenerateIT {
  private static final Map<String, String> KEY = Map.of("OPENAI_API_KEY", "sk-canary-5tt2q");

  @TempDir Path folder;

  private Path warehouse() {
    return folder.resolve("warehouse");
  }

  private Launched generate(String name, String... more) {
    var args = new ArrayList<>(List.of("generate", "--warehouse", warehouse().toString()));
    args.addAll(List.of(more));
    return Launched.run(folder.resolve(name), KEY, args.toArray(String[]::new));
  }

  /** The table of a run but for its column of times, in the order of its rows' content. */
  private List<String> rows(String table, String run, String timeColumn) throws SQLException {
    return DuckDb.rows(
        "SELECT * EXCLUDE ("
            + timeColumn
            + ") FROM read_parquet('"
            + warehouse()
            + "/"
            + table
            + "/run_id="
            + run
            + "/*.parquet', hive_partitioning=false) ORDER BY ALL");
  }

  @Test
  void recordedRepliesGiveTheSameTablesOnAnyPartitions() throws Exception {
    try (FakeLlmServer server = FakeLlmServer.start(new ScriptedTeacher())) {
      JsonNode summary =
          generate(
                  "http",
                  "--run-id",
                  "http",
                  "--teacher",
                  "openai",
                  "--base-url",
                  server.baseUrl(),
                  "--model",
                  "fake-model",
                  "--num-instructions",
                  "25",
                  "--requests-per-round",
                  "12",
                  "--concurrency",
                  "8",
                  "--",
                  "--master",
                  "local[2]")
              .succeeded()
              .summary();
      assertThat(summary.path("stopped_by").asText()).isEqualTo("num-instructions");
      assertThat(summary.path("figures").path("instructions").asInt()).isEqualTo(25);
      assertThat(summary.path("figures").path("candidates").asLong())
          .isEqualTo(
              summary.path("figures").path("instructions").asLong()
                  + summary.path("figures").path("rejected").asLong()
                  + summary.path("figures").path("left_over").asLong());
      assertThat(summary.path("rejects").path("blacklisted_word").asInt()).isPositive();
      assertThat(summary.path("tables").path("completions").path("rows").asInt())
          .isEqualTo(server.log().entries().size());
      assertThat(server.log().times().values()).containsOnly(1);
    }
    // The ledger is a recording: 1 partition and 7, one request at a time and many.
    String ledger = warehouse().resolve("_ledger/http").toString();
    List<String> expected = rows("instructions", "http", "created_at");
    assertThat(expected).hasSizeGreaterThanOrEqualTo(25);
    for (String cores : List.of("1", "7")) {
      String run = "replay" + cores;
      generate(
              run,
              "--run-id",
              run,
              "--teacher",
              "replay",
              "--model",
              ledger,
              "--num-instructions",
              "25",
              "--requests-per-round",
              "12",
              "--concurrency",
              cores,
              "--",
              "--master",
              "local[" + cores + "]")
          .succeeded();
      assertThat(rows("instructions", run, "created_at, request_id, teacher"))
          .isEqualTo(rows("instructions", "http", "created_at, request_id, teacher"));
      assertThat(rows("rejects", run, "id")).isEqualTo(rows("rejects", "http", "id"));
    }
    assertThat(rows("instructions", "replay1", "created_at"))
        .isEqualTo(rows("instructions", "replay7", "created_at"));
    assertThat(
            DuckDb.rows(
                "SELECT count(*), min(max_similarity) >= 0, max(max_similarity) <= 0.7 FROM read_parquet('"
                    + warehouse()
                    + "/instructions/*/*.parquet')"))
        .containsExactly(3 * expected.size() + "|true|true");
    noFileHoldsTheKey();
    for (String table : List.of("instructions", "completions", "rejects", "metrics")) {
      assertThat(
              DuckDb.rows(
                  "SELECT * FROM read_parquet('" + warehouse() + "/" + table + "/*/*.parquet')"))
          .isNotEmpty()
          .noneMatch(row -> row.contains("sk-canary"));
    }
  }

  private void noFileHoldsTheKey() throws IOException {
    try (var files = Files.walk(folder)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        assertThat(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1))
            .as(file.toString())
            .doesNotContain("sk-canary");
      }
    }
  }

  @Test
  void aKilledRunShowsNoRowsAndGoesOnWithoutAskingAgain() throws Exception {
    FakeScript slow =
        request -> new ScriptedTeacher().answer(request).after(Duration.ofMillis(400));
    try (FakeLlmServer server = FakeLlmServer.start(slow)) {
      String[] args = {
        "generate",
        "--warehouse",
        warehouse().toString(),
        "--run-id",
        "killed",
        "--recipe",
        "alpaca",
        "--teacher",
        "openai",
        "--base-url",
        server.baseUrl(),
        "--model",
        "fake-model",
        "--num-instructions",
        "60",
        "--requests-per-round",
        "16",
        "--concurrency",
        "2"
      };
      Process process = Launched.start(folder.resolve("first"), KEY, args);
      while (server.log().entries().size() < 20 && process.isAlive()) {
        Thread.sleep(50);
      }
      Launched.kill(process);
      process.waitFor();
      assertThat(warehouse().resolve("instructions")).doesNotExist();
      JsonNode record =
          new ObjectMapper().readTree(warehouse().resolve("_runs/killed.json").toFile());
      assertThat(record.path("status").asText()).isEqualTo("running");
      assertThat(record.path("tables")).isEmpty();
      int askedBefore = server.log().entries().size();

      JsonNode summary = Launched.run(folder.resolve("second"), KEY, args).succeeded().summary();
      assertThat(summary.path("figures").path("instructions").asInt()).isEqualTo(60);
      assertThat(summary.path("figures").path("requests_resumed").asInt())
          .isBetween(askedBefore - 4, askedBefore);
      long twice = server.log().times().values().stream().filter(n -> n > 1).count();
      // Two were in flight; what had arrived within the last second may not have been durable.
      assertThat(twice).isLessThanOrEqualTo(2 + 5);

      int askedAfter = server.log().entries().size();
      JsonNode again = Launched.run(folder.resolve("third"), KEY, args).succeeded().summary();
      assertThat(again).isEqualTo(summary);
      assertThat(server.log().entries()).hasSize(askedAfter);
    }
  }

  @Test
  void aSpentBudgetShowsNoRowsAndGoesOnWhenItIsRaised() throws Exception {
    try (FakeLlmServer server = FakeLlmServer.start(new ScriptedTeacher())) {
      String[] args = {
        "--run-id", "budget", "--recipe", "alpaca", "--teacher", "openai",
        "--base-url", server.baseUrl(), "--model", "fake-model", "--num-instructions", "30",
        "--requests-per-round", "10", "--max-requests"
      };
      var poor = new ArrayList<>(List.of(args));
      poor.add("7");
      Launched stopped = generate("poor", poor.toArray(String[]::new));
      assertThat(stopped.exitCode()).isEqualTo(5);
      assertThat(stopped.summary().path("status").asText()).isEqualTo("partial");
      assertThat(stopped.summary().path("figures").path("requests_sent").asInt()).isEqualTo(7);
      assertThat(stopped.err()).contains("--max-requests");
      assertThat(warehouse().resolve("instructions")).doesNotExist();
      var rich = new ArrayList<>(List.of(args));
      rich.add("100");
      JsonNode summary = generate("rich", rich.toArray(String[]::new)).succeeded().summary();
      assertThat(summary.path("figures").path("instructions").asInt()).isEqualTo(30);
      assertThat(summary.path("figures").path("requests_resumed").asInt()).isEqualTo(7);
      assertThat(server.log().times().values()).containsOnly(1);
    }
  }

  @Test
  void theQuickstartsRecipeHoldsTheModelToItsForm() throws Exception {
    JsonNode summary =
        generate(
                "quickstart",
                "--run-id",
                "quickstart",
                "--config",
                "quickstart",
                "--model",
                model().toString(),
                "--num-instructions",
                "3",
                "--requests-per-round",
                "2")
            .succeeded()
            .summary();
    assertThat(summary.path("figures").path("instructions").asInt()).isEqualTo(3);
    assertThat(summary.path("rejects").has("malformed")).isFalse();
    assertThat(
            DuckDb.rows(
                "SELECT DISTINCT teacher LIKE '%.gguf', license FROM read_parquet('"
                    + warehouse()
                    + "/instructions/run_id=quickstart/*.parquet')"))
        .containsExactly("true|Apache-2.0");
  }

  @Test
  void aRealServerOfLlamaCppAnswersTheOpenaiTeacher() throws Exception {
    Path model = model();
    try (LlamaCppServer server = LlamaCppServer.start(model)) {
      JsonNode summary =
          generate(
                  "llama",
                  "--run-id",
                  "llama",
                  "--recipe",
                  "alpaca",
                  "--teacher",
                  "openai",
                  "--api",
                  "completions",
                  "--base-url",
                  server.baseUrl(),
                  "--model",
                  LlamaCppServer.MODEL,
                  "--num-instructions",
                  "2",
                  "--requests-per-round",
                  "2",
                  "--max-idle-rounds",
                  "6",
                  "--max-new-tokens",
                  "160",
                  "--temperature",
                  "0.6",
                  "--top-p",
                  "0.9")
              .succeeded()
              .summary();
      assertThat(summary.path("figures").path("instructions").asInt()).isEqualTo(2);
      assertThat(rows("completions", "llama", "created_at")).isNotEmpty();
    }
  }

  @Test
  void aStandaloneClusterRunsTheGgufTeacherInTwoExecutors() throws Exception {
    Path model = model();
    try (StandaloneCluster cluster = StandaloneCluster.start(2, 1)) {
      Path events = Files.createDirectories(folder.resolve("events"));
      JsonNode summary =
          Launched.run(
                  folder.resolve("cluster"),
                  Map.of("SPARK_HOME", StandaloneCluster.sparkHome().toString()),
                  "generate",
                  "--warehouse",
                  warehouse().toString(),
                  "--run-id",
                  "cluster",
                  "--recipe",
                  "alpaca",
                  "--teacher",
                  "gguf",
                  "--model",
                  model.toString(),
                  "--num-instructions",
                  "3",
                  "--requests-per-round",
                  "8",
                  "--max-idle-rounds",
                  "6",
                  "--max-new-tokens",
                  "120",
                  "--temperature",
                  "0.6",
                  "--top-p",
                  "0.9",
                  "--",
                  "--master",
                  cluster.masterUrl(),
                  "--conf",
                  "spark.executor.memory=1g",
                  "--conf",
                  "spark.eventLog.enabled=true",
                  "--conf",
                  "spark.eventLog.compress=false",
                  "--conf",
                  "spark.eventLog.dir=file:" + events)
              .succeeded()
              .summary();
      assertThat(summary.path("figures").path("instructions").asInt()).isEqualTo(3);
      assertThat(executorsThatAsked(events)).hasSize(2);
    }
  }

  /**
   * The executors that ran tasks of the stages that ask, by the event log: a stage carries its
   * job's description.
   */
  private static List<String> executorsThatAsked(Path events) throws IOException {
    try (var files = Files.walk(events)) {
      var executors = new TreeSet<String>();
      var asking = new TreeSet<String>();
      // The local file system keeps checksums in hidden files.
      for (Path file :
          files
              .filter(Files::isRegularFile)
              .filter(file -> !String.valueOf(file.getFileName()).startsWith("."))
              .toList()) {
        try (var lines = Files.lines(file)) {
          lines.forEach(
              line -> {
                if (line.contains("\"SparkListenerStageSubmitted\"")
                    && line.contains("\"spark.job.description\":\"ask ")) {
                  asking.add(after("\"Stage ID\":", line));
                } else if (line.contains("\"SparkListenerTaskStart\"")
                    && asking.contains(after("\"Stage ID\":", line))) {
                  executors.add(after("\"Executor ID\":", line));
                }
              });
        }
      }
      return List.copyOf(executors);
    }
  }

  /** A value of a line of JSON, as it is written there. Some lines are too long for patterns. */
  private static String after(String name, String line) {
    int from = line.indexOf(name) + name.length();
    int to = from;
    while (line.charAt(to) != ',' && line.charAt(to) != '}') {
      to++;
    }
    return line.substring(from, to);
  }

  private static Path model() {
    Optional<Path> model = FetchedModel.path();
    Assumptions.assumeTrue(model.isPresent(), "submit/fetch-model cannot bring the model");
    return model.orElseThrow();
  }

  @Test
  void aDryRunEstimatesAndWritesNothing() {
    JsonNode summary;
    try (FakeLlmServer server = FakeLlmServer.start(new ScriptedTeacher())) {
      String[] call = {
        "--dry-run", "--teacher", "openai", "--model", "gpt-4o-mini", "--base-url", server.baseUrl()
      };
      summary = generate("dry", call).succeeded().summary();
      assertThat(server.log().entries()).isEmpty();
    }
    assertThat(summary.path("status").asText()).isEqualTo("dry-run");
    assertThat(summary.path("figures").path("estimated_requests").asInt()).isEqualTo(264);
    assertThat(summary.path("figures").path("estimated_prompt_tokens").asLong()).isPositive();
    assertThat(summary.path("figures").path("estimated_cost_usd").asDouble()).isPositive();
    assertThat(warehouse()).doesNotExist();
  }

  @Test
  void showPrintsSchemaRunRowsAndQueries() throws Exception {
    try (FakeLlmServer server = FakeLlmServer.start(new ScriptedTeacher())) {
      generate(
              "made",
              "--run-id",
              "made",
              "--recipe",
              "alpaca",
              "--teacher",
              "openai",
              "--base-url",
              server.baseUrl(),
              "--model",
              "fake-model",
              "--num-instructions",
              "3",
              "--requests-per-round",
              "4")
          .succeeded();
    }
    String shown =
        Launched.run(
                folder.resolve("show"),
                Map.of(),
                "show",
                "instructions",
                "--warehouse",
                warehouse().toString(),
                "--rows",
                "2")
            .succeeded()
            .out();
    assertThat(shown)
        .contains("instruction        string       What is to be done")
        .contains("Run made")
        .contains("table     instructions: 3 rows")
        .contains("Row 2")
        .doesNotContain("Row 3");
    String query =
        Launched.run(
                folder.resolve("sql"),
                Map.of(),
                "show",
                "instructions@made",
                "--warehouse",
                warehouse().toString(),
                "--sql",
                "duckdb")
            .succeeded()
            .out()
            .strip();
    assertThat(DuckDb.rows(query.replace(";", ""))).hasSize(3);
  }
}
