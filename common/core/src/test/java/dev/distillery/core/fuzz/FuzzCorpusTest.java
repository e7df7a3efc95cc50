package dev.distillery.core.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.teacher.AnswersFuzz;
import dev.distillery.core.teacher.GgufHeadFuzz;
import dev.distillery.core.testing.Corpus;
import org.junit.jupiter.api.Test;

/** The corpus of each target, and each input cut, doubled and with a byte changed. */
class FuzzCorpusTest {
  @Test
  void everyInputIsReadOrRefused() throws Exception {
    int inputs =
        Corpus.replay("AnswersFuzz", AnswersFuzz::fuzzerTestOneInput)
            + Corpus.replay("GgufHeadFuzz", GgufHeadFuzz::fuzzerTestOneInput)
            + Corpus.replay("HtmlFuzz", HtmlFuzz::fuzzerTestOneInput)
            + Corpus.replay("MessagesFuzz", MessagesFuzz::fuzzerTestOneInput)
            + Corpus.replay("RecipeFuzz", RecipeFuzz::fuzzerTestOneInput)
            + Corpus.replay("RepliesFuzz", RepliesFuzz::fuzzerTestOneInput)
            + Corpus.replay("SeedTasksFuzz", SeedTasksFuzz::fuzzerTestOneInput);
    assertThat(inputs).isGreaterThan(1_000);
  }
}
