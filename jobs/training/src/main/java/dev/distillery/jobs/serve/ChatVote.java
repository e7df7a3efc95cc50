package dev.distillery.jobs.serve;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.dialogue.Message;
import dev.distillery.core.dialogue.MessageJson;
import dev.distillery.spark.warehouse.StableIds;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What somebody says of an answer, or of two to one dialogue: a row of the table judgements. A
 * thumb is a row with one answer, the criterion {@code thumb} and the score 1 or 0.
 *
 * @param row columns of the table, those that say something: of a column that is null in every row
 *     of a file a reader would not know the type
 * @param takenBack whether an earlier vote is to go and none to come
 */
record ChatVote(ObjectNode row, boolean takenBack) {
  private static final String THUMB = "thumb";
  private static final Set<String> VERDICTS = Set.of("a", "b", "tie", "both_bad");
  private static final Set<String> SIDES = Set.of("a", "b");
  private static final int MOST_JUDGE = 100;
  private static final String[] KEY = {"id", "judge", "criterion", "model_a", "model_b"};

  /** Members of a request; all but the first are columns as they come. */
  private static final Set<String> MEMBERS =
      Set.of(
          "prompt",
          "model_a",
          "model_b",
          "answer_a",
          "answer_b",
          "verdict",
          "judge",
          "shown_first",
          "criterion",
          "score");

  /**
   * The vote of a request's body: columns of the table, the prompt as a list of messages; a {@code
   * score} or {@code verdict} of null takes an earlier vote back.
   *
   * @param models that may have answered
   * @throws ApiException where it is none, naming the member
   */
  static ChatVote read(byte[] body, List<String> models) throws ApiException {
    ObjectNode given = ApiRequestReader.object(body);
    for (var member : given.properties()) {
      if (!MEMBERS.contains(member.getKey())) {
        throw ApiException.parameter(member.getKey(), "not known here");
      }
    }
    boolean pair = given.hasNonNull("answer_b");
    String decision = pair ? "verdict" : "score";
    if (!given.has(decision)) {
      throw ApiException.parameter(decision, "expected it, or null to take a vote back");
    }
    for (String other : pair ? List.of("criterion", "score") : List.of("verdict", "model_b")) {
      if (given.hasNonNull(other)) {
        throw ApiException.parameter(
            other, "of %s nothing is said by it".formatted(pair ? "two answers" : "one answer"));
      }
    }
    String prompt = prompt(given.path("prompt"));
    String a = text(given, "answer_a");
    @Nullable String b = pair ? text(given, "answer_b") : null;
    ObjectNode row = JsonNodeFactory.instance.objectNode();
    row.put("id", pair ? StableIds.of("vote", prompt, a, "" + b) : StableIds.of("vote", prompt, a));
    row.put("prompt", prompt);
    row.put("model_a", oneOf(given, "model_a", models)).put("answer_a", a);
    if (pair) {
      row.put("model_b", oneOf(given, "model_b", models)).put("answer_b", b);
    }
    boolean takenBack = given.path(decision).isNull();
    if (pair && !takenBack) {
      row.put("verdict", oneOf(given, "verdict", VERDICTS));
    }
    row.put("judge", judge(given));
    if (given.hasNonNull("shown_first")) {
      row.put("shown_first", oneOf(given, "shown_first", SIDES));
    }
    if (!pair) {
      row.put("criterion", oneOf(given, "criterion", Set.of(THUMB)));
    }
    if (!pair && !takenBack) {
      row.put("score", score(given.path("score")));
    }
    row.put("source", "serve").put("license", "NOASSERTION");
    return new ChatVote(row, takenBack);
  }

  /** Who says what of which answers: of votes with one key the latest counts. */
  String key() {
    return key(row);
  }

  /** The key of a row. */
  static String key(JsonNode row) {
    String[] parts = new String[KEY.length];
    for (int i = 0; i < parts.length; i++) {
      parts[i] = row.path(KEY[i]).asText("");
    }
    return StableIds.of(parts);
  }

  /** A dialogue as the table has it. */
  private static String prompt(JsonNode given) throws ApiException {
    ArrayNode messages = JsonNodeFactory.instance.arrayNode();
    for (Message message : ApiRequestReader.messages(given, "prompt")) {
      messages.add(MessageJson.write(message));
    }
    String prompt = messages.toString();
    check("prompt", prompt);
    return prompt;
  }

  private static String text(ObjectNode given, String name) throws ApiException {
    JsonNode value = given.path(name);
    if (!value.isTextual()) {
      throw ApiException.parameter(name, "expected a text");
    }
    check(name, value.textValue());
    return value.textValue();
  }

  /** Neither files in UTF-8 nor databases hold these. */
  private static void check(String name, String text) throws ApiException {
    if (text.indexOf('\0') >= 0 || !StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
      throw ApiException.parameter(name, "it holds NUL or half of a surrogate pair");
    }
  }

  private static String judge(ObjectNode given) throws ApiException {
    String judge = text(given, "judge").strip();
    if (judge.isEmpty()
        || judge.length() > MOST_JUDGE
        || judge.chars().anyMatch(Character::isISOControl)) {
      throw ApiException.parameter("judge", "expected a name of 1 to 100 characters");
    }
    return judge;
  }

  private static String oneOf(ObjectNode given, String name, Iterable<String> names)
      throws ApiException {
    String value = text(given, name);
    for (String each : names) {
      if (each.equals(value)) {
        return value;
      }
    }
    var sorted = new TreeSet<String>();
    names.forEach(sorted::add);
    throw ApiException.parameter(
        name, "expected one of %s, found '%s'".formatted(String.join(", ", sorted), value));
  }

  private static double score(JsonNode given) throws ApiException {
    if (!given.isNumber() || !(given.doubleValue() == 0 || given.doubleValue() == 1)) {
      throw ApiException.parameter("score", "expected 1 or 0");
    }
    return given.doubleValue();
  }
}
