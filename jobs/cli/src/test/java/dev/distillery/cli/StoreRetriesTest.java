package dev.distillery.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;

class StoreRetriesTest {
  @Test
  void whatAUserOrASiteSetsStandsAndHadoopsOwnDoesNot() {
    var hadoop = new Configuration();
    String site =
        "<configuration><property><name>fs.s3a.retry.limit</name><value>9</value></property>"
            + "</configuration>";
    hadoop.addResource(
        new ByteArrayInputStream(site.getBytes(StandardCharsets.UTF_8)), "core-site.xml");
    hadoop.set("fs.s3a.attempts.maximum", "8");
    StoreRetries.bound(hadoop);
    assertThat(hadoop.get("fs.s3a.retry.limit")).isEqualTo("9");
    assertThat(hadoop.get("fs.s3a.attempts.maximum")).isEqualTo("8");
    assertThat(hadoop.get("fs.s3a.connection.timeout")).isEqualTo("60s");

    var conf = new SparkConf(false).set("spark.hadoop.fs.s3a.connection.timeout", "7s");
    StoreRetries.bound(conf, hadoop);
    assertThat(conf.get("spark.hadoop.fs.s3a.retry.limit")).isEqualTo("9");
    assertThat(conf.get("spark.hadoop.fs.s3a.connection.timeout")).isEqualTo("7s");
    assertThat(conf.get("spark.hadoop.fs.s3a.connection.establish.timeout")).isEqualTo("10s");
  }
}
