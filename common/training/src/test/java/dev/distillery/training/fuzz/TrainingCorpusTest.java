package dev.distillery.training.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.testing.Corpus;
import dev.distillery.core.testing.FuzzedFolder;
import dev.distillery.training.run.CheckpointFuzz;
import dev.distillery.training.tokens.SequenceFuzz;
import dev.distillery.training.tokens.TokenTableFuzz;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The corpus of each target, and each input cut, doubled and with a byte changed. */
class TrainingCorpusTest {
  /** A seed that is refused at once would lead a fuzzer nowhere. */
  @Test
  void theSeedsAreWhole() throws Exception {
    for (Path seed : Corpus.seeds("CheckpointFuzz")) {
      try (FuzzedFolder folder = CheckpointFuzz.folder(Files.readAllBytes(seed))) {
        assertThat(CheckpointFuzz.step(folder)).as(seed.toString()).isEqualTo(3);
      }
    }
    for (Path seed : Corpus.seeds("TokenTableFuzz")) {
      try (FuzzedFolder folder = TokenTableFuzz.folder(Files.readAllBytes(seed))) {
        assertThat(TokenTableFuzz.tokens(folder)).as(seed.toString()).hasValue(5);
      }
    }
  }

  @Test
  void everyInputIsReadOrRefused() throws Exception {
    int inputs =
        Corpus.replay("CheckpointFuzz", CheckpointFuzz::fuzzerTestOneInput)
            + Corpus.replay("SequenceFuzz", SequenceFuzz::fuzzerTestOneInput)
            + Corpus.replay("TaskFuzz", TaskFuzz::fuzzerTestOneInput)
            + Corpus.replay("TokenTableFuzz", TokenTableFuzz::fuzzerTestOneInput);
    assertThat(inputs).isGreaterThan(800);
  }
}
