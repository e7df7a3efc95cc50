package dev.distillery.spark.warehouse;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.distillery.core.run.JobException;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.io.compress.CompressionCodec;
import org.apache.hadoop.io.compress.CompressionCodecFactory;

/** Finds the line that Spark stumbled over: its own words name neither file nor line. */
final class JsonLines {
  /** Longer lines are not looked into. */
  private static final int MAX_LINE = 64 << 20;

  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private JsonLines() {}

  /**
   * The names of a line's members.
   *
   * @throws JobException where it is no JSON object
   */
  static List<String> members(String file, String line) {
    try {
      var names = new ArrayList<String>();
      JSON.readTree(line).fieldNames().forEachRemaining(names::add);
      return names;
    } catch (JsonProcessingException e) {
      throw JobException.invalid(
          file + ": its first line is no JSON object: " + e.getOriginalMessage());
    }
  }

  /** The first line of the files that is no JSON object, as "file, line: what is wrong". */
  static Optional<String> firstProblem(Collection<FileStatus> files, Configuration hadoop) {
    for (FileStatus file : files) {
      try {
        Optional<String> problem = firstProblem(file, hadoop);
        if (problem.isPresent()) {
          return problem;
        }
      } catch (IOException e) {
        throw new UncheckedIOException("Cannot read " + file.getPath() + ": " + e.getMessage(), e);
      }
    }
    return Optional.empty();
  }

  private static Optional<String> firstProblem(FileStatus file, Configuration hadoop)
      throws IOException {
    CompressionCodec codec = new CompressionCodecFactory(hadoop).getCodec(file.getPath());
    try (InputStream stored = PathNames.fileSystem(file.getPath(), hadoop).open(file.getPath());
        InputStream plain = codec == null ? stored : codec.createInputStream(stored);
        var lines = new BufferedInputStream(plain, 1 << 16)) {
      var line = new ByteArrayOutputStream();
      for (long number = 1; ; number++) {
        line.reset();
        boolean last = !readLine(lines, line);
        Optional<String> problem = line.size() > MAX_LINE ? Optional.empty() : problem(line);
        if (problem.isPresent()) {
          return Optional.of(file.getPath() + ", line " + number + ": " + problem.get());
        }
        if (last) {
          return Optional.empty();
        }
      }
    }
  }

  private static Optional<String> problem(ByteArrayOutputStream line) {
    byte[] bytes = line.toByteArray();
    if (new String(bytes, 0, Math.min(bytes.length, 100), UTF_8).isBlank() && bytes.length <= 100) {
      return Optional.empty();
    }
    try {
      JsonNode value = JSON.readTree(bytes);
      return value.isContainerNode()
          ? unstorable(value)
          : Optional.of("expected a JSON object, found another value");
    } catch (JsonProcessingException e) {
      return Optional.of(
          e.getOriginalMessage() + " (byte " + e.getLocation().getByteOffset() + " of the line)");
    } catch (IOException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    }
  }

  /** A text that UTF-8 or a database cannot hold. */
  private static Optional<String> unstorable(JsonNode value) {
    if (value.isTextual()) {
      String text = value.textValue();
      return text.indexOf('\0') >= 0
          ? Optional.of("a text holds NUL")
          : UTF_8.newEncoder().canEncode(text)
              ? Optional.empty()
              : Optional.of("a text holds half of a surrogate pair");
    }
    for (JsonNode child : value) {
      Optional<String> problem = unstorable(child);
      if (problem.isPresent()) {
        return problem;
      }
    }
    return Optional.empty();
  }

  /** Appends a line; what is beyond {@link #MAX_LINE} is passed over. */
  private static boolean readLine(InputStream in, ByteArrayOutputStream line) throws IOException {
    for (int c = in.read(); c >= 0; c = in.read()) {
      if (c == '\n') {
        return true;
      }
      if (line.size() <= MAX_LINE) {
        line.write(c);
      }
    }
    return false;
  }
}
