package dev.distillery.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.core.teacher.testing.FetchedModel;
import dev.distillery.core.teacher.testing.LlamaCppServer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Job complete by its real command line, with a real server of llama.cpp. */
class CompleteIT {
  @TempDir Path folder;

  private Launched complete(String name, LlamaCppServer server, String... more) {
    var args =
        new ArrayList<>(
            List.of(
                "complete",
                "--warehouse",
                folder.resolve("warehouse").toString(),
                "--run-id",
                name,
                "--teacher",
                "openai",
                "--base-url",
                server.baseUrl(),
                "--model",
                LlamaCppServer.MODEL,
                "--max-new-tokens",
                "24"));
    args.addAll(List.of(more));
    return Launched.run(folder.resolve(name), Map.of(), args.toArray(String[]::new)).succeeded();
  }

  @Test
  void aRealServerAnswersRowsInStructureAndItsRepliesServeAnotherRun() throws Exception {
    Path input =
        Files.writeString(
            folder.resolve("rows.jsonl"),
            """
            {"id": "a", "instruction": "Is water wet?"}
            {"id": "b", "prompt": "Is fire cold?"}
            {"id": "c", "messages": [{"role": "user", "content": "Is ice warm?"}]}
            """);
    String[] asked = {
      "--input", input.toString(),
      "--samples", "2",
      "--temperature", "0.7",
      "--extra-body", "{\"grammar\": \"root ::= \\\"yes\\\" | \\\"no\\\"\"}"
    };
    Optional<Path> model = FetchedModel.path();
    Assumptions.assumeTrue(model.isPresent(), "submit/fetch-model cannot bring the model");
    try (LlamaCppServer server = LlamaCppServer.start(model.orElseThrow())) {
      JsonNode summary = complete("first", server, asked).summary();
      assertThat(summary.path("figures").path("requests_sent").asInt()).isEqualTo(6);
      assertThat(
              DuckDb.rows(
                  "SELECT id, text, finish_reason, completion_tokens > 0 FROM read_parquet('"
                      + folder.resolve("warehouse/completions/run_id=first")
                      + "/*.parquet') ORDER BY id"))
          .hasSize(6)
          .allMatch(row -> row.matches("[abc]\\|(yes|no)\\|stop\\|true"));

      var again = new ArrayList<>(List.of(asked));
      again.addAll(List.of("--reuse-completions", "completions@first"));
      JsonNode second = complete("second", server, again.toArray(String[]::new)).summary();
      assertThat(second.path("figures").path("requests_reused").asInt()).isEqualTo(6);
      assertThat(second.path("figures").path("requests_sent").asInt()).isZero();
      assertThat(second.path("tables").path("completions").path("rows").asInt()).isEqualTo(6);

      Launched single =
          complete(
              "single", server, "--prompt", "Say yes.", "--extra-body", asked[asked.length - 1]);
      assertThat(single.out().lines().toList().get(0)).isIn("yes", "no");
    }
  }
}
