package dev.distillery.spark.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.testing.Corpus;
import dev.distillery.spark.warehouse.RunRecordFuzz;
import org.junit.jupiter.api.Test;

/** The corpus of each target, and each input cut, doubled and with a byte changed. */
class SparkCorpusTest {
  @Test
  void everyInputIsReadOrRefused() throws Exception {
    assertThat(Corpus.replay("RunRecordFuzz", RunRecordFuzz::fuzzerTestOneInput))
        .isGreaterThan(300);
  }
}
