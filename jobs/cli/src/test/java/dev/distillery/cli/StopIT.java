package dev.distillery.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.core.teacher.testing.FakeAnswer;
import dev.distillery.core.teacher.testing.FakeLlmServer;
import dev.distillery.core.teacher.testing.FetchedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What SIGTERM and a second one do to a job of the real command line. */
@Timeout(value = 6, unit = TimeUnit.MINUTES)
class StopIT {
  private static final int ANSWERED = 5;

  @TempDir Path folder;
  private Path prompts = Path.of("");

  @BeforeEach
  void write() throws IOException {
    prompts = written("prompts.jsonl", i -> "Question " + i);
  }

  private Path written(String name, IntFunction<String> prompt) throws IOException {
    return Files.writeString(
        folder.resolve(name),
        IntStream.range(0, 40)
            .mapToObj(i -> "{\"id\": \"p" + i + "\", \"prompt\": \"" + prompt.apply(i) + "\"}\n")
            .collect(Collectors.joining()));
  }

  @Test
  void whatIsInFlightIsKeptAndTheCommandThatIsToldGoesOn() throws Exception {
    var asked = new AtomicInteger();
    var held = new CountDownLatch(1);
    try (FakeLlmServer server =
        FakeLlmServer.start(
            request -> {
              if (asked.incrementAndGet() > ANSWERED) {
                await(held);
              }
              return FakeAnswer.says(request, "An answer");
            })) {
      String[] args = args(server, "--grace", "60");
      Process process = Launched.start(folder, key(), args);
      awaitAsked(asked, ANSWERED + 2, process);
      // Twice at once, as timeout tells a process and then its group.
      process.destroy();
      process.destroy();
      // The driver stops its grants when its tasks next ask: then what they hold may come.
      Thread.sleep(1000);
      held.countDown();
      assertThat(process.waitFor(2, TimeUnit.MINUTES)).isTrue();
      String err = Files.readString(folder.resolve("err"));
      assertThat(process.exitValue()).as(err).isEqualTo(143);
      int kept = asked.get();
      assertThat(kept).isLessThan(40);
      assertThat(err)
          .contains(
              "Stopped by SIGTERM: "
                  + kept
                  + " of 40 requests are answered and in the ledger; give the run id stopped again"
                  + " to go on: distillery complete --input "
                  + prompts)
          .contains("(exit 143)")
          .doesNotContain("Exception")
          .doesNotContain("\tat ");
      JsonNode summary = new Launched(143, Files.readString(folder.resolve("out")), err).summary();
      assertThat(summary.path("status").asText()).isEqualTo("partial");
      assertThat(summary.path("exit_code").asInt()).isEqualTo(143);
      assertThat(summary.path("figures").path("requests_answered").asInt()).isEqualTo(kept);

      JsonNode done = Launched.run(folder.resolve("again"), key(), args).succeeded().summary();
      assertThat(done.path("figures").path("requests_resumed").asInt()).isEqualTo(kept);
      assertThat(asked).hasValue(40);
    }
  }

  @Test
  void aSecondSignalEndsItAtOnce() throws Exception {
    var asked = new AtomicInteger();
    var held = new CountDownLatch(1);
    try (FakeLlmServer server =
        FakeLlmServer.start(
            request -> {
              asked.incrementAndGet();
              await(held);
              return FakeAnswer.says(request, "An answer");
            })) {
      Process process =
          Launched.start(folder, key(), args(server, "--grace", "3600", "--exit-on-signal", "75"));
      awaitAsked(asked, 1, process);
      process.destroy();
      Thread.sleep(1500);
      assertThat(process.isAlive()).isTrue();
      process.destroy();
      assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
      assertThat(process.exitValue()).isEqualTo(75);
      held.countDown();
    }
  }

  @Test
  void llamaCppIsStoppedBeforeItsLibraryGoes() throws Exception {
    Optional<Path> model = FetchedModel.path();
    Assumptions.assumeTrue(model.isPresent(), "submit/fetch-model cannot bring the model");
    // The model repeats itself here as long as it may: no answer ends of itself.
    String endless = "Continue: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,";
    Path asked = written("endless.jsonl", i -> endless);
    Process process =
        Launched.start(
            folder,
            Map.of(),
            "complete",
            "--input",
            asked.toString(),
            "--teacher",
            "gguf",
            "--model",
            model.orElseThrow().toString(),
            "--max-new-tokens",
            "4000",
            "--grace",
            "0",
            "--warehouse",
            folder.resolve("warehouse").toString());
    Launched.await(() -> read("err").contains("/40 requests, "), process, "a request to llama.cpp");
    process.destroy();
    assertThat(process.waitFor(2, TimeUnit.MINUTES)).isTrue();
    assertThat(process.exitValue()).as(read("err")).isEqualTo(143);
    assertThat(read("err"))
        .contains("of 40 requests are answered and in the ledger, 1 in flight were given up")
        .doesNotContain("SIGSEGV")
        .doesNotContain("\tat ");
    try (Stream<Path> files = Files.list(Path.of(""))) {
      assertThat(files).noneMatch(file -> file.toString().startsWith("hs_err"));
    }
  }

  private String[] args(FakeLlmServer server, String... more) {
    return Stream.concat(
            Stream.of(
                "complete",
                "--input",
                prompts.toString(),
                "--teacher",
                "openai",
                "--model",
                "fake-model",
                "--base-url",
                server.baseUrl(),
                "--concurrency",
                "4",
                "--run-id",
                "stopped",
                "--warehouse",
                folder.resolve("warehouse").toString()),
            Stream.of(more))
        .toArray(String[]::new);
  }

  private static Map<String, String> key() {
    return Map.of("OPENAI_API_KEY", "none");
  }

  private void awaitAsked(AtomicInteger asked, int number, Process process) {
    Launched.await(() -> asked.get() >= number, process, number + " requests; " + read("err"));
  }

  private String read(String name) {
    try {
      return Files.exists(folder.resolve(name)) ? Files.readString(folder.resolve(name)) : "";
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(3, TimeUnit.MINUTES)).isTrue();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
