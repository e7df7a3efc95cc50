package dev.distillery.jobs.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.ProgressListener;
import dev.distillery.core.teacher.testing.FakeAnswer;
import dev.distillery.core.teacher.testing.FakeLlmServer;
import dev.distillery.core.teacher.testing.FakeScript;
import dev.distillery.core.teacher.testing.FetchedModel;
import dev.distillery.jobs.evaluate.EvaluateSummary.Result;
import dev.distillery.spark.testing.LocalSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Written tasks that a server is asked, over HTTP. */
@Timeout(300)
class EvaluateTeacherTest {
  /** Adds what it is asked to add; of the number 3 it knows nothing without drawing. */
  private static final FakeScript ADDS =
      request -> {
        String[] sum = request.prompt().replaceAll("(?s).*Add |[.\\s]*$", "").split(" and ", -1);
        int right = Integer.parseInt(sum[0]) + Integer.parseInt(sum[1]);
        boolean lucky = request.body().path("seed").asLong(1) % 2 == 0;
        return FakeAnswer.says(
            request,
            "<think>Carry.</think>It is " + (sum[0].equals("3") && !lucky ? right + 1 : right));
      };

  private final SparkSession spark = LocalSpark.session();

  @TempDir Path temp;
  private FakeLlmServer server;
  private String task;

  @BeforeEach
  void start() throws IOException {
    server = FakeLlmServer.start(ADDS);
    var rows = new StringBuilder();
    for (int i = 1; i <= 6; i++) {
      rows.append(
          String.format(
              Locale.ROOT, "{\"id\": \"i%d\", \"a\": %d, \"b\": 40, \"sum\": %d}\n", i, i, i + 40));
    }
    Files.writeString(temp.resolve("sums.jsonl"), rows);
    task =
        Files.writeString(
                temp.resolve("sums.yaml"),
                """
                name: sums
                input: sums.jsonl
                description: "Only a number.\\n"
                prompt: "Add {a} and {b}."
                answer: "{sum}"
                generate: {stop: ["\\n\\n"], max_new_tokens: 9}
                metrics: [number_match]
                """)
            .toString();
  }

  @AfterEach
  void stop() {
    server.close();
  }

  private EvaluateOptions options(String id, Map<String, String> given) {
    var values = new HashMap<String, List<String>>();
    values.put("teacher", List.of("openai"));
    values.put("model", List.of("fake-model"));
    values.put("base-url", List.of(server.baseUrl()));
    values.put("tasks", List.of(task));
    values.put("run-id", List.of(id));
    values.put("warehouse", List.of(temp.resolve("warehouse").toString()));
    if (given.containsKey("teacher")) {
      values.remove("base-url");
    }
    given.forEach((name, value) -> values.put(name, List.of(value.split(" "))));
    return OptionsBinder.of(EvaluateOptions.class).bind(values);
  }

  private EvaluateSummary run(String id, Map<String, String> given) {
    return new EvaluateJob().run(spark, options(id, given));
  }

  private List<Row> rows(EvaluateSummary summary) {
    return spark
        .read()
        .parquet(summary.tables().get("evaluations").path())
        .orderBy("id", "repeat")
        .collectAsList();
  }

  private Map<String, String> priced() throws IOException {
    Path prices =
        Files.writeString(
            temp.resolve("prices.yaml"), "models:\n  fake-model: {input: 1000, output: 1000}\n");
    return new HashMap<>(Map.of("prices", prices.toString()));
  }

  @Test
  void shotsAreTurnsStopTextsAreSentAndThoughtsAreNoAnswer() throws IOException {
    Map<String, String> given = priced();
    given.put("num-fewshot", "1");
    given.put("fewshot-as-multiturn", "true");
    given.put("output", temp.resolve("page.html").toString());
    EvaluateSummary summary = run("turns", given);

    assertThat(summary.status()).isEqualTo("done");
    assertThat(summary.figures())
        .containsEntry("requests_sent", 6L)
        .containsEntry("evaluated", 6L)
        .hasEntrySatisfying("cost_usd", cost -> assertThat(cost.doubleValue()).isPositive());
    JsonNode body = server.log().requests().get(0).body();
    assertThat(body.at("/messages").findValuesAsText("role"))
        .containsExactly("system", "user", "assistant", "user");
    assertThat(body.at("/messages/0/content").asText()).isEqualTo("Only a number.\n");
    assertThat(body.at("/stop/0").asText()).isEqualTo("\n\n");
    assertThat(body.at("/temperature").asDouble()).isZero();
    assertThat(body.has("seed")).isFalse();
    Row row = rows(summary).get(0);
    assertThat(row.<String>getAs("model")).isEqualTo("fake-model");
    assertThat(row.<String>getAs("prompt"))
        .contains("\"role\":\"assistant\"")
        .contains("Add 1 and");
    assertThat(row.<String>getAs("answer")).isEqualTo("It is 41");
    assertThat(row.isNullAt(row.fieldIndex("answers"))).isTrue();
    Result right = summary.results().get(0);
    assertThat(right.value()).isEqualTo(5 / 6.0);
    assertThat(temp.resolve("page.html")).content().contains("fake-model").contains("0.8333");
  }

  @Test
  void twoModelsGoOnFromPlainTextAndAnItemWhoseAnswerFailsIsRejected() throws IOException {
    server.script(
        request ->
            request.prompt().endsWith("Add 3 and 40.")
                ? FakeAnswer.contextLength()
                : ADDS.answer(request));
    Map<String, String> given = priced();
    given.put("model", "fake-model fake-model-mini");
    given.put("api", "completions");
    given.put("max-failure-ratio", "0.5");
    EvaluateSummary summary = run("plain", given);
    assertThat(server.log().requests())
        .hasSize(12)
        .allSatisfy(
            request -> {
              assertThat(request.chat()).isFalse();
              assertThat(request.prompt()).startsWith("Only a number.\nAdd ");
            });
    assertThat(summary.rejects()).containsExactly(Map.entry("failed", 2L));
    assertThat(summary.figures())
        .containsEntry("evaluated", 10L)
        .containsEntry("requests_answered", 10L)
        .containsEntry("requests_failed", 2L)
        .containsEntry("requests_sent", 12L)
        .hasEntrySatisfying("cost_usd", cost -> assertThat(cost.doubleValue()).isPositive());
    assertThat(summary.results())
        .extracting(Result::model)
        .containsExactly("fake-model", "fake-model-mini");
    assertThat(rows(summary).get(0).<String>getAs("prompt"))
        .isEqualTo("Only a number.\nAdd 1 and 40.");
  }

  @Test
  void ofSeveralModelsTheLastIsLookedAtBeforeTheFirstIsAsked() {
    String model = FetchedModel.path().map(Path::toString).orElse("");
    assumeTrue(!model.isEmpty(), "no model was fetched");
    String missing = temp.resolve("none.gguf").toString();
    assertThatThrownBy(() -> run("last", Map.of("teacher", "gguf", "model", model + " " + missing)))
        .hasMessageContaining(missing);
    assertThat(temp.resolve("warehouse/_ledger/last")).doesNotExist();
  }

  @Test
  void whatATeacherCannotBeAskedIsRefusedByNameAndNothingIsAsked() {
    assertThatThrownBy(() -> run("choice", Map.of("tasks", task + ",own-reading")))
        .isInstanceOf(JobException.class)
        .hasMessageContaining(
            "Task 'own-reading' needs likelihoods, which --teacher openai does not")
        .hasMessageContaining("leave it out, or evaluate a student by it");
    assertThatThrownBy(() -> run("idle", Map.of("repeats", "2")))
        .hasMessageContaining("Option --repeats: nothing would differ in task 'sums': give");
    assertThat(server.log().entries()).isEmpty();
  }

  @Test
  void aTaskWithoutAnItemIsRefusedAndNothingIsPaid() throws IOException {
    Path none = temp.resolve("none");
    spark
        .read()
        .json(temp.resolve("sums.jsonl").toString())
        .where("sum < 0")
        .write()
        .parquet(none.toString());
    String empty =
        Files.writeString(
                temp.resolve("empty.yaml"),
                Files.readString(Path.of(task)).replace("name: sums", "name: empty"))
            .toString();
    assertThatThrownBy(
            () -> run("empty", Map.of("tasks", task + "," + empty, "task-input", "empty=" + none)))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("Task 'empty': no item is left of its input " + none);
    assertThat(server.log().entries()).isEmpty();
  }

  /** Two items of one id would count as one with too many answers, and be dropped. */
  @Test
  void rowsOfOneIdGetNumbersThatNoOtherIdHas() throws IOException {
    var rows = new StringBuilder();
    int a = 0;
    for (String id : List.of("x", "x", "x#2", "x#2", "x#2#2", "y", "y", "y")) {
      rows.append(
          String.format(
              Locale.ROOT,
              "{\"id\": \"%s\", \"a\": %d, \"b\": 40, \"sum\": %d}\n",
              id,
              ++a,
              a + 40));
    }
    Files.writeString(temp.resolve("sums.jsonl"), rows);
    EvaluateSummary summary = run("ids", Map.of());
    assertThat(summary.figures()).containsEntry("items", 8L).containsEntry("evaluated", 8L);
    assertThat(rows(summary))
        .extracting(row -> row.<String>getAs("id"))
        .containsExactly("x", "x#2", "x#2#2", "x#2#3", "x#3", "y", "y#2", "y#3");
  }

  @Test
  void aDryRunPlansAndAsksNothing() throws IOException {
    Map<String, String> given = priced();
    given.put("dry-run", "true");
    given.put("model", "fake-model fake-model-mini");
    given.put("samples", "3");
    EvaluateSummary plan = run("plan", given);
    assertThat(plan.status()).isEqualTo("dry-run");
    assertThat(plan.figures())
        .containsEntry("requests", 36L)
        .containsEntry("completion_tokens_at_most", 36L * 9);
    // Nobody has said what the other costs.
    assertThat(plan.plan().orElseThrow().costUsdAtMost()).isEmpty();
    assertThat(server.log().entries()).isEmpty();
  }

  /** A spent budget, and a run that dies with all its answers: nothing is asked twice. */
  @Test
  void nothingIsPaidTwice() {
    EvaluateSummary shown =
        run("budget", Map.of("samples", "2", "max-requests", "5", "publish-partial", "true"));
    assertThat(shown.run().exitCode()).isEqualTo(ExitCode.PARTIAL);
    assertThat(shown.figures()).containsEntry("requests_sent", 5L);
    assertThat(shown.status()).isEqualTo("partial");
    assertThat(shown.tables().get("evaluations").rows()).isLessThan(3);
    assertThat(server.log().entries()).hasSize(5);

    ProgressListener fails =
        update -> {
          if (update.line().contains(": number_match ")) {
            throw new IllegalStateException("at its figures");
          }
        };
    EvaluateOptions all = options("budget", Map.of("samples", "2"));
    assertThatThrownBy(() -> new EvaluateJob().run(spark, all, fails))
        .hasMessageContaining("at its figures");
    assertThat(server.log().entries()).hasSize(12);
    EvaluateSummary done = run("budget", Map.of("samples", "2"));
    assertThat(done.status()).isEqualTo("done");
    assertThat(done.figures()).containsEntry("resumed", 6L).containsEntry("requests_sent", 12L);
    assertThat(server.log().entries()).hasSize(12);
    assertThat(rows(done)).hasSize(6);
  }

  @Test
  void eachSampleOfEachRepeatHasASeedOfItsOwn() {
    Map<String, String> given = Map.of("samples", "4", "repeats", "2", "temperature", "0.5");
    EvaluateSummary one = run("drawn", given);
    var seeds = new TreeSet<Long>();
    server.log().requests().forEach(each -> seeds.add(each.body().path("seed").asLong(-1)));
    assertThat(seeds).hasSize(6 * 4 * 2).allMatch(seed -> seed >= 0 && seed <= Integer.MAX_VALUE);
    assertThat(one.results())
        .extracting(Result::metric)
        .containsExactly(
            "number_match", "number_match,pass@2", "number_match,pass@4", "number_match,maj@4");
    for (Row row : rows(one)) {
      List<String> answers = row.getList(row.fieldIndex("answers"));
      long right =
          answers.stream().filter(each -> each.endsWith(" " + row.getAs("target"))).count();
      assertThat(row.<String, Double>getJavaMap(row.fieldIndex("metrics")))
          .containsEntry("number_match", right / 4.0)
          .containsEntry("number_match,pass@4", right > 0 ? 1.0 : 0.0);
    }
    double[] repeats = {0, 0};
    for (Row row : rows(one)) {
      repeats[row.<Integer>getAs("repeat") - 1] +=
          row.<String, Double>getJavaMap(row.fieldIndex("metrics")).get("number_match") / 6;
    }
    Result mean = one.results().get(0);
    assertThat(mean.value()).isCloseTo((repeats[0] + repeats[1]) / 2, within(1e-12));
    assertThat(mean.repeatStdev())
        .isCloseTo(Math.abs(repeats[0] - repeats[1]) / Math.sqrt(2), within(1e-12));
    assertThat(mean.items()).isEqualTo(6);
  }
}
