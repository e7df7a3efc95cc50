package dev.distillery.core.dialogue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Messages as JSON, in the forms in which people keep them: {@code role} and {@code content} as
 * OpenAI has them (content as a text, as parts or null beside tool calls), {@code from} and {@code
 * value} as ShareGPT has them. What cannot be held is refused by name.
 */
public final class MessageJson {
  private static final String[] ROLE = {"role", "from", "speaker"};
  private static final String[] CONTENT = {"content", "value", "text", "markdown"};

  /** Members that are read. */
  private static final Set<String> READ =
      Set.of(
          "role",
          "from",
          "speaker",
          "content",
          "value",
          "text",
          "markdown",
          "name",
          "weight",
          "train",
          "tool_calls",
          "function_call",
          "tool_call_id",
          "refusal");

  /** Members that say nothing to a reader of the dialogue: where and when it was kept. */
  private static final Set<String> LEFT =
      Set.of(
          "id",
          "index",
          "date",
          "timestamp",
          "created_at",
          "create_time",
          "update_time",
          "created",
          "model",
          "object",
          "status",
          "annotations");

  /** Members that hold what is no text, and that the canonical form has no place for. */
  private static final List<String> NO_TEXT = List.of("audio", "images", "image", "video");

  /** Members of one meaning, of which the first that is not null is taken. */
  private static final List<String[]> RIVALS =
      List.of(
          ROLE,
          new String[] {"content", "value", "text", "markdown", "refusal"},
          new String[] {"weight", "train"});

  private static final ObjectMapper WHOLE =
      new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private MessageJson() {}

  /** A message that the canonical form cannot hold. Carries no stack trace: rows are many. */
  public static final class UnreadableException extends Exception {
    private static final long serialVersionUID = 1L;
    private final String rule;

    UnreadableException(String rule, String detail) {
      super(detail, null, false, false);
      this.rule = rule;
    }

    /** The rule that refuses it, in lower case with underscores. */
    public String rule() {
      return rule;
    }

    /** What was found. */
    public String detail() {
      return String.valueOf(getMessage());
    }
  }

  /**
   * The dialogue that a prompt is the JSON of, as the table completions has it; nothing where it is
   * a text.
   */
  public static Optional<List<Message>> dialogue(String prompt) {
    if (!prompt.startsWith("[")) {
      return Optional.empty();
    }
    try {
      List<Message> turns = new ArrayList<>();
      for (JsonNode turn : WHOLE.readTree(prompt)) {
        turns.add(read(turn, turns.size(), unread -> {}));
      }
      return turns.isEmpty() ? Optional.empty() : Optional.of(turns);
    } catch (JsonProcessingException | UnreadableException e) {
      return Optional.empty();
    }
  }

  /**
   * The message of a JSON value.
   *
   * @param index where it stands in its dialogue, for what is said of it
   * @param unread is told the names of members that are neither read nor known to say nothing
   */
  public static Message read(JsonNode node, int index, Consumer<String> unread)
      throws UnreadableException {
    String place = "Message " + (index + 1);
    if (!node.isObject()) {
      throw new UnreadableException(
          "unknown_format", place + " is no object but " + kind(node) + ": " + shortened(node));
    }
    JsonNode named = first(node, ROLE);
    if (!named.isTextual()) {
      throw new UnreadableException(
          named.isMissingNode() ? "unknown_format" : "unknown_role",
          place
              + (named.isMissingNode()
                  ? " has no role; its members are " + names(node)
                  : " has a role that is no text but " + kind(named)));
    }
    String role =
        Roles.of(named.textValue())
            .orElseThrow(
                () ->
                    new UnreadableException(
                        "unknown_role",
                        place + ": no role of a dialogue: '" + shortened(named) + "'"));
    Optional<String> calls = calls(node, place, unread);
    if (calls.isEmpty() && named.textValue().equals("function_call")) {
      throw new UnreadableException(
          "unsupported_content", place + " is a call of a function that is a text");
    }
    for (String member : NO_TEXT) {
      if (saysSomething(node.path(member))) {
        throw new UnreadableException("unsupported_content", place + " has " + member);
      }
    }
    for (var member : node.properties()) {
      if (!READ.contains(member.getKey()) && isUnread(member.getKey(), member.getValue())) {
        unread.accept(member.getKey());
      }
    }
    tellRivals(node, unread);
    return new Message(
        role,
        content(node, place, calls.isPresent()),
        label(node, "name", place),
        weight(node, place),
        calls,
        label(node, "tool_call_id", place));
  }

  /** Whether a member that nothing reads may say something. */
  public static boolean isUnread(String member, JsonNode value) {
    return !LEFT.contains(member) && saysSomething(value);
  }

  /** Whether a value is more than nothing: no null, empty text, list or object. */
  public static boolean saysSomething(JsonNode value) {
    return value.isValueNode()
        ? !value.isNull() && !(value.isTextual() && value.textValue().isBlank())
        : !value.isEmpty();
  }

  /** Tells of members that would be read, were there not another in their place. */
  private static void tellRivals(JsonNode node, Consumer<String> unread) {
    for (String[] rivals : RIVALS) {
      JsonNode taken = first(node, rivals);
      for (String member : rivals) {
        JsonNode value = node.path(member);
        if (saysSomething(value) && !value.equals(taken)) {
          unread.accept(member);
        }
      }
    }
  }

  /** The message in OpenAI's form; the weight is for training and stays here. */
  public static ObjectNode write(Message message) {
    ObjectNode node = JsonNodeFactory.instance.objectNode().put("role", message.role());
    if (message.toolCalls().isPresent() && message.content().isEmpty()) {
      node.putNull("content");
    } else {
      node.put("content", message.content());
    }
    message.name().ifPresent(name -> node.put("name", name));
    message.toolCalls().ifPresent(calls -> node.set("tool_calls", TextJson.parse(calls)));
    message.toolCallId().ifPresent(id -> node.put("tool_call_id", id));
    return node;
  }

  /** A label in figures is one too. */
  private static Optional<String> label(JsonNode node, String member, String place)
      throws UnreadableException {
    JsonNode label = node.path(member);
    if (!saysSomething(label)) {
      return Optional.empty();
    }
    if (!label.isTextual() && !label.isNumber()) {
      throw new UnreadableException(
          "invalid_" + member,
          place + " has a " + member + " that is no text: " + shortened(label));
    }
    return Optional.of(label.asText());
  }

  private static String content(JsonNode node, String place, boolean calls)
      throws UnreadableException {
    JsonNode content = first(node, CONTENT);
    if (content.isMissingNode() && !calls && !node.path("refusal").isTextual()) {
      throw new UnreadableException(
          "unknown_format", place + " has no content; its members are " + names(node));
    }
    if (content.isNull() || content.isMissingNode()) {
      if (node.path("refusal").isTextual()) {
        return node.get("refusal").textValue();
      }
      if (calls) {
        return "";
      }
      throw new UnreadableException("null_content", place + " has null for its content");
    }
    if (!content.isArray()) {
      return TextJson.text(content);
    }
    var text = new StringBuilder();
    for (JsonNode part : content) {
      text.append(part(part, place));
    }
    return text.toString();
  }

  private static String part(JsonNode part, String place) throws UnreadableException {
    if (part.isTextual()) {
      return part.textValue();
    }
    if (part.path("text").isTextual()) {
      return part.get("text").textValue();
    }
    if (part.path("refusal").isTextual()) {
      return part.get("refusal").textValue();
    }
    throw new UnreadableException(
        "unsupported_content",
        place
            + " has a part that is no text: "
            + (part.path("type").isTextual() ? part.get("type").textValue() : shortened(part)));
  }

  private static OptionalDouble weight(JsonNode node, String place) throws UnreadableException {
    JsonNode weight = node.hasNonNull("weight") ? node.get("weight") : node.path("train");
    if (weight.isMissingNode() || weight.isNull()) {
      return OptionalDouble.empty();
    }
    if (weight.isBoolean()) {
      return OptionalDouble.of(weight.booleanValue() ? 1 : 0);
    }
    double value = weight.isNumber() ? weight.doubleValue() : Double.NaN;
    if (!(value >= 0) || Double.isInfinite(value)) {
      throw new UnreadableException(
          "invalid_weight", place + " has a weight that is no number from 0: " + shortened(weight));
    }
    return OptionalDouble.of(value);
  }

  private static Optional<String> calls(JsonNode node, String place, Consumer<String> unread)
      throws UnreadableException {
    JsonNode calls = node.path("tool_calls");
    if (calls.isTextual() && !calls.textValue().isBlank()) {
      // As a table has them.
      calls = TextJson.tryParse(calls.textValue()).orElse(calls);
    }
    if (saysSomething(calls) && !calls.isArray()) {
      throw new UnreadableException(
          "unsupported_content", place + " has tool_calls that are no list: " + shortened(calls));
    }
    if (saysSomething(calls)) {
      if (saysSomething(node.path("function_call"))) {
        unread.accept("function_call");
      }
      return Optional.of(calls.toString());
    }
    JsonNode older = node.path("function_call");
    if (older.isTextual() && !older.textValue().isBlank()) {
      // As a table has it.
      older = TextJson.tryParse(older.textValue()).orElse(older);
    }
    if (saysSomething(older) && !older.isObject()) {
      throw new UnreadableException(
          "unsupported_content",
          place + " has a function_call that is no object: " + shortened(older));
    }
    if (saysSomething(older)) {
      ObjectNode call = JsonNodeFactory.instance.objectNode().put("type", "function");
      call.set("function", older);
      return Optional.of(JsonNodeFactory.instance.arrayNode().add(call).toString());
    }
    return Optional.empty();
  }

  /** The first of the members that is not null, or the null, or a missing node. */
  private static JsonNode first(JsonNode node, String... members) {
    JsonNode found = node.path(members[0]);
    for (String member : members) {
      if (node.hasNonNull(member)) {
        return node.get(member);
      }
      if (found.isMissingNode()) {
        found = node.path(member);
      }
    }
    return found;
  }

  private static List<String> names(JsonNode node) {
    var names = new ArrayList<String>();
    node.fieldNames().forEachRemaining(names::add);
    return names.size() > 20 ? names.subList(0, 20) : names;
  }

  private static String kind(JsonNode node) {
    return node.getNodeType().toString().toLowerCase(Locale.ROOT);
  }

  private static String shortened(JsonNode node) {
    String text = TextJson.text(node);
    return text.length() > 40 ? text.substring(0, 40) + "..." : text;
  }
}
