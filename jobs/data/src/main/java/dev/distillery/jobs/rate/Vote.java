package dev.distillery.jobs.rate;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What a rater said of an item, version 1 of a line that the page exports and the server writes.
 * Members: {@code id}, {@code judge} (who rated), {@code form}, then by form {@code verdict} (a
 * place, tie or both_bad) and {@code shown_first} (a place), {@code ranking} (lists of places, best
 * first), {@code label} (an audit's questions with yes or no; a rating's level) or {@code text};
 * {@code seconds} and {@code voted_at} (ISO 8601).
 *
 * @param id the item, as the page calls it
 * @param judge who rated
 * @param content the members that say what was decided, as JSON
 * @param seconds how long the item was in sight
 * @param millis when it was decided, since 1970
 */
record Vote(
    String id, String judge, ObjectNode content, @Nullable Double seconds, @Nullable Long millis) {
  static final String TIE = "tie";
  static final String BOTH_BAD = "both_bad";
  static final String VERDICT = "verdict";
  static final String SHOWN_FIRST = "shown_first";
  static final String RANKING = "ranking";
  static final String LABEL = "label";
  static final String TEXT = "text";
  static final String LEVEL = "level";

  /** The rule of a line that is no JSON object. */
  static final String UNREADABLE = "unreadable";

  /** Raters' names are no longer, and their answers neither. */
  private static final int MOST_NAME = 100;

  private static final int MOST_TEXT = 1 << 20;

  /** No one looks at an item for longer than a day. */
  private static final double MOST_SECONDS = 86_400;

  private static final Set<String> CONTENT =
      Set.of("form", VERDICT, SHOWN_FIRST, RANKING, LABEL, TEXT);
  private static final Set<String> MEMBERS = Set.of("id", "judge", "seconds", "voted_at");

  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  /** A line that is no vote, or a vote that its item does not take. Has no stack trace. */
  static final class RefusedException extends Exception {
    private static final long serialVersionUID = 1L;
    private final String rule;

    RefusedException(String rule, String detail) {
      super(detail, null, false, false);
      this.rule = rule;
    }

    String rule() {
      return rule;
    }

    String detail() {
      return String.valueOf(getMessage());
    }
  }

  /**
   * Reads a line.
   *
   * @throws RefusedException by the rules unreadable, bad_text, unknown_member, no_item, no_rater,
   *     bad_time
   */
  static Vote read(String line) throws RefusedException {
    JsonNode node;
    try {
      node = JSON.readTree(line);
    } catch (JsonProcessingException e) {
      throw new RefusedException(UNREADABLE, "No JSON: " + e.getOriginalMessage());
    }
    if (!(node instanceof ObjectNode object)) {
      throw new RefusedException(UNREADABLE, "No JSON object");
    }
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(object.toString())) {
      throw new RefusedException("bad_text", "Half of a surrogate pair; write the character");
    }
    ObjectNode content = JSON.createObjectNode();
    for (var member : object.properties()) {
      if (CONTENT.contains(member.getKey())) {
        content.set(member.getKey(), member.getValue());
      } else if (!MEMBERS.contains(member.getKey())) {
        throw new RefusedException("unknown_member", "No vote has a '" + member.getKey() + "'");
      }
    }
    return new Vote(
        text(object, "id", "no_item"),
        text(object, "judge", "no_rater"),
        content,
        seconds(object.path("seconds")),
        millis(object.path("voted_at")));
  }

  private static String text(ObjectNode object, String name, String rule) throws RefusedException {
    JsonNode value = object.path(name);
    if (!value.isTextual()
        || value.textValue().isBlank()
        || value.textValue().length() > MOST_NAME) {
      throw new RefusedException(
          rule,
          "'"
              + name
              + "': expected a text of 1 to "
              + MOST_NAME
              + " characters, found "
              + brief(value));
    }
    return value.textValue().strip();
  }

  private static @Nullable Double seconds(JsonNode value) throws RefusedException {
    if (value.isMissingNode() || value.isNull()) {
      return null;
    }
    if (!value.isNumber() || !(value.doubleValue() >= 0 && value.doubleValue() <= MOST_SECONDS)) {
      throw new RefusedException(
          "bad_time", "'seconds': expected 0 to 86400, found " + brief(value));
    }
    return value.doubleValue();
  }

  private static @Nullable Long millis(JsonNode value) throws RefusedException {
    if (value.isMissingNode() || value.isNull()) {
      return null;
    }
    try {
      return Instant.parse(value.textValue() == null ? "" : value.textValue()).toEpochMilli();
    } catch (DateTimeException | ArithmeticException e) {
      throw new RefusedException(
          "bad_time",
          "'voted_at': expected a time such as 2026-01-31T12:00:00Z, found " + brief(value));
    }
  }

  private static String brief(JsonNode value) {
    String text = value.isMissingNode() ? "none" : value.toString();
    return text.length() <= 60 ? text : text.substring(0, 60) + "…";
  }

  /**
   * Makes sure that the item takes the vote.
   *
   * @throws RefusedException by the rules wrong_form, bad_verdict, incomplete
   */
  void check(RatingItem item) throws RefusedException {
    if (!item.form().word().equals(content.path("form").textValue())) {
      throw new RefusedException(
          "wrong_form",
          "'form': expected " + item.form().word() + ", found " + brief(content.path("form")));
    }
    Set<String> wanted =
        switch (item.form()) {
          case PAIRWISE -> Set.of("form", VERDICT, SHOWN_FIRST);
          case RANKING -> Set.of("form", RANKING);
          case AUDIT, RATING -> Set.of("form", LABEL);
          case DEMONSTRATION -> Set.of("form", TEXT);
        };
    for (var member : content.properties()) {
      if (!wanted.contains(member.getKey())) {
        throw bad(member.getKey(), "none with form " + item.form().word());
      }
    }
    switch (item.form()) {
      case PAIRWISE -> {
        String verdict = content.path(VERDICT).textValue();
        if (!item.hasPlace(verdict) && !TIE.equals(verdict) && !BOTH_BAD.equals(verdict)) {
          throw bad(VERDICT, "1, 2, tie or both_bad");
        }
        if (content.has(SHOWN_FIRST) && !item.hasPlace(content.path(SHOWN_FIRST).textValue())) {
          throw bad(SHOWN_FIRST, "1 or 2");
        }
      }
      case RANKING -> checkRanking(item);
      case AUDIT -> checkLabel(RateForm.QUESTIONS, List.of("yes", "no"));
      case RATING -> checkLabel(List.of(LEVEL), RateForm.LEVELS);
      case DEMONSTRATION -> {
        String text = content.path(TEXT).textValue();
        if (text == null || text.isBlank() || text.length() > MOST_TEXT) {
          throw bad(TEXT, "a text of 1 to " + MOST_TEXT + " characters");
        }
      }
    }
  }

  private RefusedException bad(String member, String expected) {
    return new RefusedException(
        "bad_verdict",
        "'" + member + "': expected " + expected + ", found " + brief(content.path(member)));
  }

  private void checkRanking(RatingItem item) throws RefusedException {
    Set<String> placed = new HashSet<>();
    JsonNode ranking = content.path(RANKING);
    for (JsonNode place : ranking) {
      if (!ranking.isArray() || !place.isArray()) {
        throw bad(RANKING, "lists of places");
      }
      for (JsonNode answer : place) {
        if (!item.hasPlace(answer.textValue()) || !placed.add(answer.textValue())) {
          throw bad(RANKING, "lists of the places 1 to " + item.answers().size() + ", each once");
        }
      }
    }
    if (placed.size() < item.answers().size()) {
      throw new RefusedException(
          "incomplete",
          "'ranking': expected " + item.answers().size() + " answers, found " + placed.size());
    }
  }

  private void checkLabel(List<String> names, List<String> values) throws RefusedException {
    JsonNode label = content.path(LABEL);
    for (String name : names) {
      if (!label.has(name)) {
        throw new RefusedException("incomplete", "'label': expected " + name + ", found none");
      }
      if (!values.contains(Objects.toString(label.path(name).textValue(), ""))) {
        throw bad(LABEL, name + ": " + String.join(", ", values));
      }
    }
    if (label.size() > names.size()) {
      throw bad(LABEL, String.join(", ", names) + " alone");
    }
  }

  /** The line that is read back as this vote. */
  String line() {
    ObjectNode all = JSON.createObjectNode().put("id", id).put("judge", judge);
    all.setAll(content);
    if (seconds != null) {
      all.put("seconds", seconds);
    }
    if (millis != null) {
      all.put("voted_at", Instant.ofEpochMilli(millis).toString());
    }
    return all.toString();
  }

  /** The same vote at another time. */
  Vote at(long when) {
    return new Vote(id, judge, content, seconds, when);
  }

  /** What was decided, equal for equal decisions; which answer was shown first is none. */
  String decision() {
    ObjectNode decided = content.deepCopy();
    decided.remove(SHOWN_FIRST);
    // Neither those who share a place nor answers to questions have an order.
    if (decided.has(RANKING)) {
      List<List<String>> places = ranking();
      places.forEach(Collections::sort);
      decided.set(RANKING, JSON.valueToTree(places));
    }
    if (decided.has(LABEL)) {
      decided.set(LABEL, JSON.valueToTree(label()));
    }
    return decided.toString();
  }

  /** The answers' places, best first; equal ones in one list. Of a ranking that was checked. */
  List<List<String>> ranking() {
    List<List<String>> places = new ArrayList<>();
    for (JsonNode place : content.path(RANKING)) {
      List<String> equal = new ArrayList<>();
      place.forEach(answer -> equal.add(answer.textValue()));
      places.add(equal);
    }
    return places;
  }

  Map<String, String> label() {
    Map<String, String> label = new TreeMap<>();
    content
        .path(LABEL)
        .properties()
        .forEach(member -> label.put(member.getKey(), member.getValue().textValue()));
    return label;
  }

  @Nullable String member(String name) {
    return content.path(name).textValue();
  }
}
