package dev.distillery.datasets;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.dialogue.Message;
import dev.distillery.core.dialogue.MessageJson;
import dev.distillery.core.dialogue.Roles;
import dev.distillery.core.dialogue.TextJson;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What rows have beside their dialogue and ahead of it: {@code system} or {@code system_prompt},
 * and {@code history}, a list of pairs of question and answer.
 */
public final class DialogueHead {
  /** The fields, and those that hold what no dialogue of texts can. */
  public static final List<String> FIELDS =
      List.of(
          "system",
          "system_prompt",
          "history",
          "images",
          "image",
          "videos",
          "video",
          "audios",
          "audio");

  private static final List<String> NO_TEXT = FIELDS.subList(3, FIELDS.size());

  private DialogueHead() {}

  /**
   * The system message of a row, if it has one that says something.
   *
   * @throws RejectedRowException where it has two that differ
   */
  public static Optional<Message> system(ObjectNode row) throws RejectedRowException {
    Optional<String> system = JsonFields.said(row, "system");
    Optional<String> other = JsonFields.said(row, "system_prompt");
    if (system.isPresent() && other.isPresent() && !system.equals(other)) {
      throw new RejectedRowException("two_systems", "The fields system and system_prompt differ");
    }
    return system.or(() -> other).map(text -> new Message(Roles.SYSTEM, text));
  }

  /** Rejects a row with pictures or sound: its words speak of what no table of texts holds. */
  public static void requireTextOnly(ObjectNode row) throws RejectedRowException {
    for (String field : NO_TEXT) {
      if (MessageJson.saysSomething(row.path(field))) {
        throw new RejectedRowException("unsupported_content", "The row has " + field);
      }
    }
  }

  /** The rounds of a row's history. */
  public static List<Message> history(ObjectNode row) throws RejectedRowException {
    List<Message> rounds = new ArrayList<>();
    JsonNode history = row.path("history");
    if (history.isMissingNode() || history.isNull()) {
      return rounds;
    }
    if (!history.isArray()) {
      throw new RejectedRowException(
          "invalid_history", "The history is no list of rounds: " + shortened(history));
    }
    for (JsonNode round : history) {
      boolean pair = round.isArray() && round.size() == 2;
      if (!pair || round.get(0).isNull() || round.get(1).isNull()) {
        throw new RejectedRowException(
            "invalid_history", "A round of the history is no pair: " + shortened(round));
      }
      rounds.add(new Message(Roles.USER, TextJson.text(round.get(0))));
      rounds.add(new Message(Roles.ASSISTANT, TextJson.text(round.get(1))));
    }
    return rounds;
  }

  /**
   * A dialogue behind the row's system message, unless it has its own, and its history.
   *
   * @throws RejectedRowException where these contradict each other, or the row holds more than text
   */
  public static List<Message> before(ObjectNode row, List<Message> dialogue)
      throws RejectedRowException {
    requireTextOnly(row);
    List<Message> all = new ArrayList<>();
    boolean own = !dialogue.isEmpty() && dialogue.get(0).role().equals(Roles.SYSTEM);
    Optional<Message> system = system(row);
    if (own && system.isPresent() && !system.get().content().equals(dialogue.get(0).content())) {
      throw new RejectedRowException(
          "two_systems", "The row has a system text, and its dialogue begins with another");
    }
    (own ? Optional.of(dialogue.get(0)) : system).ifPresent(all::add);
    all.addAll(history(row));
    all.addAll(dialogue.subList(own ? 1 : 0, dialogue.size()));
    return all;
  }

  /**
   * Definitions of tools that a row has, in {@code tools} or {@code functions}, as a JSON array.
   *
   * @throws RejectedRowException where they are none, or the two fields differ
   */
  public static Optional<String> tools(ObjectNode row) throws RejectedRowException {
    Optional<String> tools = tools(row, "tools");
    Optional<String> functions = tools(row, "functions");
    if (tools.isPresent() && functions.isPresent() && !tools.equals(functions)) {
      throw new RejectedRowException("two_tools", "The fields tools and functions differ");
    }
    return tools.or(() -> functions);
  }

  private static Optional<String> tools(ObjectNode row, String field) throws RejectedRowException {
    JsonNode tools = row.path(field);
    if (tools.isTextual() && !tools.textValue().isBlank()) {
      tools = TextJson.tryParse(tools.textValue()).orElse(tools);
    }
    if (!MessageJson.saysSomething(tools)) {
      return Optional.empty();
    }
    if (!tools.isArray()) {
      throw new RejectedRowException(
          "invalid_tools", "The field " + field + " is no JSON array: " + shortened(tools));
    }
    return Optional.of(tools.toString());
  }

  private static String shortened(JsonNode node) {
    String text = TextJson.text(node);
    return text.length() > 80 ? text.substring(0, 80) + "..." : text;
  }
}
