package dev.distillery.jobs.generate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.teacher.testing.FakeAnswer;
import dev.distillery.core.teacher.testing.FakeLlmServer;
import dev.distillery.core.teacher.testing.ScriptedTeacher;
import dev.distillery.spark.testing.LocalSpark;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(300)
class GenerateJobTest {
  private final SparkSession spark = LocalSpark.session();

  @TempDir Path folder;
  private FakeLlmServer server;

  @BeforeEach
  void start() {
    server = FakeLlmServer.start(new ScriptedTeacher());
  }

  @AfterEach
  void stop() {
    server.close();
  }

  @Test
  void aFinishedRunThatIsAskedForMoreGoesOnAndPaysForNothingTwice() {
    run("grown", 5, Map.of());
    int first = server.log().entries().size();
    GenerateSummary grown = run("grown", 10, Map.of());
    assertThat(grown.instructions()).isEqualTo(10);
    assertThat(grown.figures()).containsEntry("requests_resumed", (long) first);
    assertThat(server.log().times().values()).containsOnly(1);
    int all = server.log().entries().size();
    assertThat(all).isGreaterThan(first);

    // What a single run of ten gives by the same replies, in the same order.
    stop();
    start();
    run("whole", 10, Map.of());
    for (String table : List.of("instructions", "rejects", "completions")) {
      assertThat(rows(table, "grown")).isNotEmpty().isEqualTo(rows(table, "whole"));
    }
    assertThat(server.log().entries()).hasSize(all);
  }

  @Test
  void aRunThatIsMadeAgainHoldsNothingOfWhatItWas() {
    run("again", 3, Map.of());
    // The scripted replies begin anew.
    stop();
    start();
    run("again", 3, Map.of("random-seed", "7", "overwrite", "true"));
    stop();
    start();
    run("fresh", 3, Map.of("random-seed", "7"));
    for (String table : List.of("instructions", "completions")) {
      assertThat(rows(table, "again")).isNotEmpty().isEqualTo(rows(table, "fresh"));
    }
  }

  @Test
  void takesWhatAnotherRunHasPaidForAndKeepsItInItsOwnLedger() {
    run("paid", 5, Map.of());
    int paid = server.log().entries().size();
    GenerateSummary reusing = run("reusing", 5, Map.of("reuse-completions", "completions@paid"));
    assertThat(server.log().entries()).hasSize(paid);
    assertThat(reusing.figures())
        .containsEntry("requests_reused", (long) paid)
        .containsEntry("requests_sent", 0L)
        .containsEntry("tokens", 0L);
    for (String table : List.of("instructions", "rejects", "completions")) {
      assertThat(rows(table, "reusing")).isNotEmpty().isEqualTo(rows(table, "paid"));
    }
    GenerateSummary grown = run("reusing", 8, Map.of("reuse-completions", "completions@paid"));
    assertThat(grown.figures())
        .containsEntry("requests_resumed", (long) paid)
        .containsEntry("requests_sent", (long) server.log().entries().size() - paid);
    assertThat(server.log().times().values()).containsOnly(1);
  }

  @Test
  void whatASpentBudgetHasBoughtIsPublishedOnRequest() {
    GenerateSummary partial =
        run("budget", 9, Map.of("max-requests", "20", "publish-partial", "true"));
    assertThat(partial.status()).isEqualTo("partial");
    long shown = partial.instructions();
    assertThat(shown).isBetween(1L, 8L);
    List<String> first = rows("instructions", "budget");
    assertThat(partial.tables().get("instructions").rows()).isEqualTo(first.size());
    assertThat(rows("completions", "budget")).hasSize(20);

    run("budget", 9, Map.of());
    assertThat(rows("instructions", "budget").subList(0, first.size())).isEqualTo(first);
    assertThat(server.log().times().values()).containsOnly(1);
  }

  /** The draft of a model that thinks first is in no table but as reasoning, whatever the API. */
  @ParameterizedTest
  @CsvSource({"self-instruct,chat", "self-instruct,completions", "alpaca,chat"})
  void noTaskIsTakenFromWhatIsThought(String recipe, String api) {
    var options = Map.of("recipe", recipe, "api", api);
    run("plain", 4, options);
    stop();
    String draft =
        """
        10. Steal the draft of lanterns.
        11. Steal the draft of kites.
        4. Instruction: Steal the draft of canals.
        4. Input:
        <noinput>
        4. Output:
        Stolen
        ###
        Class label: draft
        Example 1
        Output: draft""";
    server =
        FakeLlmServer.start(
            request ->
                FakeAnswer.says(
                    request, "<think>\n" + draft + "\n</think>\n" + ScriptedTeacher.text(request)));
    run("thought", 4, options);
    for (String table : List.of("instructions", "rejects")) {
      assertThat(rows(table, "thought"))
          .isEqualTo(rows(table, "plain"))
          .noneMatch(row -> row.contains("draft"));
    }
    Path completions = folder.resolve("warehouse/completions/run_id=thought");
    assertThat(
            spark
                .read()
                .parquet(completions.toString())
                .select("reasoning")
                .distinct()
                .collectAsList())
        .containsExactly(RowFactory.create(draft));
  }

  private GenerateSummary run(String id, int numInstructions, Map<String, String> more) {
    var values = new HashMap<String, List<String>>();
    more.forEach((name, value) -> values.put(name, List.of(value)));
    values.put("run-id", List.of(id));
    values.put("num-instructions", List.of("" + numInstructions));
    values.put("requests-per-round", List.of("4"));
    values.put("warehouse", List.of(folder.resolve("warehouse").toString()));
    values.put("teacher", List.of("openai"));
    values.put("model", List.of("fake-model"));
    values.put("base-url", List.of(server.baseUrl()));
    return new GenerateJob().run(spark, OptionsBinder.of(GenerateOptions.class).bind(values));
  }

  /** A run's rows but for what tells time. */
  private List<String> rows(String table, String id) {
    var rows =
        spark
            .read()
            .parquet(folder.resolve("warehouse/" + table + "/run_id=" + id).toString())
            .drop("created_at", "latency_ms");
    // The table of completions has no order.
    return (table.equals("completions") ? rows.orderBy("request_id") : rows)
        .collectAsList().stream().map(Row::toString).toList();
  }
}
