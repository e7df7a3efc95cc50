package dev.distillery.jobs.logprobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.OptionsKit;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.teacher.testing.FetchedModel;
import dev.distillery.spark.testing.LocalSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against golden/student of common/model, which make_student_goldens.py made with transformers. */
class LogprobsJobTest {
  private static final Path MODEL =
      FetchedModel.root().resolve("common/model/src/test/resources/golden/student");
  private static final ObjectMapper JSON = new ObjectMapper();

  private final SparkSession spark = LocalSpark.session();

  @TempDir Path temp;

  private LogprobsSummary run(String id, Map<String, String> given) {
    var values = new HashMap<String, List<String>>();
    values.put("model", List.of(MODEL.toString()));
    values.put("run-id", List.of(id));
    values.put("warehouse", List.of(temp.resolve("warehouse").toString()));
    given.forEach((name, value) -> values.put(name, List.of(value)));
    return new LogprobsJob().run(spark, OptionsBinder.of(LogprobsOptions.class).bind(values));
  }

  private Path file(String name, String lines) throws IOException {
    return Files.writeString(temp.resolve(name), lines);
  }

  private static JsonNode golden() throws IOException {
    return JSON.readTree(MODEL.resolve("expected.json").toFile()).get("logprobs");
  }

  @Test
  void logprobsAreThoseOfTransformers() throws IOException {
    int tokens = 0;
    double sum = 0;
    var textLines = new StringBuilder();
    var idLines = new StringBuilder();
    for (JsonNode row : golden()) {
      var text = JSON.createObjectNode();
      text.set("id", row.get("id"));
      text.set("text", row.get("text"));
      textLines.append(text).append('\n');
      var given = JSON.createObjectNode();
      given.set("id", row.get("id"));
      given.set("token_ids", row.get("token_ids"));
      idLines.append(given).append('\n');
      for (JsonNode logprob : row.get("logprobs")) {
        tokens += logprob.isNull() ? 0 : 1;
        sum += logprob.asDouble();
      }
    }
    Path output = temp.resolve("out.jsonl");
    LogprobsSummary summary =
        run(
            "texts",
            Map.of(
                "input", file("texts.jsonl", textLines.toString()).toString(),
                "output", output.toString()));
    assertThat(summary.status()).isEqualTo("done");
    assertThat(summary.rejects()).isEmpty();
    assertThat(summary.figures())
        .containsEntry("rows_read", 5L)
        .containsEntry("rows_scored", 5L)
        .containsEntry("tokens", (long) tokens);
    assertThat(summary.figures().get("mean_logprob").doubleValue())
        .isCloseTo(sum / tokens, within(1e-6));
    assertThat(summary.figures().get("perplexity").doubleValue())
        .isCloseTo(Math.exp(-sum / tokens), within(1e-2));
    assertEqualToGolden(output);

    Path second = temp.resolve("second.jsonl");
    run(
        "ids",
        Map.of(
            "input", file("ids.jsonl", idLines.toString()).toString(),
            "output", second.toString()));
    assertThat(second).hasSameTextualContentAs(output);

    Files.writeString(second, "old");
    run(
        "over",
        Map.of("input", temp + "/ids.jsonl", "output", second.toString(), "overwrite", "true"));
    assertThat(second).hasSameTextualContentAs(output);
  }

  private static void assertEqualToGolden(Path output) throws IOException {
    Map<String, JsonNode> lines = new HashMap<>();
    String last = "";
    for (String line : Files.readAllLines(output)) {
      JsonNode row = JSON.readTree(line);
      assertThat(row.fieldNames()).toIterable().containsExactly("id", "token_ids", "logprobs");
      assertThat(row.get("id").asText()).isGreaterThan(last);
      last = row.get("id").asText();
      lines.put(last, row);
    }
    assertThat(lines).hasSize(5);
    for (JsonNode expected : golden()) {
      JsonNode row = lines.get(expected.get("id").asText());
      assertThat(row.get("token_ids")).isEqualTo(expected.get("token_ids"));
      for (int i = 0; i < expected.get("logprobs").size(); i++) {
        JsonNode logprob = expected.get("logprobs").get(i);
        assertThat(row.get("logprobs").get(i).isNull()).isEqualTo(logprob.isNull());
        assertThat(row.get("logprobs").get(i).asDouble())
            .isCloseTo(logprob.asDouble(), within(5e-5));
      }
    }
  }

  @Test
  void partitionsChangeNothing() throws IOException {
    var lines = new StringBuilder();
    for (int i = 0; i < 40; i++) {
      lines.append(
          String.format(
              Locale.ROOT, "{\"id\": \"%02d\", \"text\": \"%s\"}\n", i, "the sea ".repeat(i % 9)));
    }
    Path input = file("many.jsonl", lines.toString());
    LogprobsSummary one =
        run("one", Map.of("input", input.toString(), "output", temp + "/one.jsonl"));
    Path parts = temp.resolve("parts");
    spark.read().json(input.toString()).repartition(7).write().parquet(parts.toString());
    LogprobsSummary seven =
        run("seven", Map.of("input", parts.toString(), "output", temp + "/seven.jsonl"));
    assertThat(temp.resolve("one.jsonl")).hasSameTextualContentAs(temp.resolve("seven.jsonl"));
    assertThat(one.figures()).isEqualTo(seven.figures());
    assertThat(one.rejects()).isEqualTo(seven.rejects()).containsExactly(Map.entry("empty", 5L));
    assertThat(temp.resolve("one.jsonl")).content().hasLineCount(35);
  }

  @Test
  void badRowsAreRejectedByRule() throws IOException {
    Path input =
        file(
            "bad.jsonl",
            """
            {"id": "good", "text": "a", "token_ids": null}
            {"id": "both", "text": "not read", "token_ids": [67]}
            {"id": "nothing"}
            {"id": "empty", "text": "", "token_ids": []}
            {"id": "above", "token_ids": [1, 300]}
            {"id": "below", "token_ids": [5, -1]}
            {"id": "huge", "token_ids": [5, 4294967301]}
            {"id": "hole", "token_ids": [5, null]}
            {"id": "long", "text": "%s"}
            {"id": "just", "text": "%s"}
            """
                .formatted("\\u0001".repeat(65), "\\u0001".repeat(64)));
    LogprobsSummary summary = run("bad", Map.of("input", input.toString()));
    assertThat(summary.figures())
        .containsEntry("rows_read", 10L)
        .containsEntry("rows_scored", 3L)
        .containsEntry("tokens", 1L + 1 + 64);
    assertThat(summary.rejects())
        .containsOnly(
            Map.entry("empty", 2L),
            Map.entry("token_id_out_of_range", 4L),
            Map.entry("longer_than_context", 1L));
    assertThat(summary.tables().get("rejects").rows()).isEqualTo(7);
    Map<String, Row> rows = new HashMap<>();
    for (Row row :
        spark
            .read()
            .parquet(temp.resolve("warehouse/rejects/run_id=bad").toString())
            .select("id", "detail", "row", "job")
            .collectAsList()) {
      rows.put(row.getString(0), row);
    }
    assertThat(rows.get("above").getString(1)).isEqualTo("Token id 300 is not in 0 to 299");
    assertThat(rows.get("huge").getString(1)).contains("4294967301");
    assertThat(rows.get("long").getString(1))
        .isEqualTo("65 tokens do not fit the model's context of 64");
    assertThat(rows.get("below").getString(2)).contains("\"token_ids\":[5,-1]");
    assertThat(rows.get("below").getString(3)).isEqualTo("logprobs");
  }

  @Test
  void aDryRunCountsAndScoresNothing() throws IOException {
    Path input = file("dry.jsonl", "{\"id\": \"a\", \"text\": \"aaaa\"}\n{\"id\": \"b\"}\n");
    LogprobsSummary summary = run("dry", Map.of("input", input.toString(), "dry-run", "true"));
    assertThat(summary.status()).isEqualTo("dry-run");
    assertThat(summary.figures())
        .containsEntry("rows_scored", 1L)
        .containsEntry("tokens", 4L)
        .doesNotContainKey("perplexity");
    assertThat(temp.resolve("warehouse")).doesNotExist();
  }

  @Test
  void whatCannotBeDoneIsSaid() throws IOException {
    Path input = file("x.jsonl", "{\"id\": \"a\", \"text\": \"a\"}\n");
    assertThatThrownBy(() -> run("a", Map.of("input", input.toString(), "model", temp + "/none")))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("Option --model: Cannot use " + temp + "/none");
    assertThatThrownBy(
            () -> run("b", Map.of("input", input.toString(), "output", input.toString())))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("x.jsonl is there already; choose another, or give --overwrite");
    assertThatThrownBy(
            () ->
                run(
                    "b2",
                    Map.of(
                        "input",
                        input.toString(),
                        "output",
                        input.toString(),
                        "overwrite",
                        "true")))
        .hasMessageContaining("x.jsonl is of the input, which --overwrite does not replace");
    assertThatThrownBy(
            () ->
                run(
                    "b3",
                    Map.of(
                        "input",
                        temp + "/*.jsonl",
                        "output",
                        input.toUri().toString(),
                        "overwrite",
                        "true")))
        .hasMessageContaining("x.jsonl is of the input, which --overwrite does not replace");
    Path wrong = file("wrong.jsonl", "{\"id\": \"a\", \"text\": 5}\n");
    assertThatThrownBy(() -> run("c", Map.of("input", wrong.toString())))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("Column 'text' of table texts must be string, found bigint");
    assertThatThrownBy(() -> run("d", Map.of("model", " ")))
        .hasMessageContaining("Option --model: expected a text, found ''")
        .hasMessageContaining("Option --input is required");
  }

  @Test
  void everyOptionHasItsDefaultAndArrives() {
    OptionsKit.of(LogprobsOptions.class, RunOptions.class)
        .defaults(
            """
            model (required)
            input (required)
            output (none)
            """)
        .arrive(
            """
            model m
            input b@run
            output o.jsonl
            """);
  }
}
