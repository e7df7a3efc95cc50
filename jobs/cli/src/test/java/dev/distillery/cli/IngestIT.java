package dev.distillery.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.spark.testing.StandaloneCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Job ingest by its real command line. */
class IngestIT {
  private static final int ROWS = 16_000;

  @TempDir Path folder;

  /** The executors die at work, with the blocks and shuffles that they held. */
  @Test
  void executorsThatDieChangeNoRow() throws Exception {
    Path input = write(folder.resolve("dialogues.jsonl"));
    JsonNode here = ingest("here", input, Map.of(), "--master", "local[2]");
    JsonNode there;
    var killed = new AtomicInteger();
    try (StandaloneCluster cluster = StandaloneCluster.start(2, 1)) {
      var killer = new Thread(() -> killExecutors(cluster, killed));
      killer.start();
      there =
          ingest(
              "there",
              input,
              Map.of("SPARK_HOME", StandaloneCluster.sparkHome().toString()),
              "--master",
              cluster.masterUrl(),
              "--conf",
              "spark.executor.memory=512m");
      killer.interrupt();
      killer.join();
    }
    assertThat(killed).hasPositiveValue();
    // Where the first of three equal lines is cut off, the next of them is the first.
    assertThat(here.path("figures").path("units_duplicate").asInt())
        .isEqualTo(ROWS / 10 - ROWS / 2000);
    assertThat(here.path("rejects").path("invalid_json").asInt()).isEqualTo(ROWS / 1000);
    assertThat(there.path("figures")).isEqualTo(here.path("figures"));
    for (String table : List.of("conversations", "duplicates", "rejects")) {
      assertThat(rows(there, table)).isEqualTo(rows(here, table));
    }
  }

  /** Every tenth row is an earlier one, and every thousandth a line that is cut off. */
  private static Path write(Path file) throws IOException {
    try (var out = Files.newBufferedWriter(file)) {
      for (int i = 0; i < ROWS; i++) {
        int base = i % 10 == 9 ? i / 10 * 10 / 2 / 10 * 10 : i;
        String row =
            String.format(
                Locale.ROOT,
                """
                {"id": "d%1$d", "conversations": [{"from": "human", "value": "What is %1$d, and why?"}, \
                {"from": "gpt", "value": "<p>It is <strong>%1$d</strong>.</p>%2$s"}]}\
                """,
                base,
                "<p>One more <em>word</em> on it.</p>".repeat(8 + base % 17));
        out.write(i % 1000 == 500 ? row.substring(0, 60) : row);
        out.write('\n');
      }
    }
    return file;
  }

  /** Kills an executor once tasks have ended, and one more once one that came after it works. */
  private static void killExecutors(StandaloneCluster cluster, AtomicInteger killed) {
    try {
      while (killed.get() < 2) {
        Thread.sleep(50);
        long worked =
            cluster.executorLogs().stream().filter(log -> log.contains("Finished task")).count();
        List<ProcessHandle> executors = cluster.executors();
        if (worked > killed.get() + 1 && executors.size() == 2) {
          executors.get(killed.get()).destroyForcibly();
          killed.incrementAndGet();
        }
      }
    } catch (InterruptedException e) {
      // The job has ended.
    }
  }

  private JsonNode ingest(
      String name, Path input, Map<String, String> environment, String... spark) {
    var args =
        new ArrayList<>(
            List.of(
                "ingest",
                "--source",
                "sharegpt",
                "--input",
                input.toString(),
                "--split-bytes",
                "524288",
                "--warehouse",
                folder.resolve("warehouse").toString(),
                "--run-id",
                name,
                "--"));
    args.addAll(List.of(spark));
    return Launched.run(folder.resolve(name), environment, args.toArray(String[]::new))
        .succeeded()
        .summary();
  }

  /** All rows of a table as text, in the order of their ids. */
  private static List<String> rows(JsonNode summary, String table) throws SQLException {
    String path = summary.path("tables").path(table).path("path").asText().replace("file:", "");
    return DuckDb.rows(
        "SELECT * FROM read_parquet('%s/*.parquet', hive_partitioning = false) ORDER BY ALL"
            .formatted(path));
  }
}
