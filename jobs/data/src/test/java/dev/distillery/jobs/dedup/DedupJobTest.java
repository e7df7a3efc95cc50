package dev.distillery.jobs.dedup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.distillery.core.run.JobException;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.spark.testing.LocalSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DedupJobTest {
  @TempDir Path folder;

  private String file(String name, String... lines) throws IOException {
    return Files.write(folder.resolve(name), List.of(lines)).toString();
  }

  private DedupSummary run(Map<String, String> options) {
    Map<String, List<String>> given = new HashMap<>();
    options.forEach((name, value) -> given.put(name, List.of(value)));
    given.put("warehouse", List.of(folder.resolve("warehouse").toString()));
    return new DedupJob()
        .run(LocalSpark.session(), OptionsBinder.of(DedupOptions.class).bind(given));
  }

  private static Dataset<Row> read(DedupSummary summary, String table) {
    return LocalSpark.session().read().parquet(summary.tables().get(table).path());
  }

  @Test
  void writesKeptRowsDuplicatesAndRejects() throws IOException {
    String input =
        file(
            "rows.jsonl",
            "{\"id\":\"1\",\"instruction\":\"Write a poem about the sea.\",\"note\":5}",
            "{\"id\":\"2\",\"instruction\":\"write a poem about the deep sea\",\"note\":6}",
            "{\"id\":\"3\",\"instruction\":\"Name three colours\",\"note\":7}",
            "{\"id\":\"4\",\"instruction\":\"\",\"note\":8}",
            "{\"id\":\"5\",\"instruction\":null,\"note\":9}",
            "{\"instruction\":\"No id\",\"note\":10}");
    String pool = file("pool.jsonl", "{\"id\":\"s\",\"instruction\":\"name three colours\"}");
    DedupSummary summary = run(Map.of("input", input, "against", pool));
    assertThat(summary.figures())
        .containsEntry("in", 6L)
        .containsEntry("kept", 3L)
        .containsEntry("duplicates", 2L)
        .containsEntry("without_tokens", 2L)
        .containsEntry("against", 1L);
    assertThat(summary.rejects()).containsExactly(Map.entry("missing_id", 1L));
    assertThat(read(summary, "instructions").select("id", "note").collectAsList())
        .extracting(Row::toString)
        .containsExactlyInAnyOrder("[1,5]", "[4,8]", "[5,9]");
    assertThat(read(summary, "duplicates").collectAsList())
        .extracting(Row::toString)
        .containsExactlyInAnyOrder("[2,1,0.923076923076923,rouge-l]", "[3,s,1.0,rouge-l]");
    Row reject = read(summary, "rejects").select("rule", "row").head();
    assertThat(reject.getString(0)).isEqualTo("missing_id");
    assertThat(reject.getString(1)).contains("\"instruction\":\"No id\"", "\"note\":10");
  }

  @Test
  void messagesAreComparedWhole() throws IOException {
    String input =
        file(
            "dialogues.jsonl",
            "{\"id\":\"1\",\"messages\":[{\"role\":\"user\",\"content\":\"tell me of the sea\"},"
                + "{\"role\":\"assistant\",\"content\":\"it is deep\"}]}",
            "{\"id\":\"2\",\"messages\":[{\"role\":\"user\",\"content\":\"tell me of the sea\"},"
                + "{\"role\":\"assistant\",\"content\":\"it is wide\"}]}",
            "{\"id\":\"3\",\"messages\":[{\"role\":\"user\",\"content\":\"tell me of the sea\"},"
                + "{\"role\":\"assistant\",\"content\":\"no more questions please i am tired\"}]}");
    DedupSummary summary = run(Map.of("input", input, "table", "conversations"));
    assertThat(read(summary, "duplicates").collectAsList())
        .extracting(Row::toString)
        .containsExactly("[2,1,0.875,rouge-l]");
  }

  @Test
  void orderAndColumnsAreTheUsers() throws IOException {
    String input =
        file(
            "rows.jsonl",
            "{\"id\":\"1\",\"instruction\":\"add\",\"input\":\"one two three\",\"rank\":2}",
            "{\"id\":\"2\",\"instruction\":\"add\",\"input\":\"one two three\",\"rank\":1}",
            "{\"id\":\"3\",\"instruction\":\"add\",\"input\":\"four five six\",\"rank\":3}");
    DedupSummary summary =
        run(
            Map.of(
                "input",
                input,
                "columns",
                "instruction,input",
                "order-by",
                "rank",
                "output-table",
                "clean"));
    assertThat(read(summary, "clean").select("id").collectAsList())
        .extracting(Row::toString)
        .containsExactlyInAnyOrder("[2]", "[3]");
    assertThat(read(summary, "duplicates").select("id", "kept_id").collectAsList())
        .extracting(Row::toString)
        .containsExactly("[1,2]");
  }

  @Test
  void minhashFindsNoPairThatIsNotThere() throws IOException {
    String input =
        file(
            "rows.jsonl",
            "{\"id\":\"1\",\"instruction\":\"write a poem about the deep blue sea\"}",
            "{\"id\":\"2\",\"instruction\":\"write a poem about the deep blue sea now\"}",
            "{\"id\":\"3\",\"instruction\":\"sea blue deep the about poem a write\"}",
            "{\"id\":\"4\",\"instruction\":\"name three colours\"}");
    DedupSummary summary = run(Map.of("input", input, "metric", "minhash"));
    assertThat(summary.figures()).containsEntry("kept", 3L);
    assertThat(read(summary, "duplicates").select("id", "rule").collectAsList())
        .extracting(Row::toString)
        .containsExactly("[2,minhash]");
  }

  @Test
  void minhashIsEvaluatedAgainstTheExactGate() throws IOException {
    // Eight words, one of them another: ROUGE-L 0.875. One table of hashes misses many such pairs.
    String[] lines = new String[120];
    for (int i = 0; i < lines.length; i++) {
      lines[i] =
          String.format(
              Locale.ROOT,
              "{\"id\":\"%03d\",\"instruction\":\"a%d b%d c%d d%d e%d f%d g%d h%d\"}",
              i,
              i / 2,
              i / 2,
              i / 2,
              i / 2,
              i / 2,
              i / 2,
              i / 2,
              i);
    }
    DedupSummary summary =
        run(
            Map.of(
                "input",
                file("rows.jsonl", lines),
                "metric",
                "minhash",
                "minhash-tables",
                "1",
                "evaluate",
                "true"));
    long dropped = summary.duplicates();
    assertThat(dropped).isBetween(1L, 59L);
    assertThat(summary.figures())
        .containsEntry("exact_duplicates", 60L)
        .containsEntry("precision", 1.0)
        .containsEntry("recall", dropped / 60.0);
  }

  @Test
  void neighborsAreATableOfTheirOwn() throws IOException {
    String input =
        file(
            "rows.jsonl",
            "{\"id\":\"1\",\"instruction\":\"write a poem about the sea\"}",
            "{\"id\":\"2\",\"instruction\":\"write a poem about the deep sea\"}",
            "{\"id\":\"3\",\"instruction\":\"write a song about the sea\"}",
            "{\"id\":\"4\",\"instruction\":\"name three colours\"}");
    DedupSummary summary = run(Map.of("input", input, "neighbors", "1"));
    assertThat(read(summary, "neighbors").collectAsList())
        .extracting(Row::toString)
        .containsExactlyInAnyOrder(
            "[1,2,1,0.923076923076923]", "[2,1,1,0.923076923076923]", "[3,1,1,0.8333333333333334]");
    assertThat(run(Map.of("input", input)).tables()).doesNotContainKey("neighbors");
  }

  @Test
  void columnThatIsNoTextIsRefused() throws IOException {
    String input = file("rows.jsonl", "{\"id\":\"1\",\"instruction\":\"a\",\"rank\":2}");
    assertThatThrownBy(() -> run(Map.of("input", input, "columns", "rank")))
        .isInstanceOf(JobException.class)
        .hasMessage(
            "Option --columns: column 'rank' must be a string, an array of strings or an array of"
                + " messages, found bigint");
  }
}
