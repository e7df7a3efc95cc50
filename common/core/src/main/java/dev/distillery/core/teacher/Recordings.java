package dev.distillery.core.teacher;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Recorded requests and replies in JSONL files, found by request id or by prompt. Only where each
 * line stands is kept in memory, 40 bytes a recording; a line is read when it is asked for.
 */
final class Recordings implements Closeable {
  private static final int LONGEST_LINE = 64 << 20;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final List<FileChannel> files = new ArrayList<>();
  private int size;
  private long[] offsets = new long[1024];
  private int[] lengths = new int[1024];
  private int[] fileOf = new int[1024];
  private long[] ids = new long[1024];
  private long[] prompts = new long[1024];
  private final Key byId;
  private final Key byPrompt;

  /** Recordings sorted by one key. */
  private static final class Key {
    final long[] keys;
    final int[] places;

    Key(int size) {
      keys = new long[size];
      places = new int[size];
    }
  }

  private Recordings(List<Path> paths) throws IOException {
    for (Path path : paths) {
      read(path);
      files.add(FileChannel.open(path));
    }
    byId = sorted(ids);
    byPrompt = sorted(prompts);
    ids = new long[0];
    prompts = new long[0];
  }

  /**
   * Opens one file, or every {@code .jsonl} file below a folder, but for names that begin with
   * {@code _} or a dot.
   *
   * @throws IllegalArgumentException where there is none, or a line is not a recording; names file
   *     and line
   */
  static Recordings open(Path path) {
    try {
      return new Recordings(paths(path));
    } catch (IOException e) {
      throw new IllegalArgumentException(
          "--model '%s' cannot be read: %s".formatted(path, e.getMessage()), e);
    }
  }

  private static List<Path> paths(Path path) throws IOException {
    if (!Files.isDirectory(path)) {
      return List.of(path);
    }
    try (var below = Files.walk(path)) {
      List<Path> found =
          below
              .filter(file -> file.toString().endsWith(".jsonl") && Files.isRegularFile(file))
              .filter(file -> !hidden(path.relativize(file)))
              .sorted()
              .toList();
      if (found.isEmpty()) {
        throw new IOException("no .jsonl file below it");
      }
      return found;
    }
  }

  /**
   * Whether a part of the path begins with a mark of what is no data, as a ledger's own book does.
   */
  private static boolean hidden(Path below) {
    for (Path part : below) {
      if (part.toString().startsWith("_") || part.toString().startsWith(".")) {
        return true;
      }
    }
    return false;
  }

  private void read(Path path) throws IOException {
    try (InputStream in = new BufferedInputStream(Files.newInputStream(path), 1 << 16)) {
      var line = new ByteArrayOutputStream();
      long start = 0;
      int number = 1;
      for (int b = in.read(); b >= 0; b = in.read()) {
        if (b != '\n') {
          line.write(b);
          if (line.size() > LONGEST_LINE) {
            throw bad(path, number, "is longer than " + LONGEST_LINE + " bytes");
          }
          continue;
        }
        add(path, number++, start, line);
        start += line.size() + 1L;
        line.reset();
      }
      add(path, number, start, line);
    }
  }

  private void add(Path path, int number, long start, ByteArrayOutputStream line) {
    String text = line.toString(StandardCharsets.UTF_8);
    if (text.isBlank()) {
      return;
    }
    JsonNode row;
    try {
      row = JSON.readTree(text);
    } catch (JsonProcessingException e) {
      throw bad(path, number, "is not JSON");
    }
    String id = row.path("request_id").asText("");
    String prompt = row.path("prompt").asText("");
    if (id.isEmpty() && prompt.isEmpty()) {
      throw bad(path, number, "has neither request_id nor prompt");
    }
    if (!failed(row) && !row.path("text").isTextual()) {
      throw bad(path, number, "has no text");
    }
    if (size == offsets.length) {
      grow();
    }
    offsets[size] = start;
    lengths[size] = line.size();
    fileOf[size] = files.size();
    ids[size] = hash(id);
    prompts[size++] = hash(prompt);
  }

  private void grow() {
    int larger = size * 2;
    offsets = Arrays.copyOf(offsets, larger);
    lengths = Arrays.copyOf(lengths, larger);
    fileOf = Arrays.copyOf(fileOf, larger);
    ids = Arrays.copyOf(ids, larger);
    prompts = Arrays.copyOf(prompts, larger);
  }

  private static IllegalArgumentException bad(Path path, int line, String what) {
    return new IllegalArgumentException(
        "%s, line %s %s; --teacher replay reads JSONL with the columns of completions"
            .formatted(path, line, what));
  }

  private Key sorted(long[] keys) {
    Integer[] order = new Integer[size];
    Arrays.setAll(order, i -> i);
    Arrays.sort(order, Comparator.comparingLong(i -> keys[i]));
    var key = new Key(size);
    for (int i = 0; i < size; i++) {
      key.places[i] = order[i];
      key.keys[i] = keys[order[i]];
    }
    return key;
  }

  int size() {
    return size;
  }

  /** Whether a recording is of a request that failed. */
  static boolean failed(JsonNode row) {
    return row.path("status").asText("ok").equals("failed");
  }

  /**
   * The recording of the request: the one with its id; else one with its prompt. Where several
   * recordings have the prompt, the request's id chooses among them, so that the same request
   * always gets the same one, whatever the order of files and lines. A success goes before a
   * failure.
   */
  Optional<JsonNode> find(TeacherRequest request) throws IOException {
    List<JsonNode> found = rows(byId, "request_id", request.requestId());
    if (found.isEmpty()) {
      found = rows(byPrompt, "prompt", request.promptText());
    }
    if (found.stream().anyMatch(row -> !failed(row))) {
      found.removeIf(Recordings::failed);
    }
    if (found.isEmpty()) {
      return Optional.empty();
    }
    found.sort(
        Comparator.comparing((JsonNode row) -> row.path("request_id").asText(""))
            .thenComparing(row -> row.path("text").asText("")));
    long draw = hash(request.requestId());
    return Optional.of(found.get((int) Long.remainderUnsigned(draw, found.size())));
  }

  private List<JsonNode> rows(Key key, String field, String value) throws IOException {
    var rows = new ArrayList<JsonNode>();
    long hash = hash(value);
    int at = Arrays.binarySearch(key.keys, hash);
    while (at > 0 && key.keys[at - 1] == hash) {
      at--;
    }
    for (int i = at; i >= 0 && i < size && key.keys[i] == hash; i++) {
      JsonNode row = row(key.places[i]);
      if (row.path(field).asText("").equals(value)) {
        rows.add(row);
      }
    }
    return rows;
  }

  private JsonNode row(int place) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(lengths[place]);
    while (bytes.hasRemaining()) {
      if (files.get(fileOf[place]).read(bytes, offsets[place] + bytes.position()) < 0) {
        throw new EOFException("the recording has become shorter");
      }
    }
    return JSON.readTree(bytes.array());
  }

  /** The head of a SHA-256; a find compares the texts themselves too. */
  private static long hash(String text) {
    try {
      byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
      return ByteBuffer.wrap(MessageDigest.getInstance("SHA-256").digest(utf8)).getLong();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is part of every Java platform", e);
    }
  }

  @Override
  public void close() throws IOException {
    for (FileChannel file : files) {
      file.close();
    }
  }
}
