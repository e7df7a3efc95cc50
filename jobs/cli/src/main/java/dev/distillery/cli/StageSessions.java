package dev.distillery.cli;

import java.util.Map;
import org.apache.spark.sql.SparkSession;
import org.jspecify.annotations.Nullable;

/** The Spark application of a pipeline: one for neighbouring stages that want the same settings. */
final class StageSessions implements AutoCloseable {
  private final String name;
  private Map<String, String> settings = Map.of();
  private @Nullable SparkSession open;

  StageSessions(String name) {
    this.name = name;
  }

  /** The session with these settings over those of the command line. */
  SparkSession with(Map<String, String> wanted) {
    if (open != null && !settings.equals(wanted)) {
      close();
    }
    if (open == null) {
      open = Sessions.open(name, wanted);
      settings = Map.copyOf(wanted);
    }
    return open;
  }

  @Override
  public void close() {
    if (open != null) {
      open.stop();
      open = null;
    }
  }
}
