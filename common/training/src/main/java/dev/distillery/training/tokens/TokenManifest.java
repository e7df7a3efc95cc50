package dev.distillery.training.tokens;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeType;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * What a token table consists of: the file {@code manifest.json} (version 4), written last, whole
 * or not at all. Members: {@code version}, {@code key}, {@code folder} (of the parts, beside the
 * manifest), {@code settings} (for people), {@code parts} (an object each, in the order of the
 * rows: file, rows, bytes, tokens, learned, longest, cut, shared, ends), {@code counts} and {@code
 * rejects}.
 *
 * @param key see {@link TokenTables}
 * @param folder of the parts
 * @param settings what the key was made of, for people
 * @param parts in the order of the rows
 * @param counts what became of the input
 */
record TokenManifest(
    String key, String folder, String settings, List<TokenPart> parts, TokenCounts counts) {
  static final int VERSION = 4;
  static final String FILE = "manifest.json";

  /** Of rows, tokens or bytes: no sum of a manifest's overflows. */
  private static final long MOST = 1L << 42;

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]{0,200}");
  private static final ObjectMapper JSON = new ObjectMapper();

  TokenManifest {
    parts = List.copyOf(parts);
  }

  String toJson() {
    ObjectNode json = JSON.createObjectNode();
    json.put("version", VERSION).put("key", key).put("folder", folder).put("settings", settings);
    ArrayNode list = json.putArray("parts");
    for (TokenPart part : parts) {
      list.addObject()
          .put("file", part.file())
          .put("rows", part.rows())
          .put("bytes", part.bytes())
          .put("tokens", part.tokens())
          .put("learned", part.learned())
          .put("longest", part.longest())
          .put("cut", part.cut())
          .put("shared", part.shared())
          .put("ends", part.ends());
    }
    json.set("counts", JSON.valueToTree(counts.figures()));
    json.set("rejects", JSON.valueToTree(new TreeMap<>(counts.rejects())));
    return json.toPrettyString() + "\n";
  }

  /**
   * Reads a manifest.
   *
   * @throws IOException if it is not whole, or of another version
   */
  static TokenManifest parse(String text) throws IOException {
    JsonNode json = JSON.readTree(text);
    if (json.path("version").asInt() != VERSION) {
      throw new IOException(
          "its version is " + json.path("version") + ", and " + VERSION + " is read");
    }
    List<TokenPart> parts = new ArrayList<>();
    for (JsonNode part : member(json, "parts", JsonNodeType.ARRAY)) {
      parts.add(
          new TokenPart(
              name(part, "file"),
              number(part, "rows"),
              number(part, "bytes"),
              number(part, "tokens"),
              number(part, "learned"),
              (int) number(part, "longest", Integer.MAX_VALUE),
              number(part, "cut"),
              number(part, "shared"),
              number(part, "ends")));
    }
    JsonNode counts = json.path("counts");
    Map<String, Long> rejects = new TreeMap<>();
    JsonNode rules = member(json, "rejects", JsonNodeType.OBJECT);
    for (var rule : rules.properties()) {
      rejects.put(rule.getKey(), number(rules, rule.getKey()));
    }
    return new TokenManifest(
        member(json, "key", JsonNodeType.STRING).textValue(),
        name(json, "folder"),
        member(json, "settings", JsonNodeType.STRING).textValue(),
        parts,
        new TokenCounts(
            number(counts, "rows_read"),
            number(counts, "rows_kept"),
            number(counts, "rows_cut"),
            number(counts, "rows_split"),
            number(counts, "rows_without_stop"),
            number(counts, "rows_ending_with_user"),
            number(counts, "empty_answers"),
            number(counts, "tokens_read"),
            number(counts, "tokens_cut"),
            number(counts, "tokens_shared"),
            number(counts, "ends_added"),
            rejects));
  }

  private static JsonNode member(JsonNode node, String field, JsonNodeType type)
      throws IOException {
    JsonNode value = node.path(field);
    if (value.getNodeType() != type) {
      throw new IOException(
          "its field " + field + " is " + value.getNodeType() + " and must be " + type);
    }
    return value;
  }

  /** The name of what lies beside the manifest, and nowhere else. */
  private static String name(JsonNode node, String field) throws IOException {
    String name = member(node, field, JsonNodeType.STRING).textValue();
    if (!NAME.matcher(name).matches()) {
      throw new IOException("its field " + field + " is '" + name + "' and must be a name");
    }
    return name;
  }

  private static long number(JsonNode node, String field) throws IOException {
    return number(node, field, MOST);
  }

  private static long number(JsonNode node, String field, long most) throws IOException {
    JsonNode value = node.path(field);
    if (!value.isIntegralNumber()
        || !value.canConvertToLong()
        || value.longValue() < 0
        || value.longValue() > most) {
      throw new IOException("its field " + field + " is " + value + " and must be a count");
    }
    return value.longValue();
  }
}
