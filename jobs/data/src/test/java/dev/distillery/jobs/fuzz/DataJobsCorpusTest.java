package dev.distillery.jobs.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.testing.Corpus;
import dev.distillery.jobs.judge.VerdictFuzz;
import dev.distillery.jobs.rate.VoteFuzz;
import dev.distillery.jobs.rate.VoteLogFuzz;
import org.junit.jupiter.api.Test;

/** The corpus of each target, and each input cut, doubled and with a byte changed. */
class DataJobsCorpusTest {
  @Test
  void everyInputIsReadOrRefused() throws Exception {
    int inputs =
        Corpus.replay("VerdictFuzz", VerdictFuzz::fuzzerTestOneInput)
            + Corpus.replay("VoteFuzz", VoteFuzz::fuzzerTestOneInput)
            + Corpus.replay("VoteLogFuzz", VoteLogFuzz::fuzzerTestOneInput);
    assertThat(inputs).isGreaterThan(1_000);
  }
}
