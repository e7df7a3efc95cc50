package dev.distillery.jobs.rate;

import dev.distillery.core.run.JobException;
import dev.distillery.core.run.OwnedFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Votes in a local file, a line each, of which what was appended survives the death of process and
 * machine. A last line that a death cut off was never acknowledged, and goes, if it begins as ours
 * do and stands behind votes; what else is no vote is refused, and stays. One process has the file.
 */
final class VoteLog implements AutoCloseable {
  /** As {@link Vote#line} begins. */
  private static final String OPENING = "{\"id\":\"";

  private final Path file;
  private final FileChannel channel;
  private final List<Vote> before = new ArrayList<>();

  private VoteLog(Path file, FileChannel channel) {
    this.file = file;
    this.channel = channel;
  }

  /**
   * Opens a file, or makes it.
   *
   * @throws JobException where another process has it, or a line of it is no vote
   */
  static VoteLog open(Path file) throws IOException {
    var log = new VoteLog(file, OwnedFile.open("--votes", file));
    try {
      log.read();
      return log;
    } catch (IOException | RuntimeException e) {
      log.close();
      throw e;
    }
  }

  private void read() throws IOException {
    byte[] bytes = Channels.newInputStream(channel).readAllBytes();
    int end = bytes.length;
    while (end > 0 && bytes[end - 1] != '\n') {
      end--;
    }
    List<String> lines = new String(bytes, 0, end, StandardCharsets.UTF_8).lines().toList();
    for (int i = 0; i < lines.size(); i++) {
      try {
        before.add(Vote.read(lines.get(i)));
      } catch (Vote.RefusedException e) {
        throw noVote(i + 1, e);
      }
    }
    channel.position(bytes.length);
    String tail = new String(bytes, end, bytes.length - end, StandardCharsets.UTF_8);
    if (!tail.isEmpty()) {
      try {
        before.add(Vote.read(tail));
        channel.write(ByteBuffer.wrap(new byte[] {'\n'}));
      } catch (Vote.RefusedException e) {
        boolean ours = tail.startsWith(OPENING) || OPENING.startsWith(tail);
        if (before.isEmpty() || !ours || !e.rule().equals(Vote.UNREADABLE)) {
          throw noVote(lines.size() + 1, e);
        }
        channel.truncate(end);
        channel.position(end);
      }
    }
    channel.force(true);
  }

  private JobException noVote(int line, Vote.RefusedException e) {
    return JobException.invalid(
        "Option --votes: "
            + file
            + ", line "
            + line
            + ": "
            + e.detail()
            + "; name another file, or take the line away");
  }

  /** The votes that were there when it was opened. */
  List<Vote> before() {
    return List.copyOf(before);
  }

  /** Appends a vote; it stays once this returns. */
  synchronized void append(Vote vote) throws IOException {
    long start = channel.position();
    try {
      ByteBuffer line = ByteBuffer.wrap((vote.line() + "\n").getBytes(StandardCharsets.UTF_8));
      while (line.hasRemaining()) {
        channel.write(line);
      }
      channel.force(false);
    } catch (IOException e) {
      // A part of a line would spoil the next one.
      channel.truncate(start);
      channel.position(start);
      throw e;
    }
  }

  @Override
  public synchronized void close() throws IOException {
    channel.close();
  }
}
