package dev.distillery.datasets;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.dialogue.Message;
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
  /** The fields. */
  public static final List<String> FIELDS = List.of("system", "system_prompt", "history");

  private DialogueHead() {}

  /** The system message of a row, if it has one that says something. */
  public static Optional<Message> system(ObjectNode row) {
    return JsonFields.value(row, "system")
        .filter(text -> !text.isBlank())
        .or(() -> JsonFields.value(row, "system_prompt").filter(text -> !text.isBlank()))
        .map(text -> new Message(Roles.SYSTEM, text));
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

  /** A dialogue behind the row's system message, unless it has its own, and its history. */
  public static List<Message> before(ObjectNode row, List<Message> dialogue)
      throws RejectedRowException {
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

  /** Definitions of tools that a row has, as a JSON array. */
  public static Optional<String> tools(ObjectNode row) throws RejectedRowException {
    for (String name : List.of("tools", "functions")) {
      JsonNode tools = row.path(name);
      if (tools.isTextual() && !tools.textValue().isBlank()) {
        tools = TextJson.tryParse(tools.textValue()).orElse(tools);
      }
      boolean nothing = tools.isMissingNode() || tools.isNull() || tools.isEmpty();
      if (nothing && !(tools.isTextual() && !tools.textValue().isBlank())) {
        continue;
      }
      if (!tools.isArray()) {
        throw new RejectedRowException(
            "invalid_tools", "The field " + name + " is no JSON array: " + shortened(tools));
      }
      return Optional.of(tools.toString());
    }
    return Optional.empty();
  }

  private static String shortened(JsonNode node) {
    String text = TextJson.text(node);
    return text.length() > 80 ? text.substring(0, 80) + "..." : text;
  }
}
