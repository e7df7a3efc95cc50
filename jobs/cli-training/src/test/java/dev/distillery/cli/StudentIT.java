package dev.distillery.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.core.teacher.testing.FetchedModel;
import dev.distillery.spark.testing.StandaloneCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The student by its real command line: a real model, a real cluster. */
class StudentIT {
  /** Transformers' answers are in its expected.json. */
  private static final Path TINY =
      FetchedModel.root().resolve("common/model/src/test/resources/golden/student");

  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;

  private Launched run(String id, Map<String, String> environment, String... args) {
    var all = new ArrayList<>(List.of(args));
    all.addAll(1, List.of("--warehouse", folder.resolve("warehouse").toString(), "--run-id", id));
    return Launched.run(folder.resolve(id), environment, all.toArray(String[]::new));
  }

  private List<String> completions(String id) throws Exception {
    return DuckDb.rows(
        "SELECT request_id, id, text, finish_reason, prompt_tokens, completion_tokens FROM"
            + " read_parquet('"
            + folder.resolve("warehouse/completions/run_id=" + id)
            + "/*.parquet') ORDER BY request_id");
  }

  /** Seen from another working directory, such as an executor's, a relative path leads nowhere. */
  private static String relative(Path path) {
    return Path.of("").toAbsolutePath().relativize(path).toString();
  }

  @Test
  void aRecipeChoosesTheStudentAndItsAnswerIsPrinted() throws Exception {
    Path recipe =
        Files.writeString(
            folder.resolve("student.yaml"),
            "complete:\n  teacher: student\n  model: %s\n  temperature: 0\n".formatted(model()));
    Launched launched =
        run(
            "prompt",
            Map.of(),
            "complete",
            "--config",
            recipe.toString(),
            "--prompt",
            "What is the capital of France?",
            "--max-new-tokens",
            "16");
    assertThat(launched.succeeded().out().lines().findFirst())
        .hasValue("The capital of France is Paris.");
    assertThat(launched.summary().at("/figures/requests_answered").asInt()).isEqualTo(1);
  }

  @Test
  void executorsOfAClusterWriteTheSameRowsAsOneProcess() throws Exception {
    var rows = new StringBuilder();
    for (int i = 0; i < 6; i++) {
      rows.append(
          String.format(
              Locale.ROOT,
              "{\"id\": \"r%d\", \"prompt\": \"Name a thing that starts with %c.\"}\n",
              i,
              'a' + i));
    }
    String[] complete = {
      "complete",
      "--teacher",
      "student",
      "--model",
      relative(model()),
      "--input",
      Files.writeString(folder.resolve("rows.jsonl"), rows).toString(),
      "--max-new-tokens",
      "8",
      "--temperature",
      "0.8",
      "--top-p",
      "0.95",
      "--",
      "--master",
      "local[2]"
    };
    run("here", Map.of(), complete).succeeded();
    try (StandaloneCluster cluster = StandaloneCluster.start(2, 1)) {
      complete[complete.length - 1] = cluster.masterUrl();
      Map<String, String> spark =
          Map.of(
              "SPARK_HOME",
              StandaloneCluster.sparkHome().toString(),
              "SPARK_LOCAL_IP",
              "127.0.0.1");
      run("there", spark, complete).succeeded();
      Launched scored =
          run(
              "scores",
              spark,
              "logprobs",
              "--model",
              relative(TINY),
              "--input",
              texts().toString(),
              "--output",
              folder.resolve("scores.jsonl").toString(),
              "--",
              "--master",
              cluster.masterUrl());
      assertThat(scored.succeeded().summary().at("/tables/logprobs/rows").asInt()).isEqualTo(5);
    }
    assertThat(completions("here")).hasSize(6).isEqualTo(completions("there"));
    assertScoresAreThoseOfTransformers(folder.resolve("scores.jsonl"));
  }

  private static void assertScoresAreThoseOfTransformers(Path file) throws IOException {
    Map<String, JsonNode> scores = new HashMap<>();
    for (String line : Files.readAllLines(file)) {
      JsonNode row = JSON.readTree(line);
      scores.put(row.get("id").asText(), row.get("logprobs"));
    }
    assertThat(scores).hasSize(golden().size());
    for (JsonNode row : golden()) {
      JsonNode found = scores.get(row.get("id").asText());
      assertThat(found).hasSameSizeAs(row.get("logprobs"));
      for (int i = 0; i < found.size(); i++) {
        assertThat(found.get(i).asDouble())
            .isCloseTo(row.get("logprobs").get(i).asDouble(), within(5e-5));
      }
    }
  }

  private static JsonNode golden() throws IOException {
    return JSON.readTree(TINY.resolve("expected.json").toFile()).get("logprobs");
  }

  private Path texts() throws IOException {
    var lines = new StringBuilder();
    for (JsonNode row : golden()) {
      var line = JSON.createObjectNode();
      line.set("id", row.get("id"));
      line.set("text", row.get("text"));
      lines.append(line).append('\n');
    }
    return Files.writeString(folder.resolve("texts.jsonl"), lines);
  }

  private static Path model() {
    Optional<Path> model = FetchedModel.path();
    Assumptions.assumeTrue(model.isPresent(), "submit/fetch-model cannot bring the model");
    return model.orElseThrow();
  }
}
