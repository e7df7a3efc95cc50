package dev.distillery.jobs.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.testing.Corpus;
import dev.distillery.jobs.serve.ApiRequestFuzz;
import org.junit.jupiter.api.Test;

/** The corpus of each target, and each input cut, doubled and with a byte changed. */
class TrainingJobsCorpusTest {
  @Test
  void everyInputIsReadOrRefused() throws Exception {
    assertThat(Corpus.replay("ApiRequestFuzz", ApiRequestFuzz::fuzzerTestOneInput))
        .isGreaterThan(100);
  }
}
