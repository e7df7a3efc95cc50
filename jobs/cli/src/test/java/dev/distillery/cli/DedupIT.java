package dev.distillery.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.spark.testing.StandaloneCluster;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Job dedup by its real command line. */
class DedupIT {
  /** More than one thread decides alone, so that the cluster's executors do the join. */
  private static final int ROWS = 510_000;

  @TempDir Path folder;

  /** Also where executors die at work, with all that they held. */
  @Test
  void twoExecutorsOfAStandaloneClusterKeepWhatOneMachineKeeps() throws Exception {
    Path input = folder.resolve("rows.jsonl");
    var random = new SplittableRandom(11);
    try (var out = Files.newBufferedWriter(input)) {
      for (int i = 0; i < ROWS; i++) {
        // Every tenth row is an earlier one but for its last word.
        int base = i % 10 == 9 ? random.nextInt(i / 10 + 1) : i;
        var words = new SplittableRandom(base);
        var text = new StringBuilder();
        for (int k = 0; k < 9; k++) {
          text.append("w").append(words.nextInt(40_000)).append(' ');
        }
        text.append(i == base ? "end" : "else");
        out.write(
            String.format(Locale.ROOT, "{\"id\":\"%06d\",\"instruction\":\"%s\"}%n", i, text));
      }
    }
    JsonNode here = dedup("here", input, Map.of(), "--master", "local[2]");
    JsonNode there;
    var killed = new AtomicInteger();
    try (StandaloneCluster cluster = StandaloneCluster.start(2, 1)) {
      var killer = new Thread(() -> killExecutors(cluster, killed));
      killer.start();
      there =
          dedup(
              "there",
              input,
              Map.of("SPARK_HOME", StandaloneCluster.sparkHome().toString()),
              "--master",
              cluster.masterUrl(),
              "--conf",
              "spark.executor.memory=1g",
              "--conf",
              "spark.sql.shuffle.partitions=7");
      killer.interrupt();
      killer.join();
    }
    assertThat(killed).hasPositiveValue();
    assertThat(here.path("figures").path("duplicates").asInt()).isGreaterThan(ROWS / 20);
    assertThat(there.path("figures")).isEqualTo(here.path("figures"));
    for (String table : List.of("instructions", "duplicates")) {
      assertThat(rows(there, table)).isEqualTo(rows(here, table));
    }
  }

  /** Kills one of two executors, twice, some seconds after both began. */
  private static void killExecutors(StandaloneCluster cluster, AtomicInteger killed) {
    try {
      while (killed.get() < 2) {
        while (cluster.executors().size() < 2) {
          Thread.sleep(100);
        }
        Thread.sleep(7_000);
        List<ProcessHandle> executors = cluster.executors();
        if (!executors.isEmpty()) {
          executors.get(killed.get() % executors.size()).destroyForcibly();
          killed.incrementAndGet();
        }
      }
    } catch (InterruptedException e) {
      // The job has ended.
    }
  }

  private JsonNode dedup(String name, Path input, Map<String, String> environment, String... spark)
      throws Exception {
    var args =
        new ArrayList<>(
            List.of(
                "dedup",
                "--input",
                input.toString(),
                "--warehouse",
                folder.resolve("warehouse").toString(),
                "--run-id",
                name,
                "--",
                "--driver-memory",
                "2g"));
    args.addAll(List.of(spark));
    return Launched.run(folder.resolve(name), environment, args.toArray(String[]::new)).summary();
  }

  /** All rows of a table as text, in the order of their ids. */
  private static List<String> rows(JsonNode summary, String table) throws SQLException {
    String path = summary.path("tables").path(table).path("path").asText().replace("file:", "");
    return DuckDb.rows(
        "SELECT * FROM read_parquet('%s/*.parquet', hive_partitioning = false) ORDER BY id"
            .formatted(path));
  }
}
