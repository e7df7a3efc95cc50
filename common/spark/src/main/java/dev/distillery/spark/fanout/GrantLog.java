package dev.distillery.spark.fanout;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * What the driver has let go, written before it goes: after a crash, what is granted and neither
 * answered nor void may have been sent, and at worst is paid. Used by one thread.
 */
final class GrantLog {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final LedgerWriter.Sink sink;

  GrantLog(FileSystem fileSystem, Path run, String attempt) throws IOException {
    this.sink = LedgerFiles.sink(fileSystem, new Path(run, Ledger.GRANTED), attempt);
  }

  /** Writes lines; when this returns, the death of this process loses none of them. */
  void put(List<RunBook.Grant> grants, List<RunBook.Unused> voids) throws IOException {
    var lines = new ArrayList<String>(grants.size() + voids.size());
    for (RunBook.Grant grant : grants) {
      lines.add(
          JSON.createObjectNode()
              .put("request_id", grant.requestId())
              .put("tokens", grant.worst().tokens())
              .put("nanos", grant.worst().nanos())
              .toString());
    }
    voids.forEach(unused -> lines.add(line(unused)));
    sink.put(lines);
  }

  private static String line(RunBook.Unused unused) {
    return JSON.createObjectNode()
        .put("request_id", unused.requestId())
        .put("void", unused.sent() ? "refused" : "unsent")
        .toString();
  }

  /**
   * Writes what a task held and never sent into a file of its own, when no driver hears of it.
   *
   * @param task its name, which no other task has
   */
  static void putUnsent(FileSystem fileSystem, Path run, String task, List<String> requestIds) {
    if (requestIds.isEmpty()) {
      return;
    }
    try {
      var sink = LedgerFiles.sink(fileSystem, new Path(run, Ledger.GRANTED), "unsent-" + task);
      sink.put(requestIds.stream().map(id -> line(new RunBook.Unused(id, false))).toList());
      sink.close();
    } catch (IOException e) {
      throw new UncheckedIOException(
          "What was not sent cannot be written into the ledger: " + e.getMessage(), e);
    }
  }

  /** Called now and then while there is nothing to log. */
  void idle() throws IOException {
    sink.idle();
  }

  void close() throws IOException {
    sink.close();
  }

  /**
   * A line of the log.
   *
   * @param grants 1 for a grant, -1 for one that is void
   * @param refused 1 for a void that was sent all the same
   */
  record Line(String requestId, int grants, int refused, long tokens, long nanos) {}

  /** The line's content; empty where the line is cut off. */
  static Optional<Line> parse(String line) {
    JsonNode node;
    try {
      node = JSON.readTree(line);
    } catch (JsonProcessingException e) {
      return Optional.empty();
    }
    if (!node.isObject() || !node.has("request_id")) {
      return Optional.empty();
    }
    String id = node.get("request_id").asText();
    if (node.has("void")) {
      return Optional.of(
          new Line(id, -1, node.get("void").asText().equals("refused") ? 1 : 0, 0, 0));
    }
    return Optional.of(
        new Line(id, 1, 0, node.path("tokens").asLong(), node.path("nanos").asLong()));
  }
}
