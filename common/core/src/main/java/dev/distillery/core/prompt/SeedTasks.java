package dev.distillery.core.prompt;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.distillery.core.run.JobException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Reads seed tasks in Self-Instruct's format: UTF-8 text, one JSON object on each line, with
 * exactly {@code id}, {@code name}, {@code instruction}, {@code instances} (objects of {@code
 * input} and {@code output}) and {@code is_classification}. The file of the original project reads
 * as it is.
 *
 * <p>Nothing is mended: a file with any problem is refused, and the refusal lists all of them (the
 * first {@value #MAX_PROBLEMS}, and how many more).
 */
public final class SeedTasks {
  /** Longest file, in bytes. */
  public static final int MAX_BYTES = 16 * 1024 * 1024;

  /** Longest text field, in characters. */
  public static final int MAX_FIELD_CHARS = 100_000;

  static final int MAX_PROBLEMS = 100;

  private static final Set<String> FIELDS =
      Set.of("id", "name", "instruction", "instances", "is_classification");
  private static final Set<String> INSTANCE_FIELDS = Set.of("input", "output");

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private final String file;

  /** The first problems; beyond {@link #MAX_PROBLEMS} they are counted only. */
  private final List<String> problems = new ArrayList<>();

  private long problemCount;
  private final Map<String, Integer> lineOfId = new HashMap<>();
  private int line;

  private SeedTasks(String file) {
    this.file = file;
  }

  /**
   * Reads a file.
   *
   * @throws JobException where the file is not as the class says
   * @throws IOException where it cannot be read
   */
  public static List<SeedTask> read(Path path) throws IOException {
    try (InputStream in = Files.newInputStream(path)) {
      return read(in, path.toString());
    }
  }

  /**
   * Reads a stream to its end, and leaves it open.
   *
   * @param name what messages call the file
   * @throws JobException where the content is not as the class says
   * @throws IOException where it cannot be read
   */
  public static List<SeedTask> read(InputStream in, String name) throws IOException {
    return new SeedTasks(name).parse(in.readNBytes(MAX_BYTES + 1));
  }

  private List<SeedTask> parse(byte[] bytes) {
    var tasks = new ArrayList<SeedTask>();
    if (bytes.length > MAX_BYTES) {
      add(file + ": is longer than " + MAX_BYTES + " bytes; give fewer seed tasks");
    } else if (bytes.length == 0) {
      add(file + ": is empty; give one JSON object on each line");
    } else {
      int start = 0;
      while (start < bytes.length) {
        int end = start;
        while (end < bytes.length && bytes[end] != '\n') {
          end++;
        }
        line++;
        decode(ByteBuffer.wrap(bytes, start, end - start))
            .flatMap(this::json)
            .flatMap(this::task)
            .ifPresent(tasks::add);
        start = end + 1;
      }
    }
    if (problemCount > 0) {
      if (problemCount > problems.size()) {
        problems.add("and " + (problemCount - problems.size()) + " more");
      }
      throw JobException.invalid(problems);
    }
    return List.copyOf(tasks);
  }

  private Optional<String> decode(ByteBuffer bytes) {
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
      if (line == 1 && text.startsWith("\uFEFF")) {
        return problem("starts with a byte order mark; save the file as UTF-8 without one");
      }
      if (text.isBlank()) {
        return problem("the line is blank; remove it");
      }
      return Optional.of(text);
    } catch (CharacterCodingException e) {
      return problem("is not valid UTF-8; save the file as UTF-8");
    }
  }

  private Optional<JsonNode> json(String text) {
    try {
      JsonNode node = JSON.readTree(text);
      if (!node.isObject()) {
        return problem("holds " + kind(node) + "; give one JSON object on each line");
      }
      return Optional.of(node);
    } catch (MismatchedInputException e) {
      return problem("holds more than one JSON value; give one JSON object on each line");
    } catch (JsonProcessingException e) {
      String where = e.getLocation() == null ? "" : " at column " + e.getLocation().getColumnNr();
      return problem("is not one JSON object" + where + ": " + firstLine(e.getOriginalMessage()));
    }
  }

  private Optional<SeedTask> task(JsonNode node) {
    long before = problemCount;
    refuseUnknown(node, "", FIELDS);
    String id = text(node, "id", "id", false);
    String name = text(node, "name", "name", false);
    String instruction = text(node, "instruction", "instruction", false);
    List<TaskInstance> instances = instances(node);
    JsonNode classification = node.path("is_classification");
    if (!classification.isBoolean()) {
      problem("is_classification: " + found(classification) + "; give true or false");
    }
    if (!id.isBlank()) {
      Integer earlier = lineOfId.putIfAbsent(id, line);
      if (earlier != null) {
        problem("id: \"" + id + "\" is also on line " + earlier + "; give each task its own id");
      }
    }
    return problemCount > before
        ? Optional.empty()
        : Optional.of(
            new SeedTask(id, name, instruction, instances, classification.booleanValue()));
  }

  private List<TaskInstance> instances(JsonNode node) {
    JsonNode array = node.path("instances");
    if (!array.isArray()) {
      problem("instances: " + found(array) + "; give a list of {\"input\", \"output\"} objects");
      return List.of();
    }
    if (array.isEmpty()) {
      problem("instances: is empty; give at least one {\"input\", \"output\"} object");
    }
    var instances = new ArrayList<TaskInstance>();
    for (int i = 0; i < array.size(); i++) {
      JsonNode item = array.get(i);
      String field = "instances[" + i + "]";
      if (!item.isObject()) {
        problem(field + ": " + found(item) + "; give an {\"input\", \"output\"} object");
        continue;
      }
      refuseUnknown(item, field + ".", INSTANCE_FIELDS);
      instances.add(
          new TaskInstance(
              text(item, "input", field + ".input", true),
              text(item, "output", field + ".output", false)));
    }
    return instances;
  }

  /** The field's text; empty, and a problem, where it is not one. */
  private String text(JsonNode node, String key, String field, boolean mayBeBlank) {
    JsonNode value = node.path(key);
    if (!value.isTextual()) {
      problem(field + ": " + found(value) + "; give a text");
      return "";
    }
    String text = value.textValue();
    if (!mayBeBlank && text.isBlank()) {
      problem(field + ": is blank; give a text");
      return "";
    }
    if (text.length() > MAX_FIELD_CHARS) {
      problem(field + ": has " + text.length() + " characters; at most " + MAX_FIELD_CHARS);
      return "";
    }
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
      problem(
          field + ": holds half of a surrogate pair; escape both halves or write the character");
      return "";
    }
    return text;
  }

  private void refuseUnknown(JsonNode node, String prefix, Set<String> known) {
    node.fieldNames()
        .forEachRemaining(
            name -> {
              if (!known.contains(name)) {
                problem(
                    prefix
                        + name
                        + ": is not a known field; remove it (known: "
                        + String.join(", ", known.stream().sorted().toList())
                        + ")");
              }
            });
  }

  private <T> Optional<T> problem(String what) {
    add(file + ":" + line + ": " + what);
    return Optional.empty();
  }

  private void add(String problem) {
    problemCount++;
    if (problems.size() < MAX_PROBLEMS) {
      problems.add(problem);
    }
  }

  private static String found(JsonNode value) {
    return value.isMissingNode() ? "is missing" : "is " + kind(value);
  }

  private static String kind(JsonNode node) {
    return switch (node.getNodeType()) {
      case ARRAY -> "a list";
      case BOOLEAN -> "true or false";
      case NULL -> "null";
      case NUMBER -> "a number";
      case OBJECT, POJO -> "an object";
      case STRING -> "a text";
      case BINARY, MISSING -> "nothing";
    };
  }

  private static String firstLine(String message) {
    return message.lines().findFirst().orElse("");
  }
}
