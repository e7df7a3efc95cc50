package dev.distillery.datasets.preferences;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.dialogue.Message;
import dev.distillery.core.dialogue.Roles;
import dev.distillery.datasets.Dialogues;
import dev.distillery.datasets.JsonFields;
import dev.distillery.datasets.RejectedRowException;
import dev.distillery.datasets.RowContext;
import dev.distillery.datasets.RowResult;
import dev.distillery.datasets.Source;
import dev.distillery.datasets.Tagging;
import dev.distillery.spark.warehouse.StableIds;
import dev.distillery.spark.warehouse.Table;
import dev.distillery.spark.warehouse.Tables;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import org.apache.spark.sql.Row;

/**
 * Comparisons in the shapes that tools exchange:
 *
 * <ul>
 *   <li>{@code chosen} and {@code rejected}, each a text, a message or a list of messages, with a
 *       {@code prompt} (text or messages) or {@code conversations} before them, or with the prompt
 *       inside of both;
 *   <li>{@code instruction} or {@code input} with {@code output_1}, {@code output_2} and which is
 *       better, 1 or 2, in {@code label} or {@code preference};
 *   <li>{@code instruction}, {@code input} and a list {@code output}, the best first: the best with
 *       each other one.
 * </ul>
 */
public record PreferencesSource(Tagging tagging) implements Source {
  @Override
  public String name() {
    return "preferences";
  }

  @Override
  public Table table() {
    return Tables.PREFERENCES;
  }

  @Override
  public String unit() {
    return "rows";
  }

  @Override
  public List<RowResult> parse(ObjectNode row, RowContext context) throws RejectedRowException {
    if (row.has("chosen") && row.has("rejected")) {
      return List.of(tagging.keep(chosenAndRejected(row, context)));
    }
    if (row.has("output_1") && row.has("output_2")) {
      return List.of(tagging.keep(numbered(row, context)));
    }
    if (row.path("output").isArray()) {
      return List.of(ranked(row, context));
    }
    throw JsonFields.missing(
        row, "chosen and rejected, or output_1 and output_2, or a list output");
  }

  private static Tagging.Comparison chosenAndRejected(ObjectNode row, RowContext context)
      throws RejectedRowException {
    List<Message> chosen = answer(row.get("chosen"), context);
    List<Message> rejected = answer(row.get("rejected"), context);
    List<Message> prompt = prompt(row, context);
    if (chosen.size() == 1 && rejected.size() == 1) {
      String text = chosen.get(0).content();
      return Tagging.Comparison.of(prompt, text, rejected.get(0).content(), context.split());
    }
    // Whole dialogues hold the prompt; beside them it may stand again, or just its last turn.
    return Dialogues.parting(chosen, rejected, context.split());
  }

  private static List<Message> answer(JsonNode node, RowContext context)
      throws RejectedRowException {
    if (node.isTextual()) {
      return List.of(new Message(Roles.ASSISTANT, node.textValue()));
    }
    return JsonFields.messages(
        node.isArray() ? node : JsonNodeFactory.instance.arrayNode().add(node), context);
  }

  private static List<Message> prompt(ObjectNode row, RowContext context)
      throws RejectedRowException {
    JsonNode turns = row.has("conversations") ? row.get("conversations") : row.get("prompt");
    if (turns != null && turns.isArray()) {
      return JsonFields.messages(turns, context);
    }
    List<Message> prompt = new ArrayList<>();
    JsonFields.text(row, "system")
        .filter(system -> !system.isBlank())
        .ifPresent(system -> prompt.add(new Message(Roles.SYSTEM, system)));
    JsonFields.text(row, "prompt", "question", "instruction")
        .ifPresent(text -> prompt.add(new Message(Roles.USER, withInput(text, row))));
    return prompt;
  }

  private static String withInput(String instruction, ObjectNode row) {
    String input = JsonFields.text(row, "input").orElse("");
    return input.isBlank() ? instruction : instruction + "\n\n" + input;
  }

  private static Tagging.Comparison numbered(ObjectNode row, RowContext context)
      throws RejectedRowException {
    OptionalDouble label = JsonFields.number(row, "label");
    OptionalDouble verdict = label.isPresent() ? label : JsonFields.number(row, "preference");
    if (verdict.isEmpty() || (verdict.getAsDouble() != 1 && verdict.getAsDouble() != 2)) {
      throw new RejectedRowException("tie", "Neither answer is marked as the better one");
    }
    String first = JsonFields.requireText(row, "output_1");
    String second = JsonFields.requireText(row, "output_2");
    boolean firstIsBetter = verdict.getAsDouble() == 1;
    String asked =
        row.has("instruction")
            ? withInput(JsonFields.requireText(row, "instruction"), row)
            : JsonFields.requireText(row, "input");
    return Tagging.Comparison.of(
        List.of(new Message(Roles.USER, asked)),
        firstIsBetter ? first : second,
        firstIsBetter ? second : first,
        context.split());
  }

  private RowResult ranked(ObjectNode row, RowContext context) throws RejectedRowException {
    List<Message> prompt = new ArrayList<>();
    for (JsonNode round : row.path("history")) {
      if (round.isArray() && round.size() == 2) {
        prompt.add(new Message(Roles.USER, round.get(0).asText()));
        prompt.add(new Message(Roles.ASSISTANT, round.get(1).asText()));
      }
    }
    prompt.add(new Message(Roles.USER, withInput(JsonFields.requireText(row, "instruction"), row)));
    JsonNode outputs = row.get("output");
    List<Row> rows = new ArrayList<>();
    String best = outputs.path(0).asText();
    for (int i = 1; i < outputs.size(); i++) {
      String other = outputs.get(i).asText();
      if (!best.isBlank() && !other.isBlank() && !best.equals(other)) {
        rows.add(tagging.preference(Tagging.Comparison.of(prompt, best, other, context.split())));
      }
    }
    if (rows.isEmpty()) {
      throw new RejectedRowException("no_pair", "The list has no two different answers");
    }
    String id = StableIds.of(tagging.id(prompt), outputs.toString());
    return new RowResult.Kept(id, rows, List.of());
  }
}
