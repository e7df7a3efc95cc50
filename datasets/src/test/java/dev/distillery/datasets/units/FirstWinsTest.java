package dev.distillery.datasets.units;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.spark.testing.LocalSpark;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;

class FirstWinsTest {
  /** Of three neighbours that share a key the first stays, also where executors were lost since. */
  @Test
  void whatIsDroppedOutlivesWhatItWasHeldIn() {
    Dataset<Row> units =
        LocalSpark.session()
            .range(0, 300, 1, 5)
            .selectExpr(
                "'file' as file",
                "0 as part",
                "id as offset",
                "0 as unit",
                "concat('r', id) as id",
                "array(concat('key ', id div 3)) as keys");
    Dataset<Row> dropped = FirstWins.held(FirstWins.dropped(units)).sort("offset");
    List<Row> before = dropped.collectAsList();
    LocalSpark.loseWhatIsHeld();
    assertThat(dropped.collectAsList()).isEqualTo(before);
    assertThat(before).hasSize(200);
    for (Row row : before) {
      long offset = row.getAs("offset");
      assertThat(row.<String>getAs("kept_id")).isEqualTo("r" + offset / 3 * 3);
      assertThat(row.<String>getAs("rule")).isEqualTo("key");
    }
  }
}
