package dev.distillery.cli;

import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.SparkConf;
import org.apache.spark.deploy.SparkHadoopUtil;
import org.apache.spark.sql.SparkSession;

/** Opens Spark with what the jobs rely on; what the user set stands. */
final class Sessions {
  private static final String PLUGIN = "dev.distillery.spark.fanout.FanoutPlugin";

  private Sessions() {}

  /** Does the work in a session of its own, and stops that at the end. */
  static <T> T with(String name, Function<SparkSession, T> work) {
    SparkSession spark = open(name, Map.of());
    try {
      return work.apply(spark);
    } finally {
      spark.stop();
    }
  }

  /**
   * Opens a session.
   *
   * @param settings over those that the process was started with
   */
  static SparkSession open(String name, Map<String, String> settings) {
    var conf = new SparkConf();
    settings.forEach(conf::set);
    conf.setIfMissing("spark.master", "local[*]");
    conf.set(
        "spark.plugins",
        Stream.concat(Stream.of(conf.get("spark.plugins", "").split(",")), Stream.of(PLUGIN))
            .filter(plugin -> !plugin.isBlank())
            .distinct()
            .collect(Collectors.joining(",")));
    // A request that two tasks send is paid twice.
    conf.set("spark.speculation", "false");
    // Else a query's tasks do not see the files that the driver sends: there is one session here.
    conf.setIfMissing("spark.sql.artifact.isolation.enabled", "false");
    conf.setIfMissing("spark.sql.session.timeZone", "UTC");
    conf.setIfMissing("spark.sql.parquet.compression.codec", "zstd");
    // INT96, the default, is what other readers of Parquet know least.
    conf.setIfMissing("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS");
    conf.setIfMissing("spark.ui.showConsoleProgress", "false");
    conf.setIfMissing("spark.sql.debug.maxToStringFields", "200");
    conf.setIfMissing(
        "spark.redaction.regex", "(?i)secret|password|token|access[.]?key|api[._-]?key");
    StoreRetries.bound(conf, SparkHadoopUtil.get().conf());
    return SparkSession.builder().config(conf).appName("distillery " + name).getOrCreate();
  }
}
