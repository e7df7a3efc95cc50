package dev.distillery.jobs.complete;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.teacher.testing.FakeAnswer;
import dev.distillery.core.teacher.testing.FakeLlmServer;
import dev.distillery.core.teacher.testing.FakeRequest;
import dev.distillery.core.teacher.testing.FakeScript;
import dev.distillery.spark.fanout.RequestPlan;
import dev.distillery.spark.testing.LocalSpark;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(300)
class CompleteJobTest {
  private final SparkSession spark = LocalSpark.session();

  @TempDir Path folder;
  private FakeLlmServer server;

  @BeforeEach
  void start() {
    server = FakeLlmServer.start(FakeScript.echo());
  }

  @AfterEach
  void stop() {
    server.close();
  }

  @Test
  void answersPromptsDialoguesAndInstructionsAlike() throws IOException {
    Path prompts =
        jsonl(
            """
            {"id": "p", "prompt": "Name a river."}
            {"id": "m", "messages": [{"role": "user", "content": "Name a lake."}]}
            {"id": "i", "instruction": "Count {input}", "input": "one {instruction}"}
            {"id": "n", "instruction": "Name a sea.", "input": ""}
            """);
    CompleteSummary summary =
        run("all", Map.of("input", prompts.toString(), "samples", "2", "system", "Be brief."));

    assertThat(summary.status()).isEqualTo("done");
    assertThat(summary.figures()).containsEntry("requests", 8L).containsEntry("requests_sent", 8L);
    List<Row> rows = completions("all");
    assertThat(rows)
        .hasSize(8)
        .allMatch(row -> row.getString(row.fieldIndex("status")).equals("ok"));
    assertThat(rows)
        .extracting(row -> row.getString(row.fieldIndex("id")))
        .containsOnly("p", "m", "i", "n");
    assertThat(server.log().requests())
        .extracting(FakeRequest::prompt)
        .contains("Count {input}\n\none {instruction}", "Name a sea.", "Name a lake.");
    assertThat(server.log().requests())
        .extracting(request -> request.body().at("/messages/0/content").asText())
        .containsOnly("Be brief.");
  }

  @Test
  void aCompletionCarriesSourceLicenseAndChosenColumnsOfItsRow() throws IOException {
    String rows =
        jsonl(
                """
                {"id": "a", "prompt": "Name a sea.", "source": "atlas", "license": "CC0-1.0", "topic": {"name": "seas"}, "level": 1}
                {"id": "b", "prompt": "Name a lake.", "source": "atlas", "license": "CC-BY-4.0", "topic": null, "level": 2}
                {"id": "b", "prompt": "Name a lake.", "source": "atlas", "license": "CC-BY-4.0", "topic": null, "level": 1}
                """)
            .toString();
    run("paid", Map.of("input", rows));
    run(
        "carrying",
        Map.of(
            "input", rows,
            "keep-columns", "topic,level,instruction",
            "reuse-completions", "completions@paid",
            "samples", "2"));
    assertThat(completions("carrying"))
        .extracting(row -> row.<String>getAs("id") + row.getAs("source") + row.getAs("license"))
        .containsExactlyInAnyOrder(
            "aatlasCC0-1.0", "aatlasCC0-1.0", "batlasCC-BY-4.0", "batlasCC-BY-4.0");
    assertThat(completions("carrying"))
        .extracting(row -> row.getAs("topic") + " " + row.getAs("level"))
        .containsExactlyInAnyOrder("[seas] 1", "[seas] 1", "null 1", "null 1");
    assertThat(server.log().entries()).hasSize(4);

    assertThatThrownBy(() -> run("not", Map.of("input", rows, "keep-columns", "tpoic")))
        .hasMessageContaining("--keep-columns: no column [tpoic]")
        .hasMessageContaining("level");
    assertThatThrownBy(() -> run("own", Map.of("input", rows, "keep-columns", "model")))
        .hasMessageContaining("'model' is a column of completions itself; rename the input's");
  }

  @Test
  void aRowThatItsLicenseForbidsIsNotAsked() throws IOException {
    String rows =
        jsonl(
                """
                {"prompt": "Name a sea.", "source": "atlas", "license": "CC-BY-NC-4.0"}
                {"prompt": "Name a lake."}
                """)
            .toString();
    assertThatThrownBy(() -> run("sold", Map.of("input", rows, "use", "commercial")))
        .hasMessageContaining("1 rows: CC-BY-NC-4.0 forbids commercial use")
        .hasMessageContaining("1 rows: NOASSERTION does not clearly allow commercial use");
    assertThat(server.log().entries()).isEmpty();
  }

  @Test
  void anIdThatStandsForTwoQuestionsIsRefusedByName() throws IOException {
    Path first =
        Files.writeString(
            folder.resolve("a.jsonl"), "{\"id\": \"1\", \"prompt\": \"Name a sea.\"}\n");
    Path second =
        Files.writeString(
            folder.resolve("b.jsonl"), "{\"id\": \"1\", \"prompt\": \"Name a lake.\"}\n");
    assertThatThrownBy(() -> run("twice", Map.of("input", folder.resolve("[ab].jsonl").toString())))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("The id '1' stands for different questions in ")
        .hasMessageContaining(first.getFileName().toString())
        .hasMessageContaining(second.getFileName().toString());
    Files.copy(first, second, StandardCopyOption.REPLACE_EXISTING);
    CompleteSummary same = run("same", Map.of("input", folder.resolve("[ab].jsonl").toString()));
    assertThat(same.figures()).containsEntry("requests", 1L);
    assertThat(table("duplicates", "same"))
        .extracting(Row::toString)
        .containsExactly("[1,1,1.0,equal_row]");
  }

  @Test
  void differentQuestionsOfOneIdAreAskedApartOnRequest() throws IOException {
    String rows =
        jsonl(
                """
                {"id": "1", "prompt": "Name a sea."}
                {"id": "1", "prompt": "Name a lake."}
                {"id": "1", "prompt": "Name a lake."}
                {"id": "2", "prompt": "Name a lake."}
                {"id": "3", "prompt": "Name a sea."}
                {"id": "3", "prompt": "Name a river."}
                """)
            .toString();
    assertThatThrownBy(() -> run("refused", Map.of("input", rows)))
        .hasMessageContaining("; so do '3': give each row an id of its own");
    CompleteSummary apart = run("apart", Map.of("input", rows, "same-id", "apart"));
    assertThat(apart.figures()).containsEntry("requests", 5L);
    List<String> ids =
        completions("apart").stream().map(row -> row.<String>getAs("id")).sorted().toList();
    assertThat(ids).hasSize(5).doesNotHaveDuplicates().contains("2");
    assertThat(ids).filteredOn(id -> id.matches("[13]#[0-9a-f]{16}")).hasSize(4);
    assertThat(apart.tables().get("duplicates").rows()).isEqualTo(1);
  }

  @Test
  void messagesOfOtherFormsAreAskedAndThoseThatCannotBeReadAreRejected() throws IOException {
    Path rows =
        jsonl(
            """
            {"id": "1", "messages": [{"role": "user", "content": [{"type": "text", "text": "Name a lake."}]}]}
            {"id": "2", "messages": [{"role": "user", "content": "Name a sea.", "name": "ann", "x": 1}]}
            {"id": "3", "messages": [{"role": null, "content": "Name an isle."}]}
            """);
    CompleteSummary summary = run("forms", Map.of("input", rows.toString()));
    assertThat(summary.figures()).containsEntry("requests", 2L);
    assertThat(summary.rejects()).containsExactly(Map.entry("unknown_role", 1L));
    assertThat(server.log().requests())
        .extracting(FakeRequest::prompt)
        .containsExactlyInAnyOrder("Name a lake.", "Name a sea.");
  }

  @Test
  void toolsOfARowReachTheRequestInOpenAisForm() throws IOException {
    String rows =
        jsonl(
                """
                {"id": "1", "prompt": "Where?", "tools": [{"type": "function", "function": {"name": "map"}}]}
                {"id": "2", "messages": [{"role": "user", "content": "When?"}], "tools": "[{\\"name\\": \\"clock\\"}]"}
                {"id": "3", "prompt": "Why?", "tools": []}
                {"id": "4", "prompt": "Who?", "tools": "a hammer"}
                {"id": "5", "prompt": "Where?"}
                """)
            .toString();
    String call = "[{\"id\":\"c\",\"function\":{\"name\":\"map\"}}]";
    server.script(
        request ->
            request.body().has("tools")
                ? FakeAnswer.raw(
                    200,
                    "{\"choices\":[{\"message\":{\"content\":null,\"tool_calls\":" + call + "}}]}")
                : FakeScript.echo().answer(request));
    CompleteSummary summary = run("tools", Map.of("input", rows));
    assertThat(summary.rejects()).containsExactly(Map.entry("invalid_tools", 1L));
    assertThat(completions("tools"))
        .extracting(row -> row.getAs("id") + " " + row.getAs("tool_calls"))
        .containsExactlyInAnyOrder("1 " + call, "2 " + call, "3 null", "5 null");
    assertThat(server.log().requests())
        .extracting(request -> request.prompt() + request.body().path("tools"))
        .containsExactlyInAnyOrder(
            "Where?[{\"type\":\"function\",\"function\":{\"name\":\"map\"}}]",
            "When?[{\"type\":\"function\",\"function\":{\"name\":\"clock\"}}]",
            "Why?",
            "Where?");
  }

  /** A reply that was paid for before rows could have tools is found again. */
  @Test
  void aRequestWithoutToolsHasTheIdThatItHadWithoutTheColumn() throws Exception {
    String plain = "{\"id\": \"1\", \"prompt\": \"Why?\"}\n";
    run("plain", Map.of("input", jsonl(plain).toString()));
    String none = "{\"id\": \"1\", \"prompt\": \"Why?\", \"tools\": []}\n";
    run("none", Map.of("input", jsonl(none).toString()));
    assertThat(requestIds("none")).isEqualTo(requestIds("plain"));

    // An id that is not given is a hash of the row, which held a list.
    String unnamed =
        """
        {"prompt": "Why?", "tools": []}
        {"prompt": "Who?", "tools": [{"type": "function"}]}
        """;
    run("unnamed", Map.of("input", jsonl(unnamed).toString()));
    byte[] digest =
        MessageDigest.getInstance("SHA-256")
            .digest("{\"prompt\":\"Why?\",\"tools\":[]}".getBytes(StandardCharsets.UTF_8));
    assertThat(completions("unnamed"))
        .extracting(row -> row.<String>getAs("id"))
        .contains(HexFormat.of().formatHex(digest, 0, 16));
  }

  private List<String> requestIds(String run) {
    return completions(run).stream().map(row -> row.<String>getAs("request_id")).toList();
  }

  @Test
  void toolsThatCannotBeShownCostTheRowByName() throws IOException {
    String rows =
        jsonl(
                """
                {"id": "1", "prompt": "Where?", "tools": [{"type": "function", "function": {"name": "map"}}]}
                {"id": "2", "prompt": "Why?"}
                """)
            .toString();
    CompleteSummary plain = run("plain", Map.of("input", rows, "api", "completions"));
    assertThat(plain.rejects()).containsExactly(Map.entry("unsupported_tools", 1L));
    assertThat(table("rejects", "plain"))
        .extracting(row -> row.<String>getAs("detail"))
        .containsExactly("The row has tools, and --api completions has no place for tools");
    CompleteSummary own = run("own", Map.of("input", rows, "extra-body", "{\"tools\": []}"));
    assertThat(own.rejects()).containsExactly(Map.entry("unsupported_tools", 1L));
    assertThat(own.figures()).containsEntry("requests", 1L);
  }

  @Test
  void theRunsSeedGivesEachRowAndSampleItsOwn() throws IOException {
    String rows = numbered(3).toString();
    run("first", Map.of("input", rows, "samples", "2"));
    run("again", Map.of("input", rows, "samples", "2"));
    run("other", Map.of("input", rows, "samples", "2", "random-seed", "43"));
    assertThat(seeds("first")).hasSize(6).isEqualTo(seeds("again"));
    assertThat(seeds("other")).hasSize(6).doesNotContainAnyElementsOf(seeds("first"));
  }

  private Set<Long> seeds(String run) throws IOException {
    var seeds = new TreeSet<Long>();
    for (Row row : completions(run)) {
      seeds.add(new ObjectMapper().readTree(row.getString(4)).get("seed").asLong());
    }
    return seeds;
  }

  @Test
  void passesExtraFieldsAndStructuredOutputsThrough() throws IOException {
    run(
        "extra",
        Map.of(
            "input", jsonl("{\"prompt\": \"Give JSON.\"}\n").toString(),
            "extra-body", "{\"min_p\": 0.1}",
            "response-format", "{\"type\": \"json_object\"}"));

    assertThat(server.log().requests())
        .singleElement()
        .satisfies(
            request -> {
              assertThat(request.body().path("min_p").asDouble()).isEqualTo(0.1);
              assertThat(request.body().at("/response_format/type").asText())
                  .isEqualTo("json_object");
            });
  }

  @Test
  void stopsWhenTheBudgetIsSpentAndGoesOnWhenItIsRaised() throws IOException {
    String prompts = numbered(40).toString();
    CompleteSummary partial = run("budget", Map.of("input", prompts, "max-requests", "15"));

    assertThat(partial.status()).isEqualTo("partial");
    assertThat(partial.run().exitCode()).isEqualTo(ExitCode.PARTIAL);
    assertThat(partial.tables()).isEmpty();
    assertThat(server.log().entries()).hasSize(15);

    CompleteSummary shown =
        run("budget", Map.of("input", prompts, "max-requests", "15", "publish-partial", "true"));
    assertThat(shown.status()).isEqualTo("partial");
    assertThat(shown.tables().get("completions").rows()).isEqualTo(15);
    assertThat(completions("budget")).hasSize(15);

    CompleteSummary done = run("budget", Map.of("input", prompts, "max-requests", "40"));
    assertThat(done.status()).isEqualTo("done");
    assertThat(done.figures()).containsEntry("requests_resumed", 15L);
    assertThat(server.log().entries()).hasSize(40);
    assertThat(server.log().times()).hasSize(40);
    assertThat(completions("budget")).hasSize(40);
  }

  @Test
  void takesWhatAnotherRunHasPaidFor() throws IOException {
    run("paid", Map.of("input", numbered(10).toString()));
    CompleteSummary summary =
        run(
            "reusing",
            Map.of("input", numbered(12).toString(), "reuse-completions", "completions@paid"));

    assertThat(summary.figures()).containsEntry("requests_reused", 10L);
    assertThat(summary.tables().get("completions").rows()).isEqualTo(12);
    assertThat(server.log().entries()).hasSize(12);
  }

  /** What is paid for already takes nothing. */
  @Test
  void aPlanLeavesOutWhatAnotherRunHasPaidFor() throws IOException {
    run("paid", Map.of("input", numbered(10).toString()));
    Map<String, String> reusing = new HashMap<>();
    reusing.put("input", numbered(12).toString());
    reusing.put("dry-run", "true");
    RequestPlan all = run("all", reusing).plan().orElseThrow();
    reusing.put("reuse-completions", "completions@paid");
    CompleteSummary summary = run("reusing", reusing);
    assertThat(summary.figures())
        .containsEntry("requests", 12L)
        .containsEntry("requests_reused", 10L);
    assertThat(summary.plan().orElseThrow().completionTokensAtMost())
        .isEqualTo(all.completionTokensAtMost() / 6);
  }

  /** A file that another has taken the place of would mix their answers in one run. */
  @Test
  void anotherModelFileUnderARunsIdIsRefused() throws IOException {
    String line =
        "{\"prompt\": \"[{\\\"role\\\":\\\"user\\\",\\\"content\\\":\\\"Why?\\\"}]\", \"text\":"
            + " \"%s\"}\n";
    Path replies = jsonl(line.formatted("So."));
    var options =
        OptionsBinder.of(CompleteOptions.class)
            .bind(
                Map.of(
                    "run-id", List.of("pinned"),
                    "warehouse", List.of(folder.resolve("warehouse").toString()),
                    "teacher", List.of("replay"),
                    "model", List.of(replies.toString()),
                    "prompt", List.of("Why?")));
    assertThat(new CompleteJob().run(spark, options).status()).isEqualTo("done");
    assertThat(new CompleteJob().run(spark, options).status()).isEqualTo("done");
    Files.writeString(replies, line.formatted("No."));
    assertThatThrownBy(() -> new CompleteJob().run(spark, options))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("the model content was");
    // An earlier version did not look at it.
    Path record = folder.resolve("warehouse/_runs/pinned.json");
    String without =
        Files.readString(record).replaceAll("\"model content[^\"]*\" *: *\"[^\"]*\",?", "");
    Files.writeString(record, without);
    assertThat(new CompleteJob().run(spark, options).status()).isEqualTo("done");
  }

  @Test
  void keepsAFailureAsARow() throws IOException {
    server.script(
        request ->
            request.prompt().contains("number 3")
                ? FakeAnswer.contextLength()
                : FakeAnswer.says(request, "fine"));
    CompleteSummary summary =
        run("failing", Map.of("input", numbered(20).toString(), "max-failure-ratio", "0.5"));

    assertThat(summary.figures()).containsEntry("requests_failed", 1L);
    assertThat(completions("failing"))
        .filteredOn(row -> row.getString(row.fieldIndex("status")).equals("failed"))
        .singleElement()
        .satisfies(
            row ->
                assertThat(row.getString(row.fieldIndex("error"))).startsWith("context_length: "));
  }

  @Test
  void saysWhyTooManyFailed() {
    server.script(request -> FakeAnswer.contextLength());
    CompleteSummary summary = run("refused", Map.of("prompt", "Why?"));
    assertThat(summary.run().message())
        .asString()
        .startsWith("1 of 1 requests failed for good, more than --max-failure-ratio 0.1 allows")
        .containsPattern("; the latest: .*context");
  }

  @Test
  void plansWithoutAsking() throws IOException {
    CompleteSummary summary =
        run("plan", Map.of("input", numbered(20).toString(), "dry-run", "true", "samples", "3"));

    assertThat(summary.status()).isEqualTo("dry-run");
    assertThat(summary.figures()).containsEntry("requests", 60L);
    assertThat(summary.figures().get("prompt_tokens_estimate").longValue()).isBetween(300L, 1500L);
    assertThat(server.log().entries()).isEmpty();
    assertThat(folder.resolve("warehouse")).doesNotExist();

    var plan = Map.of("prompt", "Why?", "dry-run", "true");
    var limited = new HashMap<>(plan);
    limited.put("max-cost-usd", "1");
    CompleteSummary priceless = run("limited", limited);
    assertThat(priceless.status()).isEqualTo("dry-run");
    assertThat(priceless.run().exitCode()).isEqualTo(ExitCode.INVALID);
    assertThat(priceless.run().message()).contains("the model 'fake-model' has no price");
    server.close();
    CompleteSummary gone = run("gone", plan);
    assertThat(gone.run().exitCode()).isEqualTo(ExitCode.TEMPORARY);
    assertThat(gone.run().message()).contains("check --base-url and that the server runs");
    assertThat(gone.figures()).containsEntry("requests", 1L);
  }

  @Test
  void whatAServerWantsOtherwiseIsFoundOutOnceAndCounted() throws IOException {
    server.script(
        request ->
            request.body().has("max_tokens")
                ? FakeAnswer.raw(
                        400, "{\"error\":{\"message\":\"Use 'max_completion_tokens' instead.\"}}")
                    .withHeader("x-should-retry", "false")
                : FakeScript.echo().answer(request));
    CompleteSummary summary =
        run(
            "form",
            Map.of("input", numbered(19).toString(), "concurrency", "16", "max-requests", "20"));
    assertThat(summary.status()).isEqualTo("done");
    assertThat(summary.figures()).containsEntry("requests_sent", 20L);
    assertThat(server.log().entries()).hasSize(20);
    assertThat(server.log().entries()).filteredOn(entry -> entry.status() == 400).hasSize(1);
  }

  @Test
  void theMostThatAPlanCanCostCountsWhateverIsSent() throws IOException {
    Path prices =
        Files.writeString(
            folder.resolve("prices.yaml"), "models:\n  fake-model: {input: 1, output: 1}\n");
    String tool = "{\"tools\":[{\"type\":\"function\",\"name\":\"%s\"}]}";
    CompleteSummary summary =
        run(
            "plan-of-tools",
            Map.of(
                "input", numbered(10).toString(),
                "dry-run", "true",
                "prices", prices.toString(),
                "extra-body", tool.formatted("a".repeat(14_000))));

    // No tokenizer needs more tokens than bytes.
    assertThat(summary.plan().orElseThrow().costUsdAtMost().orElseThrow())
        .isBetween(10 * 14_000 / 1e6, 10 * 20_000 / 1e6);
  }

  @Test
  void aRowWithNothingToAskIsRejectedAndTheOthersAreAnswered() throws IOException {
    String rows =
        jsonl(
                """
                {"id": "a", "prompt": "One?"}
                {"id": "b", "prompt": null, "note": 3}
                {"id": "c", "instruction": null}
                """)
            .toString();
    CompleteSummary summary = run("some", Map.of("input", rows));
    assertThat(summary.figures()).containsEntry("requests", 1L);
    assertThat(summary.rejects()).containsExactly(Map.entry("nothing_to_ask", 2L));
    assertThat(summary.tables().get("rejects").rows()).isEqualTo(2);
  }

  @Test
  void refusesWhatCannotBeAnswered() throws IOException {
    String rows = jsonl("{\"id\": \"a\", \"note\": \"nothing to ask\"}\n").toString();
    assertThatThrownBy(() -> run("empty", Map.of("input", rows)))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("has a prompt, messages or an instruction");
    assertThatThrownBy(() -> run("8", Map.of("prompt", "x", "concurrency", "0")))
        .hasMessageContaining("found '8'")
        .hasMessageContaining("Option --concurrency: expected 1 or more, found 0");
    assertThatThrownBy(() -> run("none", Map.of("samples", "0", "extra-body", "{\"n\": 4}")))
        .hasMessageContaining("Options --input and --prompt: expected one of them, found")
        .hasMessageContaining("Option --samples: expected 1 or more, found 0")
        .hasMessageContaining("'n' would make a request cost more");
  }

  private CompleteSummary run(String id, Map<String, String> given) {
    var values = new HashMap<String, List<String>>();
    given.forEach((name, value) -> values.put(name, List.of(value)));
    values.put("run-id", List.of(id));
    values.put("warehouse", List.of(folder.resolve("warehouse").toString()));
    values.put("teacher", List.of("openai"));
    values.put("model", List.of("fake-model"));
    values.put("base-url", List.of(server.baseUrl()));
    return new CompleteJob().run(spark, OptionsBinder.of(CompleteOptions.class).bind(values));
  }

  private List<Row> completions(String id) {
    return table("completions", id);
  }

  private List<Row> table(String name, String id) {
    return spark
        .read()
        .parquet(folder.resolve("warehouse/" + name + "/run_id=" + id).toString())
        .collectAsList();
  }

  private Path numbered(int count) throws IOException {
    var lines = new StringBuilder();
    for (int i = 0; i < count; i++) {
      lines.append(
          String.format(
              Locale.ROOT, "{\"id\": \"row-%d\", \"prompt\": \"Tell of number %d.\"}\n", i, i));
    }
    return jsonl(lines.toString());
  }

  private Path jsonl(String lines) throws IOException {
    return Files.writeString(Files.createTempFile(folder, "prompts", ".jsonl"), lines);
  }
}
