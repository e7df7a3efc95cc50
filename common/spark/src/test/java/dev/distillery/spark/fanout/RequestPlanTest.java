package dev.distillery.spark.fanout;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.teacher.Sampling;
import dev.distillery.core.teacher.TeacherOptions;
import dev.distillery.core.teacher.testing.Requests;
import dev.distillery.spark.testing.LocalSpark;
import java.util.stream.IntStream;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.LongAccumulator;
import org.junit.jupiter.api.Test;

class RequestPlanTest {
  /** Requests are made of rows by templates, which takes its time. */
  @Test
  void requestsAreMadeOnceToBePlanned() {
    SparkSession spark = LocalSpark.session();
    LongAccumulator made = spark.sparkContext().longAccumulator("made");
    MapFunction<String, String> count =
        line -> {
          made.add(1);
          return line;
        };
    Dataset<String> requests =
        spark
            .createDataset(
                IntStream.range(0, 30)
                    .mapToObj(
                        i ->
                            RequestCodec.toJson(
                                Requests.prompt("r" + i, "m", "Name a sea.", Sampling.of(7))))
                    .toList(),
                Encoders.STRING())
            .map(count, Encoders.STRING());
    RequestPlan.Counted counted =
        RequestPlan.of(requests, TeacherOptions.builder().model("m").build());
    assertThat(counted.requests()).isEqualTo(30);
    assertThat(counted.plan().completionTokensAtMost()).isEqualTo(210);
    assertThat(made.value()).isEqualTo(30);
    RequestPlan.Counted none =
        RequestPlan.of(requests.limit(0), TeacherOptions.builder().model("m").build());
    assertThat(none.requests()).isZero();
    assertThat(none.plan().completionTokensAtMost()).isZero();
  }
}
