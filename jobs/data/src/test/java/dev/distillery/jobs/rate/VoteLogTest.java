package dev.distillery.jobs.rate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VoteLogTest {
  @TempDir Path folder;

  private static Vote vote(String id) throws Vote.RefusedException {
    return Vote.read(
        "{\"id\":\"" + id + "\",\"judge\":\"ann\",\"form\":\"pairwise\",\"verdict\":\"tie\"}");
  }

  @Test
  void aLineThatADeathCutOffGoesAndOthersStay() throws Exception {
    Path file = folder.resolve("new/votes.jsonl");
    try (VoteLog log = VoteLog.open(file)) {
      log.append(vote("i1"));
      log.append(vote("i\u00fc"));
    }
    Files.writeString(file, "{\"id\":\"i3\",\"jud", StandardOpenOption.APPEND);
    try (VoteLog log = VoteLog.open(file)) {
      assertThat(log.before()).extracting(Vote::id).containsExactly("i1", "i\u00fc");
      log.append(vote("i4"));
    }
    assertThat(Files.readAllLines(file)).hasSize(3).allMatch(line -> line.endsWith("}"));
  }

  @Test
  void aFileBelongsToOneServerAndHoldsVotes() throws Exception {
    Path file = folder.resolve("votes.jsonl");
    try (VoteLog log = VoteLog.open(file)) {
      log.append(vote("i1"));
      assertThatThrownBy(() -> VoteLog.open(file))
          .hasMessageContaining("another process writes " + file);
    }
    Files.writeString(file, "no vote\n", StandardOpenOption.APPEND);
    assertThatThrownBy(() -> VoteLog.open(file))
        .hasMessageContaining("votes.jsonl, line 2: No JSON");
  }
}
