package dev.distillery.datasets.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.testing.Corpus;
import dev.distillery.datasets.read.FilesFuzz;
import org.junit.jupiter.api.Test;

/** The corpus of each target, and each input cut, doubled and with a byte changed. */
class DatasetsCorpusTest {
  @Test
  void everyInputIsReadOrRefused() throws Exception {
    int inputs =
        Corpus.replay("FilesFuzz", FilesFuzz::fuzzerTestOneInput)
            + Corpus.replay("RowsFuzz", RowsFuzz::fuzzerTestOneInput);
    assertThat(inputs).isGreaterThan(300);
  }
}
