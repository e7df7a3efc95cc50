package dev.distillery.datasets.sharegpt;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.dialogue.Message;
import dev.distillery.core.dialogue.Roles;
import dev.distillery.datasets.JsonFields;
import dev.distillery.datasets.MarkedText;
import dev.distillery.datasets.RejectedRowException;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Finds a dialogue's turns in every shape that ShareGPT is published in: a list ({@code
 * conversations}, {@code conversation}, {@code items} or {@code messages}) of {@code from} and
 * {@code value}, of {@code role} and {@code content}, or of pairs {@code human} and {@code
 * assistant}; flat members {@code human_0}, {@code gpt_1}; one text with {@code <|user|>:} before
 * its turns.
 */
final class ShareGptTurns {
  private static final List<String> LISTS =
      List.of("conversations", "conversation", "items", "messages");
  private static final Pattern FLAT = Pattern.compile("(human|gpt|user|assistant)_([0-9]{1,6})");
  private static final Pattern MARK = Pattern.compile("(?m)^<\\|(user|bot|assistant|system)\\|>:");

  private ShareGptTurns() {}

  static List<Message> of(ObjectNode row) throws RejectedRowException {
    for (String name : LISTS) {
      JsonNode list = row.get(name);
      if (list != null && list.isArray()) {
        return fromList(list);
      }
    }
    List<Message> flat = flat(row);
    if (!flat.isEmpty()) {
      return flat;
    }
    if (row.path("text").isTextual() && MARK.matcher(row.get("text").textValue()).find()) {
      return MarkedText.turns(row.get("text").textValue(), MARK);
    }
    throw JsonFields.missing(row, "conversations, items, human_0 and gpt_1, or a marked text");
  }

  private static List<Message> fromList(JsonNode list) throws RejectedRowException {
    List<Message> turns = new ArrayList<>();
    for (JsonNode turn : list) {
      if (turn.has("human") || turn.has("assistant")) {
        // A pair may lack its answer where the dialogue broke off.
        JsonFields.text(turn, "human").ifPresent(text -> turns.add(new Message(Roles.USER, text)));
        JsonFields.text(turn, "assistant")
            .ifPresent(text -> turns.add(new Message(Roles.ASSISTANT, text)));
      } else {
        String role = JsonFields.requireText(turn, "from", "role");
        String text = JsonFields.requireText(turn, "value", "content", "text", "markdown");
        turns.add(new Message(JsonFields.role(role), text));
      }
    }
    return turns;
  }

  private static List<Message> flat(ObjectNode row) throws RejectedRowException {
    TreeMap<Integer, Message> turns = new TreeMap<>();
    for (var field : row.properties()) {
      Matcher name = FLAT.matcher(field.getKey());
      if (name.matches() && field.getValue().isTextual()) {
        String role = JsonFields.role(name.group(1));
        turns.put(Integer.valueOf(name.group(2)), new Message(role, field.getValue().textValue()));
      }
    }
    return List.copyOf(turns.values());
  }
}
