package dev.distillery.spark.fanout;

import org.apache.spark.api.plugin.DriverPlugin;
import org.apache.spark.api.plugin.ExecutorPlugin;
import org.apache.spark.api.plugin.SparkPlugin;

/**
 * Brings the fan-out into a Spark application: {@code
 * spark.plugins=dev.distillery.spark.fanout.FanoutPlugin}. The driver's part holds limits, budgets
 * and the key; the executors' part is their line to it, over Spark's own RPC.
 */
public final class FanoutPlugin implements SparkPlugin {
  @Override
  public DriverPlugin driverPlugin() {
    return new FanoutDriver();
  }

  @Override
  public ExecutorPlugin executorPlugin() {
    return new FanoutExecutor();
  }
}
