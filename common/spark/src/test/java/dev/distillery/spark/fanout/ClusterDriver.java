package dev.distillery.spark.fanout;

import dev.distillery.core.dialogue.Message;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Progress;
import dev.distillery.core.run.SummaryJson;
import dev.distillery.core.teacher.Price;
import dev.distillery.core.teacher.Sampling;
import dev.distillery.core.teacher.Secret;
import dev.distillery.core.teacher.TeacherRequest;
import dev.distillery.core.teacher.TeacherSettings;
import java.lang.management.ManagementFactory;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.SparkSession;

/**
 * An application for tests and benchmarks that asks a server for a number of completions. Its key
 * is in {@code FANOUT_TEST_KEY}. Options as {@code name=value}: {@code ledger, run, url, count,
 * concurrency, rpm, max-requests, timeout-ms, attempts}. Prints {@code FIGURES} and the figures at
 * its end, or {@code STOPPED}, the exit code and why.
 */
public final class ClusterDriver {
  private ClusterDriver() {}

  public static void main(String[] args) {
    var options = new TreeMap<String, String>();
    for (String arg : args) {
      int equals = arg.indexOf('=');
      options.put(arg.substring(0, equals), arg.substring(equals + 1));
    }
    SparkSession spark = SparkSession.builder().appName("fanout-test").getOrCreate();
    int code = 0;
    try (Fanout fanout =
        Fanout.open(
            spark, spec(options), Secret.of(System.getenv().getOrDefault("FANOUT_TEST_KEY", "")))) {
      try {
        long start = System.nanoTime();
        fanout.ask(
            requests(spark, number(options, "count", 100)), Progress.onStandardError("test"));
        var figures = SummaryJson.figures(fanout.figures());
        figures.put("seconds", (System.nanoTime() - start) / 1e9);
        figures.put("cpu_seconds_of_the_jvm", cpuSeconds());
        figures.put("heap_mb_at_the_end", usedHeapMegabytes());
        figures.put("completions", fanout.completions().count());
        figures.put("ledger_entries", fanout.entries().count());
        System.out.println("FIGURES " + figures);
      } catch (JobException e) {
        System.out.println("STOPPED " + e.exitCode() + " " + e.getMessage());
        System.out.println("FIGURES " + SummaryJson.figures(fanout.figures()));
        code = e.exitCode().code();
      }
    }
    spark.stop();
    System.exit(code);
  }

  /** What is in use after a collection: what the asking has left in memory. */
  private static long usedHeapMegabytes() {
    System.gc();
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed() >> 20;
  }

  private static double cpuSeconds() {
    var system =
        (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    return system.getProcessCpuTime() / 1e9;
  }

  private static FanoutSpec spec(Map<String, String> options) {
    FanoutLimits none = FanoutLimits.ofConcurrency((int) number(options, "concurrency", 16));
    return new FanoutSpec(
        options.getOrDefault("run", "run"),
        options.getOrDefault("ledger", ""),
        new TeacherSettings(
            "openai",
            "fake-model",
            options.getOrDefault("url", ""),
            "chat",
            Duration.ofMillis(number(options, "timeout-ms", 30_000)),
            none.concurrency()),
        Optional.of(new Price(new BigDecimal("0.15"), new BigDecimal("0.60"))),
        new FanoutLimits(
            none.concurrency(),
            optional(options, "rpm"),
            OptionalLong.empty(),
            optional(options, "max-requests"),
            OptionalLong.empty(),
            Optional.empty(),
            none.maxWait(),
            1.0),
        new RetryPolicy((int) number(options, "attempts", 6)));
  }

  /** Requests that are the same in every run. */
  static Dataset<String> requests(SparkSession spark, long count) {
    return spark.range(count).map(new ToRequest(), Encoders.STRING());
  }

  private static final class ToRequest implements MapFunction<Long, String> {
    private static final long serialVersionUID = 1L;

    @Override
    public String call(Long number) {
      return RequestCodec.toJson(
          new TeacherRequest(
              "request-" + number,
              Optional.of("row-" + number),
              "fake-model",
              Optional.empty(),
              List.of(new Message("user", "Say something about the number " + number)),
              Sampling.of(64),
              "{}"));
    }
  }

  private static long number(Map<String, String> options, String name, long otherwise) {
    return Long.parseLong(options.getOrDefault(name, "" + otherwise));
  }

  private static OptionalLong optional(Map<String, String> options, String name) {
    return options.containsKey(name)
        ? OptionalLong.of(Long.parseLong(options.getOrDefault(name, "")))
        : OptionalLong.empty();
  }
}
