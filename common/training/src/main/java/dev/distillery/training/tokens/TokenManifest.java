package dev.distillery.training.tokens;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

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
    for (JsonNode part : json.withArray("parts")) {
      parts.add(
          new TokenPart(
              part.path("file").asText(),
              number(part, "rows"),
              number(part, "bytes"),
              number(part, "tokens"),
              number(part, "learned"),
              (int) number(part, "longest"),
              number(part, "cut"),
              number(part, "shared"),
              number(part, "ends")));
    }
    JsonNode counts = json.path("counts");
    Map<String, Long> rejects = new TreeMap<>();
    json.path("rejects").properties().forEach(e -> rejects.put(e.getKey(), e.getValue().asLong()));
    return new TokenManifest(
        json.path("key").asText(),
        json.path("folder").asText(),
        json.path("settings").asText(),
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

  private static long number(JsonNode node, String field) throws IOException {
    JsonNode value = node.path(field);
    if (!value.isIntegralNumber() || value.longValue() < 0) {
      throw new IOException("its field " + field + " is " + value + " and must be a count");
    }
    return value.longValue();
  }
}
