package dev.distillery.datasets;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.datasets.read.Layout;
import dev.distillery.datasets.read.RawRow;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** From a row's bytes to an object that can be trusted: valid, not too deep, its texts storable. */
public final class RowParser {
  /** No source nests deeper than a tree of replies, and those stay far below this. */
  public static final int MAX_DEPTH = 500;

  /** A row of empty objects takes far more memory than its bytes. */
  static final long MAX_TOKENS = 1_000_000;

  private final ObjectMapper mapper;

  /**
   * A parser.
   *
   * @param maxRowBytes no text in a row can be longer than the row
   */
  public RowParser(int maxRowBytes) {
    this.mapper =
        JsonMapper.builder(
                JsonFactory.builder()
                    .streamReadConstraints(
                        StreamReadConstraints.builder()
                            .maxNestingDepth(MAX_DEPTH)
                            .maxStringLength(maxRowBytes)
                            .maxNameLength(10_000)
                            .maxTokenCount(MAX_TOKENS)
                            .build())
                    .build())
            .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
            // A number that stands for a text keeps its digits.
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
            .build();
  }

  /**
   * The object that a row holds; empty for a line of an XML dump that is no row.
   *
   * @throws RejectedRowException with {@code invalid_json}, {@code too_deep}, {@code invalid_utf8},
   *     {@code not_an_object}, {@code invalid_xml}, {@code lone_surrogate} or {@code nul_character}
   */
  public Optional<ObjectNode> parse(RawRow raw, Layout layout) throws RejectedRowException {
    return switch (layout) {
      case JSON_LINES, JSON_ARRAY, JSON_VALUES, JSON_SPLITS -> Optional.of(parseJson(raw.bytes()));
      case XML_ROWS -> XmlRow.parse(decode(raw.bytes()), mapper.createObjectNode());
      case TEXT_LINES, WHOLE_FILE -> Optional.of(parseText(raw.bytes()));
    };
  }

  private ObjectNode parseText(byte[] bytes) throws RejectedRowException {
    String text = decode(bytes);
    checkText(text);
    return mapper.createObjectNode().put("text", text);
  }

  private static String decode(byte[] bytes) throws RejectedRowException {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new RejectedRowException("invalid_utf8", "The row is not UTF-8: " + e.getMessage());
    }
  }

  private ObjectNode parseJson(byte[] bytes) throws RejectedRowException {
    JsonNode node;
    try {
      node = mapper.readTree(bytes);
    } catch (StreamConstraintsException e) {
      boolean many = e.getMessage().contains("Token count");
      throw new RejectedRowException(
          many ? "too_many_values" : "too_deep",
          many
              ? "The row has more than " + MAX_TOKENS + " brackets, names and values"
              : "Nested too deeply, or a number or name too long");
    } catch (JsonProcessingException e) {
      String message = e.getOriginalMessage();
      String rule = message.contains("UTF-8") ? "invalid_utf8" : "invalid_json";
      long at = e.getLocation() == null ? 0 : e.getLocation().getByteOffset();
      throw new RejectedRowException(rule, message + " (byte " + at + " of the row)");
    } catch (IOException e) {
      throw new RejectedRowException("invalid_utf8", String.valueOf(e.getMessage()));
    }
    if (!(node instanceof ObjectNode object)) {
      throw new RejectedRowException(
          "not_an_object", "Expected a JSON object, found " + node.getNodeType());
    }
    checkTexts(object);
    return object;
  }

  private static void checkTexts(JsonNode node) throws RejectedRowException {
    if (node.isTextual()) {
      checkText(node.textValue());
    } else if (node.isContainerNode()) {
      for (JsonNode child : node) {
        checkTexts(child);
      }
    }
  }

  /** Rejects text that UTF-8 or a database cannot hold. */
  public static void checkText(String text) throws RejectedRowException {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == 0) {
        throw new RejectedRowException("nul_character", "Character " + i + " of a text is NUL");
      }
      if (Character.isSurrogate(c)) {
        boolean pair = i + 1 < text.length() && Character.isSurrogatePair(c, text.charAt(i + 1));
        if (!pair) {
          throw new RejectedRowException(
              "lone_surrogate", "Character " + i + " of a text is half of a pair");
        }
        i++;
      }
    }
  }
}
