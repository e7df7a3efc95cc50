package dev.distillery.jobs.rate;

import dev.distillery.core.run.JobException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A file of votes: refused with its name and as it was, or votes, to which others are appended that
 * are there when it is opened again.
 */
public final class VoteLogFuzz {
  private static final String LINE =
      "{\"id\":\"i1\",\"judge\":\"ann\",\"form\":\"pairwise\",\"verdict\":\"tie\"}";

  private VoteLogFuzz() {}

  /** One input. */
  public static void fuzzerTestOneInput(byte[] data) throws IOException, Vote.RefusedException {
    Path file = Files.createTempFile("fuzz", ".jsonl");
    try {
      Files.write(file, data);
      List<Vote> votes = new ArrayList<>();
      try (VoteLog log = VoteLog.open(file)) {
        votes.addAll(log.before());
        votes.add(Vote.read(LINE));
        log.append(Vote.read(LINE));
      } catch (JobException e) {
        if (!String.valueOf(e.getMessage()).contains(file + ", line ")
            || !Arrays.equals(Files.readAllBytes(file), data)) {
          throw e;
        }
        return;
      }
      try (VoteLog log = VoteLog.open(file)) {
        if (!log.before().equals(votes)) {
          throw new IllegalStateException(votes + " became " + log.before());
        }
      }
    } finally {
      Files.delete(file);
    }
  }
}
