package dev.distillery.cli;

import java.util.Arrays;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkConf;

/**
 * How long an object store that does not answer is waited for. Hadoop's own defaults for S3A retry
 * one request for minutes, and a run that has lost its store makes several: it would end with 75
 * after five minutes and more. With these one request is given up after about half a minute, longer
 * than a failover takes; what the user sets, in Spark's settings ({@code spark.hadoop.fs.s3a...})
 * or in the driver's site files, stands.
 */
final class StoreRetries {
  /** By the names of Hadoop 3.4; its own values are 5, 7, 30s and 200s. */
  static final Map<String, String> DEFAULTS =
      Map.of(
          "fs.s3a.attempts.maximum", "3",
          "fs.s3a.retry.limit", "5",
          "fs.s3a.connection.establish.timeout", "10s",
          "fs.s3a.connection.timeout", "60s");

  private StoreRetries() {}

  /** Sets what nobody but Hadoop itself has set. */
  static void bound(Configuration hadoop) {
    DEFAULTS.forEach(
        (name, value) -> {
          String[] sources = hadoop.getPropertySources(name);
          if (sources == null || Arrays.asList(sources).contains("core-default.xml")) {
            hadoop.set(name, value);
          }
        });
  }

  /** The same for a session that is opened beside a configuration that {@link #bound} has seen. */
  static void bound(SparkConf conf, Configuration hadoop) {
    DEFAULTS.keySet().forEach(name -> conf.setIfMissing("spark.hadoop." + name, hadoop.get(name)));
  }
}
