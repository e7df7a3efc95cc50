package dev.distillery.spark.license;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.run.RunOptions.Use;
import dev.distillery.spark.testing.LocalSpark;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.Test;

class UsePolicyTest {
  private static final UsePolicy COMMERCIAL = new UsePolicy(Use.COMMERCIAL);

  @Test
  void commerceMayUseWhatIsClearlyAllowed() {
    assertThat(COMMERCIAL.objection("hh-rlhf", "MIT")).isEmpty();
    assertThat(COMMERCIAL.objection("stackexchange", "CC-BY-SA-2.5 AND CC-BY-SA-4.0")).isEmpty();
    assertThat(COMMERCIAL.objection("our-own", "Apache-2.0")).isEmpty();
  }

  @Test
  void commerceMayNotUseTheRestAndIsToldWhy() {
    assertThat(COMMERCIAL.objection("alpaca", "CC-BY-NC-4.0").orElseThrow()).contains("forbids");
    assertThat(COMMERCIAL.objection("hc3/finance/chatgpt", "CC-BY-SA-4.0").orElseThrow())
        .contains("does not clearly allow")
        .contains("OpenAI");
    assertThat(COMMERCIAL.objection("our-own", "NOASSERTION")).isPresent();
    assertThat(COMMERCIAL.objection("our-own", "MIT AND CC-BY-NC-4.0")).isPresent();
    assertThat(COMMERCIAL.objection("our-own, hc3/finance", "MIT").orElseThrow())
        .as("A row made of two sources")
        .startsWith("hc3/finance (CC-BY-SA-4.0) does not clearly allow");
  }

  @Test
  void partsARowsTableAndCountsReasons() {
    StructType schema =
        new StructType()
            .add("id", DataTypes.StringType)
            .add("source", DataTypes.StringType)
            .add("license", DataTypes.StringType);
    Dataset<Row> rows =
        LocalSpark.session()
            .createDataFrame(
                List.of(
                    RowFactory.create("1", "hh-rlhf", "MIT"),
                    RowFactory.create("2", "alpaca", "CC-BY-NC-4.0"),
                    RowFactory.create("3", "alpaca", "CC-BY-NC-4.0")),
                schema);
    UsePolicy.Verdict verdict = COMMERCIAL.judge(rows);
    assertThat(verdict.allowed().schema()).isEqualTo(schema);
    assertThat(verdict.allowed().select("id").collectAsList())
        .containsExactly(RowFactory.create("1"));
    assertThat(verdict.refused().count()).isEqualTo(2);
    assertThat(verdict.reasons()).isEqualTo(Map.of("CC-BY-NC-4.0 forbids commercial use", 2L));
    assertThat(new UsePolicy(Use.RESEARCH).judge(rows).allowed().count()).isEqualTo(3);
  }
}
