package dev.distillery.model.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.core.format.ModelFileException;
import dev.distillery.model.format.ModelJson;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Reads Mistral's own tekken.json as mistral-common does: the bytes of the tokens by rank, behind
 * the marks, of which those without a name are called {@code <SPECIAL_i>}. A pair merges where the
 * two together are a token, the lowest rank first; a piece that is a token is taken as it is.
 */
final class TekkenJson {
  static final String FILE = "tekken.json";

  /** The longest token of a published file has 78. */
  private static final int MAX_TOKEN_BYTES = 256;

  /** Published files have 1,000. */
  private static final int MAX_MARKS = 1 << 16;

  /** Of all merges together; the largest published vocabulary makes some 2 million. */
  private static final long MAX_MERGE_CHARACTERS = 64L << 20;

  private static final int BYTES = 256;

  private static final Set<String> VERSIONS =
      new LinkedHashSet<>(List.of("v1", "v2", "v3", "v7", "v11", "v13", "v15"));

  /** Versions whose files may leave {@link #MARKS} out. */
  private static final Set<String> WITHOUT_MARKS = Set.of("v1", "v2", "v3", "v7");

  private static final List<String> MARKS =
      List.of(
          "<unk>",
          "<s>",
          "</s>",
          "[INST]",
          "[/INST]",
          "[AVAILABLE_TOOLS]",
          "[/AVAILABLE_TOOLS]",
          "[TOOL_RESULTS]",
          "[/TOOL_RESULTS]",
          "[TOOL_CALLS]",
          "[IMG]",
          "<pad>",
          "[IMG_BREAK]",
          "[IMG_END]",
          "[PREFIX]",
          "[MIDDLE]",
          "[SUFFIX]",
          "[SYSTEM_PROMPT]",
          "[/SYSTEM_PROMPT]",
          "[TOOL_CONTENT]");

  /** What is of no text: pictures, sound, and forms of requests. */
  private static final Set<String> WITHOUT_EFFECT =
      Set.of("type", "version", "image", "multimodal", "audio", "model_settings_builder");

  private final ModelJson json;
  private final ModelJson config;
  private final Map<String, Integer> vocabulary = new HashMap<>();
  private final List<String> spellings = new ArrayList<>();

  private TekkenJson(ModelJson json) throws ModelFileException {
    this.json = json;
    this.config = json.object("config").orElseThrow(() -> json.wrong("config", "an object"));
  }

  static Tokenizer read(ModelJson json) throws ModelFileException {
    try {
      return new TekkenJson(json).read();
    } catch (IllegalArgumentException e) {
      throw json.error(e.getMessage());
    }
  }

  private Tokenizer read() throws ModelFileException {
    Set<String> known = new TreeSet<>(WITHOUT_EFFECT);
    known.addAll(List.of("config", "vocab", "special_tokens"));
    for (Map.Entry<String, JsonNode> field : json.node().properties()) {
      if (!known.contains(field.getKey()) && !field.getValue().isNull()) {
        throw json.wrong(field.getKey(), "absent: it is not known what it does to a text");
      }
    }
    String version = config.text("version");
    if (!VERSIONS.contains(version)) {
      throw config.wrong("version", "one of " + String.join(", ", VERSIONS));
    }
    PreTokenizer pattern =
        PreTokenizer.ofPattern(config.text("pattern"))
            .orElseThrow(() -> config.wrong("pattern", "Tekken's"));
    int size = config.integer("default_vocab_size");
    int marks = config.integer("default_num_special_tokens");
    if (marks < 0 || marks > MAX_MARKS) {
      throw config.wrong("default_num_special_tokens", "0 to " + MAX_MARKS);
    }
    int ranks = json.node().path("vocab").size();
    if (size < marks + BYTES || size > Math.min(Vocabulary.MAX_SIZE, (long) marks + ranks)) {
      throw config.wrong(
          "default_vocab_size",
          "%s marks with %s to all %s tokens of vocab, and %s at most"
              .formatted(marks, BYTES, ranks, Vocabulary.MAX_SIZE));
    }
    List<AddedToken> added = marks(version, marks);
    readVocabulary(size - marks, marks);
    for (AddedToken mark : added) {
      if (vocabulary.containsKey(mark.content())) {
        throw json.error("mark " + mark.content() + " is spelt as the token of a text is");
      }
    }
    int[] prefix =
        added.stream()
            .filter(mark -> mark.content().equals("<s>"))
            .mapToInt(AddedToken::id)
            .toArray();
    return new ByteLevelBpe(pattern, vocabulary, merges(), added, true, false, prefix, new int[0]);
  }

  private List<AddedToken> marks(String version, int count) throws ModelFileException {
    List<String> names = new ArrayList<>();
    if (json.has("special_tokens")) {
      for (JsonNode mark : json.node().get("special_tokens")) {
        String name = mark.path("token_str").asText();
        if (mark.path("rank").asInt(-1) != names.size() || name.isEmpty()) {
          throw json.error(
              "special token %s has another rank, or no token_str: %s"
                  .formatted(names.size(), ModelJson.abbreviate(mark.toString())));
        }
        names.add(name);
      }
    } else if (WITHOUT_MARKS.contains(version)) {
      names.addAll(MARKS);
    } else {
      throw json.wrong("special_tokens", "there, as from version v11 on");
    }
    if (names.size() > count) {
      throw config.wrong(
          "default_num_special_tokens", "the %s of the file at least".formatted(names.size()));
    }
    while (names.size() < count) {
      names.add("<SPECIAL_" + names.size() + ">");
    }
    Set<String> different = new TreeSet<>();
    List<AddedToken> added = new ArrayList<>();
    for (String name : names) {
      if (!different.add(name)) {
        throw json.error("special token " + name + " is there twice");
      }
      added.add(AddedToken.special(added.size(), name));
    }
    return added;
  }

  private void readVocabulary(int count, int marks) throws ModelFileException {
    JsonNode tokens = json.node().get("vocab");
    for (int rank = 0; rank < count; rank++) {
      JsonNode token = tokens.path(rank);
      byte[] bytes = bytes(token, rank);
      StringBuilder spelling = new StringBuilder();
      for (byte b : bytes) {
        spelling.append(ByteAlphabet.charOf(b & 0xFF));
      }
      if (token.path("rank").asInt(-1) != rank) {
        throw wrong(rank, "another rank", token);
      }
      if (rank < BYTES && (bytes.length != 1 || (bytes[0] & 0xFF) != rank)) {
        throw wrong(rank, "bytes other than its own", token);
      }
      if (vocabulary.put(spelling.toString(), marks + rank) != null) {
        throw wrong(rank, "the bytes of an earlier one", token);
      }
      spellings.add(spelling.toString());
    }
  }

  private byte[] bytes(JsonNode token, int rank) throws ModelFileException {
    byte[] bytes;
    try {
      bytes = Base64.getDecoder().decode(token.path("token_bytes").asText());
    } catch (IllegalArgumentException e) {
      throw wrong(rank, "token_bytes that are not Base64", token);
    }
    if (bytes.length == 0 || bytes.length > MAX_TOKEN_BYTES) {
      throw wrong(rank, bytes.length + " bytes, not 1 to " + MAX_TOKEN_BYTES, token);
    }
    return bytes;
  }

  private ModelFileException wrong(int rank, String found, JsonNode token) {
    return json.error(
        "token %s of vocab has %s: %s"
            .formatted(rank, found, ModelJson.abbreviate(token.toString())));
  }

  /** The pairs that make a token, in the order of the tokens, then of the halves. */
  private List<String> merges() throws ModelFileException {
    record Halves(String text, int left, int right) {}
    List<String> merges = new ArrayList<>();
    long characters = 0;
    for (String spelling : spellings) {
      List<Halves> ways = new ArrayList<>();
      for (int cut = 1; cut < spelling.length(); cut++) {
        Integer left = vocabulary.get(spelling.substring(0, cut));
        Integer right = vocabulary.get(spelling.substring(cut));
        if (left != null && right != null) {
          ways.add(
              new Halves(spelling.substring(0, cut) + " " + spelling.substring(cut), left, right));
        }
      }
      characters += (long) ways.size() * (spelling.length() + 1);
      if (characters > MAX_MERGE_CHARACTERS) {
        throw json.error(
            "the tokens of vocab are joined from pairs in so many ways that their merges have more than %s characters, which is all that is read: token %s has %s"
                .formatted(MAX_MERGE_CHARACTERS, vocabulary.get(spelling), ways.size()));
      }
      ways.sort(Comparator.comparingInt(Halves::left).thenComparingInt(Halves::right));
      ways.forEach(way -> merges.add(way.text()));
    }
    return merges;
  }
}
