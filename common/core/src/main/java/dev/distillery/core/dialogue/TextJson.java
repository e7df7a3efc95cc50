package dev.distillery.core.dialogue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Optional;

/** JSON values where a text is wanted, and texts that hold JSON. */
public final class TextJson {
  private static final ObjectMapper JSON = new ObjectMapper();

  private TextJson() {}

  /** A text as it is, a number or truth value as it is written, a list or object as JSON. */
  public static String text(JsonNode value) {
    return value.isValueNode() ? value.asText() : value.toString();
  }

  /** The value that a text holds, or nothing where it is no JSON. */
  public static Optional<JsonNode> tryParse(String text) {
    try {
      return Optional.ofNullable(JSON.readTree(text));
    } catch (JsonProcessingException e) {
      return Optional.empty();
    }
  }

  /**
   * The value that a text of ours holds.
   *
   * @throws IllegalArgumentException if it is no JSON
   */
  static JsonNode parse(String text) {
    return tryParse(text).orElseThrow(() -> new IllegalArgumentException("Not JSON: " + text));
  }
}
