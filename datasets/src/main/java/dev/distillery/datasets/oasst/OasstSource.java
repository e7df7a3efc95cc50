package dev.distillery.datasets.oasst;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.dialogue.Message;
import dev.distillery.core.dialogue.MessageJson;
import dev.distillery.core.dialogue.Roles;
import dev.distillery.datasets.Fields;
import dev.distillery.datasets.JsonFields;
import dev.distillery.datasets.RejectedRowException;
import dev.distillery.datasets.RowContext;
import dev.distillery.datasets.RowParser;
import dev.distillery.datasets.RowResult;
import dev.distillery.datasets.Source;
import dev.distillery.datasets.SourceSettings;
import dev.distillery.datasets.Tagging;
import dev.distillery.spark.warehouse.StableIds;
import dev.distillery.spark.warehouse.Table;
import dev.distillery.spark.warehouse.Tables;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.apache.spark.sql.Row;

/**
 * Trees of messages, as one row a tree or as one row a message. Every path from the first message
 * to an answer that nobody replied to becomes a dialogue; a last turn of the user is left out.
 * Deleted messages end their path, and so do those that moderators refused, where that is asked
 * for.
 */
public record OasstSource(Tagging tagging, SourceSettings.Oasst settings) implements Source {
  private static final ObjectMapper JSON = new ObjectMapper();

  @Override
  public String name() {
    return "oasst";
  }

  @Override
  public Table table() {
    return Tables.CONVERSATIONS;
  }

  @Override
  public String unit() {
    return "messages";
  }

  @Override
  public boolean groups() {
    return true;
  }

  @Override
  public Fields fields() {
    return Fields.read(
            "prompt",
            "message_id",
            "message_tree_id",
            "parent_id",
            "text",
            "role",
            "lang",
            "deleted",
            "rank",
            "review_result")
        .leaving(
            "user_id",
            "created_date",
            "review_count",
            "synthetic",
            "model_name",
            "detoxify",
            "tree_state",
            "emojis",
            "labels");
  }

  @Override
  public List<RowResult> parse(ObjectNode row, RowContext context) throws RejectedRowException {
    if (row.hasNonNull("prompt")) {
      List<Node> nodes = new ArrayList<>();
      flatten(row.get("prompt"), "", nodes, context);
      return dialogues(nodes, context.split());
    }
    String id = JsonFields.requireText(row, "message_id");
    String tree = JsonFields.requireText(row, "message_tree_id");
    JsonFields.role(JsonFields.requireText(row, "role"));
    JsonFields.requireText(row, "text");
    JsonFields.flag(row, "deleted");
    JsonFields.flag(row, "review_result");
    ObjectNode kept = JsonNodeFactory.instance.objectNode();
    kept.put("split", context.split().orElse(""));
    for (String field :
        List.of(
            "message_id",
            "parent_id",
            "text",
            "role",
            "lang",
            "deleted",
            "rank",
            "review_result")) {
      if (row.has(field)) {
        kept.set(field, row.get(field));
      }
    }
    return List.of(new RowResult.Item(tree, id, kept.toString()));
  }

  @Override
  public List<RowResult> group(String key, List<RowResult.Item> items) {
    List<Node> nodes = new ArrayList<>();
    String split = "";
    try {
      for (RowResult.Item item : items) {
        JsonNode message = JSON.readTree(item.content());
        split = message.get("split").asText();
        nodes.add(Node.of(message, JsonFields.text(message, "parent_id").orElse("")));
      }
    } catch (JsonProcessingException | RejectedRowException e) {
      throw new IllegalStateException("An item of our own cannot be read", e);
    }
    return dialogues(nodes, Optional.of(split).filter(name -> !name.isEmpty()));
  }

  private void flatten(JsonNode message, String parent, List<Node> nodes, RowContext context)
      throws RejectedRowException {
    for (var member : message.properties()) {
      boolean known = member.getKey().equals("replies") || fields().knows(member.getKey());
      if (!known && MessageJson.isUnread(member.getKey(), member.getValue())) {
        context.unread("prompt." + member.getKey());
      }
    }
    Node node = Node.of(message, parent);
    nodes.add(node);
    for (JsonNode reply : message.path("replies")) {
      flatten(reply, node.id, nodes, context);
    }
  }

  private List<RowResult> dialogues(List<Node> nodes, Optional<String> split) {
    Map<String, List<Node>> replies = new TreeMap<>();
    Set<String> ids = new HashSet<>();
    nodes.forEach(node -> ids.add(node.id));
    for (Node node : nodes) {
      replies.computeIfAbsent(node.parent, unused -> new ArrayList<>()).add(node);
    }
    Map<String, List<Row>> rowsOfMessage = new HashMap<>();
    Set<String> used = new HashSet<>();
    for (Node root : replies.getOrDefault("", List.of())) {
      walk(root, new ArrayList<>(), replies, split, rowsOfMessage, used);
    }
    List<RowResult> results = new ArrayList<>();
    for (Node node : nodes) {
      if (used.contains(node.id)) {
        results.add(
            new RowResult.Kept(
                StableIds.of(tagging.source(), node.id),
                rowsOfMessage.getOrDefault(node.id, List.of()),
                List.of()));
      } else {
        boolean orphan = !node.parent.isEmpty() && !ids.contains(node.parent);
        results.add(
            new RowResult.Rejected(
                node.deleted
                    ? "deleted"
                    : isRefused(node) ? "refused_by_review" : orphan ? "orphan" : "no_answer",
                node.deleted || isRefused(node)
                    ? "Message "
                        + node.id
                        + (node.deleted ? " is deleted" : " was refused by review")
                    : "Message " + node.id + " is on no path from a first message to an answer"));
      }
    }
    return results;
  }

  /** Goes down a tree; a dialogue belongs to the answer that it ends with. */
  private void walk(
      Node node,
      List<Node> path,
      Map<String, List<Node>> replies,
      Optional<String> split,
      Map<String, List<Row>> rows,
      Set<String> used) {
    boolean wrongTurn =
        node.deleted
            || isRefused(node)
            || node.text.isBlank()
            || !node.role.equals(path.size() % 2 == 0 ? Roles.USER : Roles.ASSISTANT)
            || path.size() >= RowParser.MAX_DEPTH
            || used.contains(node.id);
    if (wrongTurn) {
      return;
    }
    path.add(node);
    List<Node> children = replies.getOrDefault(node.id, List.of());
    children.forEach(child -> walk(child, path, replies, split, rows, used));
    boolean answeredBelow =
        children.stream()
            .flatMap(child -> replies.getOrDefault(child.id, List.of()).stream())
            .anyMatch(answer -> used.contains(answer.id));
    if (node.role.equals(Roles.ASSISTANT) && !answeredBelow) {
      List<Message> messages =
          path.stream().map(turn -> new Message(turn.role, turn.text)).toList();
      // pt-BR is Portuguese: the column holds the primary part.
      Optional<String> language =
          Optional.of(node.lang.split("[-_]", 2)[0].toLowerCase(Locale.ROOT))
              .filter(code -> code.length() == 2);
      String id = tagging.id(messages);
      rows.put(node.id, List.of(tagging.conversation(id, messages, language, split, List.of())));
      path.forEach(turn -> used.add(turn.id));
    }
    path.remove(path.size() - 1);
  }

  private boolean isRefused(Node node) {
    return settings.dropRefused() && node.refused;
  }

  /** A message of a tree. */
  private record Node(
      String id,
      String parent,
      String role,
      String text,
      String lang,
      boolean deleted,
      boolean refused) {
    static Node of(JsonNode message, String parent) throws RejectedRowException {
      return new Node(
          JsonFields.requireText(message, "message_id"),
          parent,
          JsonFields.role(JsonFields.requireText(message, "role")),
          JsonFields.requireText(message, "text"),
          JsonFields.text(message, "lang").orElse(""),
          JsonFields.flag(message, "deleted").orElse(false),
          // Null where nobody has looked at it.
          !JsonFields.flag(message, "review_result").orElse(true));
    }
  }
}
