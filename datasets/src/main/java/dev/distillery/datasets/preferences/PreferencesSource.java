package dev.distillery.datasets.preferences;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.dialogue.Message;
import dev.distillery.core.dialogue.Roles;
import dev.distillery.core.dialogue.TextJson;
import dev.distillery.datasets.DialogueHead;
import dev.distillery.datasets.Dialogues;
import dev.distillery.datasets.Fields;
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
 *
 * <p>Each may have {@code system} and {@code history} ahead of its prompt, scores and {@code
 * tools}.
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
  public Fields fields() {
    return Fields.read(
            "chosen",
            "rejected",
            "prompt",
            "question",
            "instruction",
            "input",
            "conversations",
            "messages",
            "system",
            "system_prompt",
            "history",
            "tools",
            "functions",
            "chosen_score",
            "score_chosen",
            "rejected_score",
            "score_rejected",
            "margin",
            "output_1",
            "output_2",
            "label",
            "preference",
            "output")
        .leaving("prompt_id", "status", "chosen_model", "rejected_model");
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
    List<Message> chosen = answer(row.get("chosen"), "chosen", context);
    List<Message> rejected = answer(row.get("rejected"), "rejected", context);
    List<Message> prompt;
    if (chosen.size() == 1 && rejected.size() == 1) {
      Dialogues.requireWords(chosen.get(0));
      Dialogues.requireWords(rejected.get(0));
      prompt = prompt(row, context);
    } else {
      // Whole dialogues hold the prompt; beside them it may stand again, or just its last turn.
      prompt = Dialogues.parting(chosen, rejected, context.split()).prompt();
    }
    OptionalDouble better = JsonFields.firstNumber(row, "chosen_score", "score_chosen");
    OptionalDouble other = JsonFields.firstNumber(row, "rejected_score", "score_rejected");
    OptionalDouble margin = JsonFields.number(row, "margin");
    boolean both = margin.isEmpty() && better.isPresent() && other.isPresent();
    return new Tagging.Comparison(
        asked(DialogueHead.before(row, prompt)),
        chosen.get(chosen.size() - 1).content(),
        rejected.get(rejected.size() - 1).content(),
        both ? OptionalDouble.of(better.getAsDouble() - other.getAsDouble()) : margin,
        better,
        other,
        context.split(),
        List.of(),
        DialogueHead.tools(row));
  }

  /** Rejects a comparison of answers to nothing. */
  private static List<Message> asked(List<Message> prompt) throws RejectedRowException {
    if (prompt.stream().allMatch(message -> message.role().equals(Roles.SYSTEM))) {
      throw new RejectedRowException("empty_prompt", "There is no question");
    }
    return prompt;
  }

  private static List<Message> answer(JsonNode node, String field, RowContext context)
      throws RejectedRowException {
    if (node.isNull()) {
      throw new RejectedRowException("null_content", "The field " + field + " is null");
    }
    if (node.isValueNode()) {
      return List.of(new Message(Roles.ASSISTANT, TextJson.text(node)));
    }
    List<Message> turns =
        JsonFields.messages(
            node.isArray() ? node : JsonNodeFactory.instance.arrayNode().add(node), context);
    if (turns.isEmpty()) {
      throw new RejectedRowException("no_answer", "The field " + field + " is an empty list");
    }
    return turns;
  }

  private static List<Message> prompt(ObjectNode row, RowContext context)
      throws RejectedRowException {
    for (String field : List.of("conversations", "messages", "prompt")) {
      if (row.path(field).isArray()) {
        return JsonFields.messages(row.get(field), context);
      }
    }
    List<Message> prompt = new ArrayList<>();
    String text = question(row, "prompt", "question", "instruction");
    if (!text.isBlank()) {
      prompt.add(new Message(Roles.USER, text));
    }
    return prompt;
  }

  /** The text of the first of the fields that says something, with the input below it. */
  private static String question(ObjectNode row, String... fields) {
    String input = JsonFields.value(row, "input").orElse("");
    for (String field : fields) {
      String text = JsonFields.value(row, field).orElse("");
      if (!text.isBlank()) {
        return input.isBlank() ? text : text + "\n\n" + input;
      }
    }
    return input;
  }

  private static Tagging.Comparison numbered(ObjectNode row, RowContext context)
      throws RejectedRowException {
    OptionalDouble label = JsonFields.number(row, "label");
    OptionalDouble verdict = label.isPresent() ? label : JsonFields.number(row, "preference");
    if (verdict.isEmpty() || (verdict.getAsDouble() != 1 && verdict.getAsDouble() != 2)) {
      throw new RejectedRowException("tie", "Neither answer is marked as the better one");
    }
    String first = JsonFields.requireValue(row, "output_1");
    String second = JsonFields.requireValue(row, "output_2");
    boolean firstIsBetter = verdict.getAsDouble() == 1;
    String asked = question(row, "instruction", "prompt");
    if (asked.isBlank()) {
      throw new RejectedRowException("empty_prompt", "There is no question");
    }
    return Tagging.Comparison.of(
        DialogueHead.before(row, List.of(new Message(Roles.USER, asked))),
        firstIsBetter ? first : second,
        firstIsBetter ? second : first,
        context.split());
  }

  private RowResult ranked(ObjectNode row, RowContext context) throws RejectedRowException {
    String asked = question(row, "instruction", "prompt");
    if (asked.isBlank()) {
      throw new RejectedRowException("empty_prompt", "There is no question");
    }
    List<Message> prompt = DialogueHead.before(row, List.of(new Message(Roles.USER, asked)));
    JsonNode outputs = row.get("output");
    List<Row> rows = new ArrayList<>();
    String best = text(outputs.path(0));
    for (int i = 1; i < outputs.size(); i++) {
      String other = text(outputs.get(i));
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

  private static String text(JsonNode node) {
    return node.isMissingNode() || node.isNull() ? "" : TextJson.text(node);
  }
}
