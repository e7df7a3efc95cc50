package dev.distillery.spark.fanout;

import static org.assertj.core.api.Assertions.assertThat;

import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;

class FanoutWidthTest {
  private final SparkConf conf = new SparkConf(false);

  @Test
  void countsTheExecutorsThatMayStillCome() {
    assertThat(FanoutWidth.of(conf, 2, 64)).isEqualTo(2);
    conf.set("spark.executor.instances", "6").set("spark.executor.cores", "4");
    assertThat(FanoutWidth.of(conf, 2, 64)).isEqualTo(24);
    conf.set("spark.dynamicAllocation.enabled", "true");
    assertThat(FanoutWidth.of(conf, 2, 64)).isEqualTo(64);
    conf.set("spark.dynamicAllocation.maxExecutors", "3");
    assertThat(FanoutWidth.of(conf, 2, 64)).isEqualTo(12);
  }

  @Test
  void makesNoTaskThatWouldHaveNoRequest() {
    conf.set("spark.executor.instances", "100");
    assertThat(FanoutWidth.of(conf, 2, 16)).isEqualTo(16);
  }
}
