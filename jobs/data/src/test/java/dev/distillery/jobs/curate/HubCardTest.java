package dev.distillery.jobs.curate;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.Test;

class HubCardTest {
  private static String card(String schema) {
    return new HubCard(
            "rows",
            "Rows.",
            "run-1",
            StructType.fromDDL(schema),
            "parquet",
            Map.of("train", 1L),
            List.of(new HubCard.Origin("", "NOASSERTION", 1)))
        .text();
  }

  @Test
  void everyTypeHasTheNameThatDatasetsHasForIt() {
    assertThat(
            card(
                "a boolean, b tinyint, c smallint, d int, e bigint, f float, g double, h date,"
                    + " i binary, j decimal(10,2), k array<int>, l array<array<string>>,"
                    + " m struct<x: array<struct<y: bigint>>>"))
        .contains(
            """
              features:
              - name: "a"
                dtype: bool
              - name: "b"
                dtype: int8
              - name: "c"
                dtype: int16
              - name: "d"
                dtype: int32
              - name: "e"
                dtype: int64
              - name: "f"
                dtype: float32
              - name: "g"
                dtype: float64
              - name: "h"
                dtype: date32
              - name: "i"
                dtype: binary
              - name: "j"
                dtype: decimal128(10, 2)
              - name: "k"
                list: int32
              - name: "l"
                list:
                  list: string
              - name: "m"
                struct:
                - name: "x"
                  list:
                  - name: "y"
                    dtype: int64
            ---
            """);
  }

  @Test
  void whatNoCardCanSayIsNamedWithItsPlaceAndType() {
    StructType schema =
        StructType.fromDDL(
            "a string, b map<string,int>, c struct<d: array<timestamp>>, e binary, f decimal(3,1)");
    assertThat(HubCard.unsaid(schema, false))
        .containsExactly("b (map<string,int>)", "c.d (timestamp)");
    assertThat(HubCard.unsaid(schema, true))
        .containsExactly(
            "b (map<string,int>)", "c.d (timestamp)", "e (binary)", "f (decimal(3,1))");
  }

  @Test
  void aCardIsKnownByItsLastLineAlone() {
    String card = card("id string");
    assertThat(HubCard.runOf(card)).contains("run-1");
    assertThat(HubCard.runOf(card.substring(card.length() - 20))).contains("run-1");
    assertThat(HubCard.runOf(card + "\n")).isEmpty();
    assertThat(HubCard.runOf("See Run: `run-1`\n")).isEmpty();
    assertThat(HubCard.runOf("Run: `../run-1`\n")).isEmpty();
    assertThat(HubCard.runOf("")).isEmpty();
  }
}
