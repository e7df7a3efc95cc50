package dev.distillery.jobs.serve;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.OwnedFile;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Votes in a local file, a line each, that any job reads as the table judgements: of {@linkplain
 * ChatVote#key votes with one key} the latest alone. A vote that is replaced or taken back becomes
 * spaces where it lies, which readers pass over. What is kept survives the death of process and
 * machine; what a death cut off was never acknowledged, and goes when the file is opened. One
 * process has the file.
 */
final class ChatVoteLog implements AutoCloseable {
  /** Bytes of a line; no vote has as many. */
  private static final int MOST_LINE = 16 << 20;

  /** As a line of ours begins. */
  private static final String OPENING = "{\"id\":\"";

  private static final Pattern OURS = Pattern.compile("\\{\"id\":\"[0-9a-f]{32}\",");
  private static final int SHORT = 40;

  private static final ObjectMapper JSON =
      new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private final Path file;
  private final FileChannel channel;
  private final Map<String, Place> places = new HashMap<>();
  private long end;

  /** Where a line lies, without its end. */
  private record Place(long at, int length) {}

  private ChatVoteLog(Path file, FileChannel channel) {
    this.file = file;
    this.channel = channel;
  }

  /**
   * Opens a file, or makes it.
   *
   * @throws JobException where it cannot be written, another process has it, or a line of it is no
   *     row of judgements
   */
  static ChatVoteLog open(String name) {
    try {
      Path file = Path.of(name);
      var log = new ChatVoteLog(file, OwnedFile.open("--judgements", file));
      try {
        log.read();
        return log;
      } catch (IOException | RuntimeException e) {
        log.close();
        throw e;
      }
    } catch (IOException | InvalidPathException e) {
      throw JobException.invalid(
          "Option --judgements: " + e + "; name a file that can be read and written");
    }
  }

  private void read() throws IOException {
    var in = new BufferedInputStream(Channels.newInputStream(channel), 1 << 16);
    var line = new ByteArrayOutputStream();
    int number = 1;
    for (; isWhole(in, line, number); number++) {
      take(line.toString(StandardCharsets.UTF_8), new Place(end, line.size()), number);
      end += line.size() + 1;
    }
    String tail = line.toString(StandardCharsets.UTF_8);
    if (row(tail).isPresent()) {
      take(tail, new Place(end, line.size()), number);
      end += line.size();
      write(new byte[] {'\n'}, end++);
    } else if (!isCut(tail)) {
      throw noVote(number);
    }
    channel.truncate(end);
    channel.force(true);
  }

  /** Reads a line, or what is behind the last one; says whether it has its end. */
  private boolean isWhole(InputStream in, ByteArrayOutputStream line, int number)
      throws IOException {
    line.reset();
    for (int c = in.read(); c >= 0; c = in.read()) {
      if (c == '\n') {
        return true;
      }
      if (line.size() == MOST_LINE) {
        throw noVote(number);
      }
      line.write(c);
    }
    return false;
  }

  private void take(String line, Place place, int number) throws IOException {
    Optional<JsonNode> row = row(line);
    if (row.isPresent()) {
      replace(ChatVote.key(row.get()), place);
    } else if (line.startsWith(" ")) {
      // A vote of which a death has left the end, or nothing.
      blank(place);
    } else if (!line.isBlank()) {
      throw noVote(number);
    }
  }

  private static Optional<JsonNode> row(String line) {
    try {
      JsonNode row = JSON.readTree(line);
      boolean votes =
          row.path("id").isTextual()
              && row.path("judge").isTextual()
              && row.path("answer_a").isTextual();
      return votes ? Optional.of(row) : Optional.empty();
    } catch (JsonProcessingException e) {
      return Optional.empty();
    }
  }

  private static boolean isCut(String tail) {
    return tail.length() <= SHORT
        ? tail.startsWith(OPENING) || OPENING.startsWith(tail)
        : OURS.matcher(tail).lookingAt();
  }

  private JobException noVote(int line) {
    return JobException.invalid(
        "Option --judgements: %s, line %s is no vote of a page; name another file, or take the line away"
            .formatted(file, line));
  }

  /** Keeps a vote, or takes one back; it is so for good once this returns. */
  synchronized void keep(ChatVote vote) throws IOException {
    if (vote.takenBack()) {
      Place before = places.get(vote.key());
      if (before != null) {
        blank(before);
        places.remove(vote.key());
      }
    } else {
      // What a write that failed has left would spoil the line.
      channel.truncate(end);
      byte[] line = (vote.row() + "\n").getBytes(StandardCharsets.UTF_8);
      write(line, end);
      channel.force(false);
      var place = new Place(end, line.length - 1);
      end += line.length;
      replace(vote.key(), place);
    }
    channel.force(false);
  }

  private void replace(String key, Place place) throws IOException {
    Place before = places.put(key, place);
    if (before != null) {
      blank(before);
    }
  }

  private void blank(Place place) throws IOException {
    byte[] spaces = new byte[place.length()];
    Arrays.fill(spaces, (byte) ' ');
    write(spaces, place.at());
  }

  private void write(byte[] bytes, long at) throws IOException {
    ByteBuffer left = ByteBuffer.wrap(bytes);
    while (left.hasRemaining()) {
      channel.write(left, at + left.position());
    }
  }

  @Override
  public synchronized void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
