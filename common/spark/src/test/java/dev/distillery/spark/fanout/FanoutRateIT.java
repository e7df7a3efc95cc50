package dev.distillery.spark.fanout;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.teacher.testing.FakeLlmProcess;
import dev.distillery.core.teacher.testing.RequestLog;
import dev.distillery.spark.testing.StandaloneCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The rate limit of a run, over executors of which some are slow. */
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class FanoutRateIT {
  private static final int PER_MINUTE = 600;

  /** A minute and a quarter; {@code -Drate.requests} for longer. */
  private static final int REQUESTS = Integer.getInteger("rate.requests", 750);

  @TempDir Path folder;

  @Test
  void fourExecutorsOfUnequalSpeedStayTogetherBelowTheLimitInEveryMinute() throws Exception {
    try (FakeLlmProcess server = FakeLlmProcess.start("--latency-ms", "50");
        StandaloneCluster cluster = StandaloneCluster.start(4, 1)) {
      Path log = folder.resolve("driver.log");
      Process driver =
          cluster.submit(
              ClusterDriver.class,
              Map.of("spark.plugins", FanoutPlugin.class.getName()),
              Map.of(),
              log,
              "ledger=" + folder.resolve("ledger").toUri(),
              "url=" + server.baseUrl(),
              "count=" + REQUESTS,
              "rpm=" + PER_MINUTE,
              "concurrency=32");
      StandaloneCluster.await(
          () -> server.stats().get("requests").asInt() >= 20 || !driver.isAlive(),
          Duration.ofMinutes(3),
          "the first requests");
      List<ProcessHandle> slow = cluster.executors().stream().limit(2).toList();
      assertThat(slow).as(Files.readString(log)).hasSize(2);
      // One works a third of the time, the other a sixth.
      for (int turn = 0; driver.isAlive(); turn++) {
        signal(turn % 3 == 0 ? "CONT" : "STOP", slow.get(0));
        signal(turn % 6 == 0 ? "CONT" : "STOP", slow.get(1));
        Thread.sleep(50);
      }
      assertThat(driver.waitFor()).as(Files.readString(log)).isZero();

      List<Long> times =
          server.requests().stream().map(RequestLog.Entry::arrivalMillis).sorted().toList();
      assertThat(times).hasSize(REQUESTS);
      int most = mostWithin(times, 60_000);
      int mostInASecond = mostWithin(times, 1000);
      double minutes = (times.get(times.size() - 1) - times.get(0)) / 60_000.0;
      System.err.printf(
          "rate: %d requests in %.2f minutes, %.0f a minute; at most %d in 60 s and %d in 1 s%n",
          REQUESTS, minutes, (REQUESTS - 1) / minutes, most, mostInASecond);
      assertThat(most).isLessThanOrEqualTo(PER_MINUTE * 105 / 100);
    }
  }

  private static void signal(String name, ProcessHandle process)
      throws IOException, InterruptedException {
    new ProcessBuilder("kill", "-" + name, "" + process.pid())
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start()
        .waitFor();
  }

  /** The most of the times, in their order, that lie within so many milliseconds. */
  private static int mostWithin(List<Long> times, long millis) {
    int most = 0;
    int first = 0;
    for (int i = 0; i < times.size(); i++) {
      while (times.get(i) - times.get(first) >= millis) {
        first++;
      }
      most = Math.max(most, i - first + 1);
    }
    return most;
  }
}
