package dev.distillery.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.core.teacher.testing.FakeLlmServer;
import dev.distillery.core.teacher.testing.FakeScript;
import dev.distillery.spark.testing.S3Server;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A warehouse on a server that speaks S3. */
class ObjectStoreIT {
  @TempDir Path folder;

  @Test
  void theLedgerTheTablesAndTheRecordsLieInABucket() throws Exception {
    Path input =
        Files.writeString(
            folder.resolve("prompts.jsonl"),
            IntStream.range(0, 80)
                .mapToObj(
                    i ->
                        String.format(
                            Locale.ROOT, "{\"id\": \"%02d\", \"prompt\": \"Say %d\"}\n", i, i))
                .collect(Collectors.joining()));
    try (S3Server store = S3Server.start();
        FakeLlmServer server =
            FakeLlmServer.start(
                request -> FakeScript.echo().answer(request).after(Duration.ofMillis(200)))) {
      Launched poor = complete(store, server, input, "7");
      assertThat(poor.exitCode()).as(poor.err()).isEqualTo(5);
      Launched rich = complete(store, server, input, "100").succeeded();
      JsonNode figures = rich.summary().path("figures");
      assertThat(figures.path("requests_resumed").asInt()).isEqualTo(7);
      assertThat(rich.summary().path("tables").path("completions").path("rows").asInt())
          .isEqualTo(80);
      assertThat(server.log().times()).hasSize(80);
      assertThat(server.log().times().values()).containsOnly(1);
      // An object for each batch of replies and grants, merged at the end; those of the attempt
      // that
      // had ended shortly before are left.
      List<String> objects = store.keys("some/folder/_ledger/bucket/");
      assertThat(objects).filteredOn(key -> key.contains("-merged")).hasSize(2);
      assertThat(objects).hasSizeLessThan(40);
      Launched shown =
          launch("show", store, "show", "completions", "--warehouse", warehouse(), "--rows", "2");
      assertThat(shown.succeeded().out()).contains("Say ", "completions: 80 rows");
    }
  }

  private static String warehouse() {
    return "s3a://" + S3Server.BUCKET + "/some/folder";
  }

  private Launched complete(S3Server store, FakeLlmServer server, Path input, String requests) {
    return launch(
        "requests-" + requests,
        store,
        "complete",
        "--warehouse",
        warehouse(),
        "--run-id",
        "bucket",
        "--input",
        input.toString(),
        "--teacher",
        "openai",
        "--model",
        "fake-model",
        "--base-url",
        server.baseUrl(),
        "--max-requests",
        requests);
  }

  private Launched launch(String name, S3Server store, String... args) {
    var command = new ArrayList<>(List.of(args));
    command.add("--");
    store.settings().forEach((key, value) -> command.addAll(List.of("--conf", key + "=" + value)));
    Map<String, String> environment = new HashMap<>(store.environment());
    environment.put("OPENAI_API_KEY", "none");
    return Launched.run(folder.resolve(name), environment, command.toArray(String[]::new));
  }
}
