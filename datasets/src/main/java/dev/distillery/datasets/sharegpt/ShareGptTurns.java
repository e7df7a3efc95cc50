package dev.distillery.datasets.sharegpt;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.dialogue.Message;
import dev.distillery.core.dialogue.MessageJson;
import dev.distillery.core.dialogue.Roles;
import dev.distillery.core.dialogue.TextJson;
import dev.distillery.datasets.JsonFields;
import dev.distillery.datasets.MarkedText;
import dev.distillery.datasets.RejectedRowException;
import dev.distillery.datasets.RowContext;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Finds a dialogue's turns in every shape that ShareGPT is published in: a list ({@code
 * conversations}, {@code conversation}, {@code items} or {@code messages}) of {@code from} and
 * {@code value}, of {@code role} and {@code content}, or of pairs ({@code human} and {@code
 * assistant}, or lists of two); flat members {@code human_0}, {@code gpt_1}; one text with {@code
 * <|user|>:} before its turns.
 */
final class ShareGptTurns {
  private static final List<String> LISTS =
      List.of("conversations", "conversation", "items", "messages");
  private static final List<String> ASKING = List.of("human", "user");
  private static final List<String> ANSWERING = List.of("assistant", "gpt", "bot");
  private static final Pattern FLAT =
      Pattern.compile("(human|gpt|user|assistant|bot|chatgpt)_([0-9]{1,6})");
  private static final Pattern MARK = Pattern.compile("(?m)^<\\|(user|bot|assistant|system)\\|>:");

  private ShareGptTurns() {}

  /**
   * The turns of a row. A list is taken before flat members, and these before a marked text; what
   * stands beside is counted as unread, but for a list of other turns.
   *
   * @throws RejectedRowException where there are none, or two lists that differ
   */
  static List<Message> of(ObjectNode row, RowContext context) throws RejectedRowException {
    Optional<List<Message>> listed = listed(row, context);
    List<Message> flat = flat(row);
    if (listed.isPresent()) {
      boolean other = !flat.isEmpty() && !flat.equals(listed.get());
      if (other) {
        throw two("human_0 and the like", "a list");
      }
      JsonFields.tellBeside(row, "", context, "text");
      return listed.get();
    }
    if (!flat.isEmpty()) {
      JsonFields.tellBeside(row, "", context, "text");
      return flat;
    }
    String text = JsonFields.text(row, "text").orElse("");
    if (MARK.matcher(text).find()) {
      return MarkedText.turns(text, MARK, context);
    }
    throw JsonFields.missing(row, "conversations, items, human_0 and gpt_1, or a marked text");
  }

  private static Optional<List<Message>> listed(ObjectNode row, RowContext context)
      throws RejectedRowException {
    Optional<List<Message>> found = Optional.empty();
    for (String name : LISTS) {
      JsonNode list = JsonFields.list(row, name);
      if (!list.isArray()) {
        if (MessageJson.saysSomething(list)) {
          throw new RejectedRowException(
              "unknown_format", "The field " + name + " is no list of turns");
        }
        continue;
      }
      List<Message> turns = fromList(list, context);
      Optional<List<Message>> before = found.filter(some -> !some.isEmpty());
      boolean other = before.isPresent() && !turns.isEmpty() && !turns.equals(before.get());
      if (other) {
        throw two(name, "another list");
      }
      found = before.or(() -> Optional.of(turns));
    }
    return found;
  }

  private static RejectedRowException two(String name, String other) {
    return new RejectedRowException(
        "two_dialogues", "The row has " + name + " beside " + other + " of other turns");
  }

  private static List<Message> fromList(JsonNode list, RowContext context)
      throws RejectedRowException {
    List<Message> turns = new ArrayList<>();
    for (JsonNode turn : list) {
      Optional<JsonNode[]> pair = pair(turn, context);
      if (pair.isPresent()) {
        addPair(pair.get(), turns);
      } else {
        turns.add(JsonFields.message(turn, turns.size(), context));
      }
    }
    return turns;
  }

  /** Question and answer, where a list holds them together. */
  private static Optional<JsonNode[]> pair(JsonNode turn, RowContext context) {
    if (turn.isArray() && turn.size() == 2) {
      return Optional.of(new JsonNode[] {turn.get(0), turn.get(1)});
    }
    if (turn.has("role") || turn.has("from")) {
      return Optional.empty();
    }
    Optional<String> asks = ASKING.stream().filter(turn::hasNonNull).findFirst();
    Optional<String> answers = ANSWERING.stream().filter(turn::hasNonNull).findFirst();
    boolean pair =
        ANSWERING.stream().anyMatch(turn::has)
            || (turn.size() == 1 && ASKING.stream().anyMatch(turn::has));
    if (!pair) {
      return Optional.empty();
    }
    Set<String> read = new HashSet<>();
    asks.ifPresent(read::add);
    answers.ifPresent(read::add);
    JsonFields.tellUnread(turn, "messages[].", context, read);
    return Optional.of(new JsonNode[] {member(turn, asks), member(turn, answers)});
  }

  private static JsonNode member(JsonNode turn, Optional<String> name) {
    return name.map(turn::path).orElseGet(MissingNode::getInstance);
  }

  /** A pair may lack its answer where the dialogue broke off, and nowhere else. */
  private static void addPair(JsonNode[] pair, List<Message> turns) throws RejectedRowException {
    boolean broken = !turns.isEmpty() && turns.get(turns.size() - 1).role().equals(Roles.USER);
    if (broken) {
      throw new RejectedRowException(
          "null_content", "Message " + turns.size() + " has no answer, and others follow");
    }
    if (!nothing(pair[0])) {
      turns.add(new Message(Roles.USER, TextJson.text(pair[0])));
    }
    if (!nothing(pair[1])) {
      turns.add(new Message(Roles.ASSISTANT, TextJson.text(pair[1])));
    }
  }

  private static boolean nothing(JsonNode node) {
    return node.isMissingNode() || node.isNull();
  }

  /** Members with numbers, by their numbers; of one number the question comes first. */
  private static List<Message> flat(ObjectNode row) throws RejectedRowException {
    TreeMap<Integer, Message> turns = new TreeMap<>();
    int firstNull = Integer.MAX_VALUE;
    for (var field : row.properties()) {
      Matcher name = FLAT.matcher(field.getKey());
      if (!name.matches()) {
        continue;
      }
      String role = JsonFields.role(name.group(1));
      int place = 2 * Integer.parseInt(name.group(2)) + (role.equals(Roles.ASSISTANT) ? 1 : 0);
      if (nothing(field.getValue())) {
        firstNull = Math.min(firstNull, place);
      } else {
        Message before = turns.put(place, new Message(role, TextJson.text(field.getValue())));
        if (before != null) {
          throw two(field.getKey(), "another member");
        }
      }
    }
    if (!turns.isEmpty() && turns.lastKey() > firstNull) {
      throw new RejectedRowException(
          "null_content",
          "A turn is null, and others follow: " + row.properties().size() + " members");
    }
    return List.copyOf(turns.values());
  }
}
