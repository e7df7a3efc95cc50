package dev.distillery.spark.fanout;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.teacher.testing.FakeLlmMain;
import dev.distillery.core.teacher.testing.FakeLlmProcess;
import dev.distillery.core.teacher.testing.RequestLog;
import dev.distillery.spark.testing.LocalSpark;
import dev.distillery.spark.testing.StandaloneCluster;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of requests when real processes die; two executor JVMs and a driver of its own. */
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class FanoutClusterIT {
  private static final String CANARY = "canary-key-4711-0815";
  private static final int UI_PORT = StandaloneCluster.freePort();
  private static final long COUNT = 400;

  private static StandaloneCluster cluster;

  @TempDir Path folder;

  @BeforeAll
  static void startCluster() {
    cluster = StandaloneCluster.start(2, 1);
  }

  @AfterAll
  static void stopCluster() {
    cluster.close();
  }

  @Test
  void aKilledExecutorAndAKilledDriverLoseAndRepeatNothingButWhatWasInFlight() throws Exception {
    try (FakeLlmProcess server = FakeLlmProcess.start("--latency-ms", "300", "--key", CANARY)) {
      Process first = submit(server, "first.log");
      awaitRequests(server, 80, first);
      assertKeyIsNotInSight();
      cluster.executors().get(0).destroyForcibly();
      awaitRequests(server, 200, first);
      first.destroyForcibly().waitFor();
      awaitQuiet(server);

      Process second = submit(server, "second.log");
      String output = assertComplete(second, "second.log", server, COUNT);
      // The executor died with requests in flight.
      assertThat(server.requests()).hasSizeGreaterThan((int) COUNT);
      assertThat(figure(output, "requests_lost_in_flight")).isLessThan(COUNT / 2);
      assertThat(figure(output, "requests_resumed")).isGreaterThan(50);
      assertKeyIsNowhere();
    }
  }

  /**
   * As many kills as {@code -Dsoak.kills} says, of an executor, of the driver or of both, whenever
   * chance wants; the seed is in the name of the folder's logs.
   */
  @Test
  @EnabledIfSystemProperty(named = "soak.kills", matches = "[1-9]\\d*", disabledReason = "a soak")
  void killsAtRandomMomentsLoseAndRepeatNothingButWhatWasInFlight() throws Exception {
    int kills = Integer.getInteger("soak.kills");
    long count = 150L * (kills + 1);
    long seed = Long.getLong("soak.seed", 7);
    var random = new Random(seed);
    try (FakeLlmProcess server = FakeLlmProcess.start("--latency-ms", "150", "--key", CANARY)) {
      for (int i = 0; i < kills; i++) {
        Process driver = submit(server, "soak-" + seed + "-" + i + ".log", "count=" + count);
        int seen = server.stats().get("requests").asInt();
        awaitRequests(server, seen + 1 + random.nextInt(120), driver);
        if (random.nextBoolean()) {
          List<ProcessHandle> executors = cluster.executors();
          executors.get(random.nextInt(executors.size())).destroyForcibly();
          Thread.sleep(random.nextInt(3000));
        }
        driver.destroyForcibly().waitFor();
        awaitQuiet(server);
        System.err.printf(
            "soak: kill %d of %d at %s requests%n",
            i + 1, kills, server.stats().get("requests").asInt());
      }
      Process last = submit(server, "soak-last.log", "count=" + count);
      assertComplete(last, "soak-last.log", server, count);
    }
  }

  /** Every request is answered once, and what the server saw twice was in flight at a kill. */
  private String assertComplete(Process driver, String log, FakeLlmProcess server, long count)
      throws Exception {
    assertThat(driver.waitFor(6, TimeUnit.MINUTES)).isTrue();
    String output = Files.readString(folder.resolve(log));
    assertThat(driver.exitValue()).as(output).isZero();
    Dataset<Row> entries = ledger().entries();
    assertThat(entries.select("request_id").distinct().count()).isEqualTo(count);
    List<RequestLog.Entry> seen = server.requests();
    Map<String, Long> times =
        seen.stream().collect(Collectors.groupingBy(RequestLog.Entry::id, Collectors.counting()));
    assertThat((long) times.size()).isEqualTo(count);
    // In flight, at most: leases of both tasks, twice, and what each had not yet written.
    assertThat((long) seen.size() - times.size())
        .isLessThanOrEqualTo(figure(output, "requests_lost_in_flight"));
    long inLedger =
        LedgerReader.onePerRequest(entries)
            .agg(Map.of("completion_tokens", "sum"))
            .head()
            .getLong(0);
    long entriesInAll = entries.agg(Map.of("completion_tokens", "sum")).head().getLong(0);
    long lostReplies =
        seen.stream().mapToLong(RequestLog.Entry::completionTokens).sum() - entriesInAll;
    // Every reply says as much, so that tokens count replies.
    assertThat(lostReplies).isEqualTo((seen.size() - entries.count()) * (inLedger / count));
    return output;
  }

  /** Looks at every process's command line and at the pages of the driver that is at work. */
  private static void assertKeyIsNotInSight() throws Exception {
    assertThat(
            ProcessHandle.allProcesses()
                .map(process -> process.info().commandLine().orElse(""))
                .filter(line -> line.contains(ClusterDriver.class.getName())))
        .isNotEmpty()
        .noneMatch(line -> line.contains(CANARY) && !line.contains(FakeLlmMain.class.getName()));
    HttpClient client = HttpClient.newHttpClient();
    for (String page : List.of("environment/", "jobs/", "stages/", "executors/", "metrics/json/")) {
      var request =
          HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + UI_PORT + "/" + page)).build();
      HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
      assertThat(answer.statusCode()).as(page).isEqualTo(200);
      assertThat(answer.body()).as(page).isNotEmpty().doesNotContain(CANARY);
    }
  }

  private void assertKeyIsNowhere() throws IOException {
    try (var files = Files.walk(folder)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        assertThat(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1))
            .as(file.toString())
            .doesNotContain(CANARY);
      }
    }
    try (var files = Files.walk(cluster.folder())) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        assertThat(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1))
            .as(file.toString())
            .doesNotContain(CANARY);
      }
    }
  }

  private Process submit(FakeLlmProcess server, String log, String... more) throws IOException {
    List<String> args =
        new ArrayList<>(
            List.of(
                "ledger=" + folder.resolve("ledger").toUri(),
                "url=" + server.baseUrl(),
                "count=" + COUNT,
                "concurrency=16"));
    args.addAll(List.of(more));
    Path events = Files.createDirectories(folder.resolve("events"));
    return cluster.submit(
        ClusterDriver.class,
        Map.of(
            "spark.plugins",
            FanoutPlugin.class.getName(),
            "spark.eventLog.enabled",
            "true",
            "spark.eventLog.dir",
            events.toUri().toString(),
            "spark.ui.port",
            "" + UI_PORT),
        Map.of("FANOUT_TEST_KEY", CANARY),
        folder.resolve(log),
        args.toArray(String[]::new));
  }

  private LedgerReader ledger() {
    return new LedgerReader(
        LocalSpark.session(),
        new org.apache.hadoop.fs.Path(folder.resolve("ledger").resolve("run").toUri()));
  }

  private void awaitRequests(FakeLlmProcess server, int count, Process driver) {
    StandaloneCluster.await(
        () -> server.stats().get("requests").asInt() >= count || !driver.isAlive(),
        Duration.ofMinutes(4),
        count + " requests");
    assertThat(driver.isAlive()).as("the driver; see " + folder).isTrue();
  }

  /** Waits until the executors of the dead driver have ended, so that nothing more is sent. */
  private static void awaitQuiet(FakeLlmProcess server) {
    StandaloneCluster.await(
        () -> cluster.executors().isEmpty(), Duration.ofMinutes(2), "the executors to end");
    assertThat(server.stats().get("requests").asInt()).isPositive();
  }

  private static long figure(String output, String name) {
    var matcher = Pattern.compile(name + "=(\\d+)").matcher(output);
    assertThat(matcher.find()).as(name + " in " + output).isTrue();
    return Long.parseLong(matcher.group(1));
  }
}
