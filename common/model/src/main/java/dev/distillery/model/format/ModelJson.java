package dev.distillery.model.format;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.format.ModelFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;

/** A JSON object of a model's file, whose fields are read by type, or refused by name and value. */
public final class ModelJson {
  /** Longest JSON file that is read. The largest tokenizer.json in use have some 35 MB. */
  private static final long MAX_FILE_BYTES = 256L << 20;

  private static final ObjectMapper MAPPER =
      new ObjectMapper(
              JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build())
          .enable(SerializationFeature.INDENT_OUTPUT)
          .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS);

  private final Path file;
  private final String place;
  private final JsonNode node;
  private final Set<String> asked = new HashSet<>();

  private ModelJson(Path file, String place, JsonNode node) {
    this.file = file;
    this.place = place;
    this.node = node;
  }

  /**
   * Reads a file that holds one JSON object.
   *
   * @throws ModelFileException if it is missing, too long, not JSON or not an object
   */
  public static ModelJson read(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new ModelFileException(file, "there is no such file");
    }
    long size = Files.size(file);
    if (size > MAX_FILE_BYTES) {
      throw new ModelFileException(
          file, "it has " + size + " bytes, more than the " + MAX_FILE_BYTES + " that are read");
    }
    return parse(file, Files.readAllBytes(file));
  }

  /** Reads the JSON object in {@code bytes}; {@code file} is named in errors. */
  static ModelJson parse(Path file, byte[] bytes) throws ModelFileException {
    JsonNode node;
    try {
      node = MAPPER.readTree(bytes);
    } catch (JsonProcessingException e) {
      throw new ModelFileException(file, "it is not JSON: " + e.getOriginalMessage(), e);
    } catch (IOException e) {
      throw new ModelFileException(file, "it is not JSON: " + e.getMessage(), e);
    }
    if (node == null || !node.isObject()) {
      throw new ModelFileException(file, "it is not a JSON object");
    }
    return new ModelJson(file, "", node);
  }

  /** An empty object to fill and write. */
  public static ObjectNode newObject() {
    return MAPPER.createObjectNode();
  }

  /** The node as indented UTF-8. */
  public static byte[] bytes(JsonNode node) throws IOException {
    return MAPPER.writeValueAsBytes(node);
  }

  /** The node itself, for what has many forms. */
  public JsonNode node() {
    return node;
  }

  /** Whether the field is there and not null. */
  public boolean has(String field) {
    asked.add(field);
    return node.hasNonNull(field);
  }

  /** Whether the field is there and null, which may mean something else than a missing one. */
  boolean isNull(String field) {
    return node.path(field).isNull();
  }

  /** Says that a field is known, though its value does not matter here. */
  void skip(String field) {
    asked.add(field);
  }

  /** The fields that are there, not null, and that nothing has asked for, in order. */
  List<String> unread() {
    return node.properties().stream()
        .filter(entry -> !entry.getValue().isNull() && !asked.contains(entry.getKey()))
        .map(Map.Entry::getKey)
        .sorted()
        .toList();
  }

  /** An inner object, if it is there and not null. */
  public Optional<ModelJson> object(String field) throws ModelFileException {
    if (!has(field)) {
      return Optional.empty();
    }
    JsonNode inner = node.get(field);
    if (!inner.isObject()) {
      throw wrong(field, "an object");
    }
    return Optional.of(new ModelJson(file, place + field + ".", inner));
  }

  public String text(String field) throws ModelFileException {
    if (!has(field) || !node.get(field).isTextual()) {
      throw wrong(field, "a string");
    }
    return node.get(field).textValue();
  }

  public String text(String field, String fallback) throws ModelFileException {
    return has(field) ? text(field) : fallback;
  }

  public int integer(String field) throws ModelFileException {
    if (!has(field) || !node.get(field).isIntegralNumber() || !node.get(field).canConvertToInt()) {
      throw wrong(field, "an integer of 32 bits");
    }
    return node.get(field).intValue();
  }

  public int integer(String field, int fallback) throws ModelFileException {
    return has(field) ? integer(field) : fallback;
  }

  public double number(String field) throws ModelFileException {
    if (!has(field) || !node.get(field).isNumber()) {
      throw wrong(field, "a number");
    }
    return node.get(field).doubleValue();
  }

  public double number(String field, double fallback) throws ModelFileException {
    return has(field) ? number(field) : fallback;
  }

  public OptionalDouble optionalNumber(String field) throws ModelFileException {
    return has(field) ? OptionalDouble.of(number(field)) : OptionalDouble.empty();
  }

  public boolean bool(String field, boolean fallback) throws ModelFileException {
    if (!has(field)) {
      return fallback;
    }
    if (!node.get(field).isBoolean()) {
      throw wrong(field, "true or false");
    }
    return node.get(field).booleanValue();
  }

  /** An error that names the file, the field, its value and what it should be. */
  public ModelFileException wrong(String field, String expected) {
    JsonNode value = node.get(field);
    String shown = value == null ? "missing" : abbreviate(value.toString());
    return new ModelFileException(
        file, "field " + place + field + " should be " + expected + ", but is " + shown);
  }

  /** An error about the file as a whole. */
  public ModelFileException error(String problem) {
    return new ModelFileException(file, problem);
  }

  /** A value for an error's text, cut where it is long. */
  public static String abbreviate(String value) {
    return value.length() <= 80 ? value : value.substring(0, 77) + "...";
  }
}
