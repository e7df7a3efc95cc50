package dev.distillery.spark.fanout;

import org.apache.spark.SparkConf;

/**
 * In how many tasks a set of requests is asked. Executors that come after its start work only where
 * tasks are left for them, so those that may come count as well.
 */
final class FanoutWidth {
  private FanoutWidth() {}

  /**
   * @param registered cores that are there now
   * @param concurrency requests at once; a task more than that would have none
   */
  static int of(SparkConf conf, int registered, int concurrency) {
    long cores = Math.max(1, conf.getInt("spark.executor.cores", 1));
    long coming = cores * conf.getInt("spark.executor.instances", 0);
    if (conf.getBoolean("spark.dynamicAllocation.enabled", false)) {
      coming = cores * conf.getInt("spark.dynamicAllocation.maxExecutors", Integer.MAX_VALUE);
    }
    coming = Math.max(coming, Math.min(conf.getInt("spark.cores.max", 0), Integer.MAX_VALUE));
    return (int) Math.max(registered, Math.min(concurrency, coming));
  }
}
