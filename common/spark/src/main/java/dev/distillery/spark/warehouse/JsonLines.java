package dev.distillery.spark.warehouse;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.input_file_name;

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
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.compress.CompressionCodec;
import org.apache.hadoop.io.compress.CompressionCodecFactory;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.StructType;

/**
 * Finds the line that Spark stumbled over: its own words name neither file nor line. Executors look
 * for a file that has one; the driver then counts that file's lines, in a bounded part of it, and
 * ends where its thread is interrupted.
 */
final class JsonLines {
  /** So much text the driver reads to give a line its number. */
  private static final long MAX_COUNTED = 1L << 30;

  /** Longer lines are not looked into. */
  private static final int MAX_LINE = 64 << 20;

  private static final String RETURN_ENDS_LINES =
      "; the line ends in a carriage return (\\r"
          + ") alone: where that is none between rows, take it out, as by tr -d '\\r"
          + "'";

  private static final String ARRAY =
      "; where the whole file is one JSON array, write its rows a line each, as by jq -c '.[]'";

  private static final StructType PROBLEM =
      new StructType().add("file", "string").add("problem", "string");

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

  /**
   * A line of the files that is no JSON object, as "file, line: what is wrong"; without the line's
   * number where it is far behind in a long file.
   *
   * @param lines the lines to look at, in a column {@code value}
   */
  static Optional<String> problem(
      Dataset<Row> lines, Collection<FileStatus> files, Configuration hadoop) {
    List<Row> found;
    try {
      found =
          lines
              .select(input_file_name(), col("value").cast("binary"))
              .flatMap(new Problems(), Encoders.row(PROBLEM))
              .takeAsList(1);
    } catch (Exception e) {
      if (isInterruption(e)) {
        throw e;
      }
      // A file that cannot be read at all: the driver says which.
      return firstProblem(files, hadoop, MAX_COUNTED);
    }
    if (found.isEmpty()) {
      return Optional.empty();
    }
    String name = found.get(0).getString(0);
    List<FileStatus> named = files.stream().filter(file -> isCalled(file.getPath(), name)).toList();
    return firstProblem(named.isEmpty() ? files : named, hadoop, MAX_COUNTED)
        .or(
            () ->
                Optional.of(
                    (named.isEmpty() ? name : named.get(0).getPath())
                        + ", a line far behind: "
                        + found.get(0).getString(1)));
  }

  /** Spark writes a path as a URI, with three slashes before a local one. */
  private static boolean isCalled(Path file, String name) {
    String plain = name.replaceFirst("^file:///", "file:/");
    return plain.equals(file.toString()) || plain.equals(file.toUri().toString());
  }

  /** Whether a failure is that this thread was told to end. */
  static boolean isInterruption(Exception failure) {
    return failure instanceof InterruptedException
        || failure.getCause() instanceof InterruptedException;
  }

  /** Files and what is wrong in them, as executors find it. */
  private static final class Problems implements FlatMapFunction<Row, Row> {
    private static final long serialVersionUID = 1L;

    @Override
    public Iterator<Row> call(Row line) {
      byte[] bytes = line.getAs(1);
      return (bytes.length > MAX_LINE ? Optional.<String>empty() : problem(bytes))
          .map(problem -> RowFactory.create(line.getString(0), problem)).stream().iterator();
    }
  }

  /**
   * The first such line in the first {@code most} bytes of the files.
   *
   * @throws UncheckedIOException where a file cannot be read, or the thread is interrupted
   */
  static Optional<String> firstProblem(
      Collection<FileStatus> files, Configuration hadoop, long most) {
    var left = new AtomicLong(most);
    for (FileStatus file : files) {
      try {
        Optional<String> problem = firstProblem(file, hadoop, left);
        if (problem.isPresent()) {
          return problem;
        }
      } catch (InterruptedIOException e) {
        throw new UncheckedIOException(e);
      } catch (IOException e) {
        throw new UncheckedIOException("Cannot read " + file.getPath() + ": " + e.getMessage(), e);
      }
    }
    return Optional.empty();
  }

  private static Optional<String> firstProblem(
      FileStatus file, Configuration hadoop, AtomicLong left) throws IOException {
    CompressionCodec codec = new CompressionCodecFactory(hadoop).getCodec(file.getPath());
    try (InputStream stored = PathNames.fileSystem(file.getPath(), hadoop).open(file.getPath());
        InputStream plain = codec == null ? stored : codec.createInputStream(stored);
        var lines = new BufferedInputStream(plain, 1 << 16)) {
      var line = new ByteArrayOutputStream();
      for (long number = 1; left.get() > 0; number++) {
        if (Thread.currentThread().isInterrupted()) {
          throw new InterruptedIOException(
              "Told to end in line " + number + " of " + file.getPath());
        }
        line.reset();
        LineEnd end = readLine(lines, line, left);
        boolean whole = line.size() <= MAX_LINE && left.get() >= 0;
        Optional<String> problem = whole ? problem(line.toByteArray()) : Optional.empty();
        if (problem.isPresent()) {
          return Optional.of(
              file.getPath()
                  + ", line "
                  + number
                  + ": "
                  + problem.get()
                  + (end == LineEnd.RETURN ? RETURN_ENDS_LINES : "")
                  + (number == 1 && line.toString(UTF_8).startsWith("[") ? ARRAY : ""));
        }
        if (end == LineEnd.LAST) {
          return Optional.empty();
        }
      }
      return Optional.empty();
    }
  }

  private static Optional<String> problem(byte[] bytes) {
    boolean begins = new String(bytes, 0, Math.min(bytes.length, 100), UTF_8).isBlank();
    if (begins && new String(bytes, UTF_8).isBlank()) {
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

  /** What a line ended in: as Spark has it, a carriage return alone ends one too. */
  private enum LineEnd {
    FEED,
    RETURN,
    LAST
  }

  /**
   * Appends a line; what is beyond {@link #MAX_LINE} is passed over.
   *
   * @return {@code LAST} at the file's end, or where no more may be read
   */
  private static LineEnd readLine(
      BufferedInputStream in, ByteArrayOutputStream line, AtomicLong left) throws IOException {
    for (int c = in.read(); c >= 0 && left.decrementAndGet() >= 0; c = in.read()) {
      if (c == '\n') {
        return LineEnd.FEED;
      }
      if (c == '\r') {
        in.mark(1);
        if (in.read() != '\n') {
          in.reset();
          return LineEnd.RETURN;
        }
        left.decrementAndGet();
        return LineEnd.FEED;
      }
      if (line.size() <= MAX_LINE) {
        line.write(c);
      }
    }
    return LineEnd.LAST;
  }
}
