package dev.distillery.core.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import com.fasterxml.jackson.databind.util.RawValue;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import java.io.IOException;
import java.util.regex.Pattern;

/**
 * YAML of one document whose values are the texts that stand there. What YAML makes of a plain
 * {@code 1.10}, {@code 010} or {@code no} is not what its writer meant; aliases and merges are
 * refused, as nothing says what they stand for where they are used.
 */
public final class YamlText {
  private static final YAMLFactory YAML =
      YAMLFactory.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(YAMLParser.Feature.EMPTY_STRING_AS_NULL)
          .build();

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

  /** Numbers that mean in JSON what they mean in YAML. */
  private static final Pattern NUMBER =
      Pattern.compile("-?(0|[1-9]\\d{0,400})(\\.\\d{1,400})?([eE][+-]?\\d{1,4})?");

  /** A value that was written without quotes, and that YAML would not take for a text. */
  private static final class Plain extends TextNode {
    private static final long serialVersionUID = 1L;

    Plain(String text) {
      super(text);
    }
  }

  private final String origin;
  private final YAMLParser parser;

  private YamlText(String origin, YAMLParser parser) {
    this.origin = origin;
    this.parser = parser;
  }

  /**
   * The document as a tree of mappings, lists, texts and nulls.
   *
   * @param origin the file's name, for messages
   * @throws JobException that names file and line of what is wrong
   */
  public static JsonNode read(String origin, String text) {
    try (YAMLParser parser = YAML.createParser(text)) {
      var reader = new YamlText(origin, parser);
      JsonNode root = parser.nextToken() == null ? MissingNode.getInstance() : reader.value();
      if (parser.nextToken() != null) {
        throw reader.refused("a second document begins; a recipe is one");
      }
      return root;
    } catch (JsonProcessingException e) {
      throw new JobException(
          ExitCode.INVALID,
          origin
              + ":"
              + (e.getLocation() == null ? 1 : e.getLocation().getLineNr())
              + ": Not YAML: "
              + e.getOriginalMessage(),
          e);
    } catch (IOException e) {
      throw new JobException(ExitCode.INVALID, origin + ": Cannot be read: " + e.getMessage(), e);
    }
  }

  private JsonNode value() throws IOException {
    JsonToken token = parser.currentToken();
    if (parser.isCurrentAlias()) {
      throw refused("the alias '*" + parser.getText() + "' is not read; write the value itself");
    }
    if (token == JsonToken.START_OBJECT) {
      return mapping();
    }
    if (token == JsonToken.START_ARRAY) {
      ArrayNode list = NODES.arrayNode();
      while (parser.nextToken() != JsonToken.END_ARRAY) {
        list.add(value());
      }
      return list;
    }
    return switch (token) {
      case VALUE_NULL -> NODES.nullNode();
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT, VALUE_TRUE, VALUE_FALSE ->
          new Plain(parser.getText());
      default -> NODES.textNode(parser.getText());
    };
  }

  private ObjectNode mapping() throws IOException {
    ObjectNode mapping = NODES.objectNode();
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String key = parser.currentName();
      if (parser.isCurrentAlias()) {
        throw refused("the alias '*" + key + "' is not read; write the key itself");
      }
      if (key.equals("<<")) {
        throw refused("the merge '<<' is not read; write the keys themselves");
      }
      parser.nextToken();
      mapping.set(key, value());
    }
    return mapping;
  }

  private JobException refused(String what) {
    return JobException.invalid(
        origin + ":" + parser.currentTokenLocation().getLineNr() + ": " + what);
  }

  /**
   * A value as JSON, with numbers and truth values as they are written.
   *
   * @throws JobException for a number that JSON would not read so
   */
  static String json(String origin, String key, JsonNode value) {
    try {
      return JSON.writeValueAsString(typed(origin, key, value));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private static JsonNode typed(String origin, String key, JsonNode value) {
    if (value.isObject()) {
      ObjectNode typed = NODES.objectNode();
      value
          .properties()
          .forEach(
              member ->
                  typed.set(
                      member.getKey(),
                      typed(origin, key + "." + member.getKey(), member.getValue())));
      return typed;
    }
    if (value.isArray()) {
      ArrayNode typed = NODES.arrayNode();
      value.forEach(element -> typed.add(typed(origin, key, element)));
      return typed;
    }
    if (!(value instanceof Plain)) {
      return value;
    }
    String text = value.textValue();
    if (text.equals("true") || text.equals("false") || NUMBER.matcher(text).matches()) {
      return (JsonNode) NODES.rawValueNode(new RawValue(text));
    }
    throw JobException.invalid(
        origin
            + ": Option '"
            + key
            + "': "
            + text
            + " is no number or truth value in JSON; write it so, or in quotes");
  }
}
