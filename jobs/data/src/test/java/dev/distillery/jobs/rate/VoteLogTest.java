package dev.distillery.jobs.rate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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
  void aLastVoteWithoutALineEndStays() throws Exception {
    Path file = folder.resolve("votes.jsonl");
    Files.writeString(file, vote("i1").line() + "\n" + vote("i2").line());
    try (VoteLog log = VoteLog.open(file)) {
      assertThat(log.before()).extracting(Vote::id).containsExactly("i1", "i2");
      log.append(vote("i3"));
    }
    try (VoteLog log = VoteLog.open(file)) {
      assertThat(log.before()).extracting(Vote::id).containsExactly("i1", "i2", "i3");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{'id':'i1','judge':'ann'}~{'id':'x','name':'y'} | line 2: No vote has a 'name'",
        "{'id':'i1','judge':'ann'}~{'name':'y | line 2: No JSON",
        "{'id':'i1','judge':'ann'}~no vote~{'id': | line 2: No JSON",
        "{'id':'x','name':'y'} | line 1: No vote has a 'name'",
        "{'id':'x | line 1: No JSON"
      })
  void aFileThatIsNoLogIsRefusedAndStays(String text, String says) throws Exception {
    Path file = folder.resolve("votes.jsonl");
    String content = text.replace('\'', '"').replace('~', '\n');
    Files.writeString(file, content);
    assertThatThrownBy(() -> VoteLog.open(file)).hasMessageContaining("votes.jsonl, " + says);
    assertThat(file).hasContent(content);
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
