package dev.distillery.jobs.rate;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.dialogue.Message;
import dev.distillery.core.page.ScriptPage;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The page that raters see, and what it is told of items: their texts, and nothing of models, rows,
 * sides or what is expected.
 */
final class RatingPage {
  private static final ObjectMapper JSON = new ObjectMapper();

  private RatingPage() {}

  /** The page that holds all items and asks nobody for anything. */
  static String alone(List<RatingItem> items, RatingKey key, Optional<String> guidelines) {
    RateForm form = items.get(0).form();
    ObjectNode data = head(form, guidelines);
    data.put("page", name(items, key)).put("sides", sides(items, key));
    ArrayNode all = data.putArray("items");
    items.forEach(item -> all.add(shown(item)));
    return page(data).alone();
  }

  /** The page that asks the server that gave it for one item after the other. */
  static String served(RateForm form, Optional<String> guidelines) {
    return page(head(form, guidelines)).served();
  }

  /** The key of the order in which a rater sees the answers of a pair. */
  static String sides(List<RatingItem> items, RatingKey key) {
    return Long.toUnsignedString(key.seed("sides", name(items, key)));
  }

  private static String name(List<RatingItem> items, RatingKey key) {
    return key.name(items.stream().map(RatingItem::id).toArray(String[]::new));
  }

  private static ObjectNode head(RateForm form, Optional<String> guidelines) {
    ObjectNode data = JSON.createObjectNode();
    data.put("form", form.word());
    guidelines.ifPresent(text -> data.put("guidelines", text));
    return data;
  }

  private static ScriptPage page(ObjectNode data) {
    return new ScriptPage(
        "Rate answers", resource("rate.css"), resource("rate.js"), data.toString());
  }

  /** What a rater is shown of an item. */
  static ObjectNode shown(RatingItem item) {
    ObjectNode shown = JSON.createObjectNode();
    shown.put("id", item.id());
    ArrayNode parts = shown.putArray("parts");
    if (item.instruction() != null) {
      part(parts, "Instruction", item.instruction());
      if (item.input() != null && !item.input().isBlank()) {
        part(parts, "Input", item.input());
      }
    } else {
      List<Message> turns = item.turns();
      for (Message turn : turns) {
        part(parts, turns.size() == 1 ? "Prompt" : capital(turn.role()), turn.content());
      }
    }
    ArrayNode answers = shown.putArray("answers");
    item.answers().forEach(answer -> answers.add(answer.text()));
    return shown;
  }

  private static void part(ArrayNode parts, String name, String text) {
    parts.addObject().put("name", name).put("text", text);
  }

  private static String capital(String role) {
    return role.isEmpty()
        ? role
        : role.substring(0, 1).toUpperCase(Locale.ROOT) + role.substring(1);
  }

  private static String resource(String name) {
    try (InputStream in = RatingPage.class.getResourceAsStream("/rate/" + name)) {
      if (in == null) {
        throw new IllegalStateException("The jar lacks the resource /rate/" + name);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
