package dev.distillery.core.run;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;

class RunTest {
  private static final class SettableClock extends Clock {
    private Instant now = Instant.parse("2026-01-01T00:00:00Z");

    @Override
    public Instant instant() {
      return now;
    }

    @Override
    public ZoneId getZone() {
      return ZoneOffset.UTC;
    }

    @Override
    public Clock withZone(ZoneId zone) {
      return this;
    }
  }

  @Test
  void runIdsAreValidAndSortByTime() {
    var clock = new SettableClock();
    String first = RunId.create(clock);
    clock.now = clock.now.plusMillis(1);
    String second = RunId.create(clock);
    assertThat(RunId.isValid(first)).isTrue();
    assertThat(first).isLessThan(second);
    assertThat(List.of("", "1a", "_a", "a:b", "a/b", "a+b", "a".repeat(129)))
        .noneMatch(RunId::isValid);
    assertThat(RunId.isValid("a".repeat(128))).isTrue();
  }

  @Test
  void progressTellsRateAndTimeLeftAtMostOnceAnInterval() {
    var clock = new SettableClock();
    var bytes = new ByteArrayOutputStream();
    var progress =
        new Progress(
            "job",
            ProgressListener.on(new PrintStream(bytes, true, StandardCharsets.UTF_8)),
            clock,
            Duration.ofSeconds(2));
    progress.start("Asking", "requests", OptionalLong.of(100), 10);
    clock.now = clock.now.plusSeconds(1);
    progress.update(20, "");
    clock.now = clock.now.plusSeconds(9);
    progress.update(30, "2 errors");
    assertThat(bytes.toString(StandardCharsets.UTF_8))
        .isEqualTo(
            """
            [job] Asking: 10/100 requests
            [job] Asking: 30/100 requests, 2.0/s, 35 s left, 2 errors
            """);
  }

  /** A log of an hour is read in a minute. */
  @Test
  void aLogHasFewerLinesTheLongerAPhaseLasts() {
    var clock = new SettableClock();
    var bytes = new ByteArrayOutputStream();
    var progress =
        new Progress(
            "job",
            ProgressListener.inLog(new PrintStream(bytes, true, StandardCharsets.UTF_8)),
            clock,
            Duration.ofSeconds(2));
    var seconds = new ArrayList<Integer>();
    progress.start("Asking", "requests", OptionalLong.empty(), 0);
    for (int second = 1; second <= 3600; second++) {
      clock.now = clock.now.plusSeconds(1);
      int before = bytes.size();
      progress.update(second, "");
      if (bytes.size() > before) {
        seconds.add(second);
      }
    }
    progress.finish(3600, "");
    // Every 2 seconds up to 20, a tenth of the time up to 300, every 30 from there.
    assertThat(seconds).startsWith(2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 23, 26);
    assertThat(seconds).hasSizeBetween(130, 150).endsWith(3543, 3573);
    assertThat(bytes.toString(StandardCharsets.UTF_8).lines()).hasSize(seconds.size() + 2);
  }

  @Test
  void summaryIsOneLineWithItsOwnMembersLast() {
    var summary =
        new Example(
            new RunSummary(
                "dedup",
                "r1",
                "done",
                ExitCode.DONE,
                "",
                Map.of("instructions", new RunSummary.TableSummary("w/instructions/run_id=r1", 3)),
                Map.of("b", 1L, "a", 2L),
                "",
                1.23456),
            3,
            "num-instructions",
            "a member must not hide one of ours",
            Optional.of(new Costs(0.5, Optional.empty())),
            OptionalLong.empty());
    assertThat(summary.toJson().toString())
        .isEqualTo(
            "{\"job\":\"dedup\",\"run_id\":\"r1\",\"status\":\"done\",\"tables\":{\"instructions\":"
                + "{\"path\":\"w/instructions/run_id=r1\",\"rows\":3}},\"rejects\":{\"a\":2,\"b\":1},"
                + "\"figures\":{\"cost_usd\":0.5,\"kept\":3},\"seconds\":1.235,"
                + "\"stopped_by\":\"num-instructions\"}");
  }

  /** A summary as a job declares it. */
  record Example(
      RunSummary run,
      long kept,
      String stoppedBy,
      String job,
      Optional<Costs> costs,
      OptionalLong resumedFrom)
      implements Summary {}

  record Costs(@JsonProperty("cost_usd") double dollars, Optional<Double> lostUsd) {}

  @Property(seed = "20260801")
  void aSummaryIsReadBackAsItWas(
      @ForAll ExitCode code,
      @ForAll long kept,
      @ForAll String text,
      @ForAll @DoubleRange(min = 0, max = 1e6) double cost,
      @ForAll boolean priced,
      @ForAll @LongRange(min = 0, max = 100_000_000) long millis) {
    var summary =
        new Example(
            new RunSummary(
                text,
                "r1",
                code.status(),
                code,
                code == ExitCode.DONE ? "" : text,
                Map.of("t", new RunSummary.TableSummary(text, kept)),
                Map.of(text, kept),
                text,
                millis / 1000.0),
            kept,
            text,
            text,
            priced ? Optional.of(new Costs(cost, Optional.of(cost / 3))) : Optional.empty(),
            priced ? OptionalLong.of(kept) : OptionalLong.empty());
    assertThat(SummaryJson.read(Example.class, summary.toJson())).isEqualTo(summary);
  }

  @Property(seed = "20260801")
  void nearestFindsANameWithOneSlip(@ForAll("names") String name, @ForAll int at) {
    int index = Math.floorMod(at, name.length());
    String slipped = name.substring(0, index) + name.substring(index + 1);
    assertThat(Nearest.to(slipped, List.of(name, "something-else-altogether"))).contains(name);
  }

  @net.jqwik.api.Provide
  net.jqwik.api.Arbitrary<String> names() {
    return net.jqwik.api.Arbitraries.of(
        "threshold", "num-instructions", "order-by", "max-cost-usd");
  }
}
