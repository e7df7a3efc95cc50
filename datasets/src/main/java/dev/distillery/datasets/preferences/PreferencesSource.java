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
 * tools}. Fields that contradict each other cost the row; those that stand beside what is read, and
 * say something else, are counted as unread.
 */
public record PreferencesSource(Tagging tagging) implements Source {
  private static final String[] LISTS = {"conversations", "messages", "prompt"};
  private static final String[] QUESTIONS_BUT_INPUT = {"prompt", "question", "instruction"};
  private static final String[] QUESTIONS = {"prompt", "question", "instruction", "input"};
  private static final String[] SCORES = {
    "chosen_score", "score_chosen", "rejected_score", "score_rejected"
  };

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
        .reading(DialogueHead.FIELDS)
        .leaving("prompt_id", "status", "chosen_model", "rejected_model");
  }

  @Override
  public List<RowResult> parse(ObjectNode row, RowContext context) throws RejectedRowException {
    if (JsonFields.hasAll(row, "chosen", "rejected")) {
      JsonFields.tellBeside(
          row, "", context, "output_1", "output_2", "label", "preference", "output");
      return List.of(tagging.keep(chosenAndRejected(row, context)));
    }
    if (JsonFields.hasAll(row, "output_1", "output_2")) {
      JsonFields.tellBeside(row, "", context, "chosen", "rejected", "output");
      return List.of(tagging.keep(numbered(row, context)));
    }
    if (row.path("output").isArray()) {
      JsonFields.tellBeside(
          row, "", context, "chosen", "rejected", "output_1", "output_2", "label");
      JsonFields.tellBeside(row, "", context, "preference", "margin");
      JsonFields.tellBeside(row, "", context, SCORES);
      return List.of(ranked(row, context));
    }
    for (String field : List.of("chosen", "rejected", "output_1", "output_2")) {
      if (row.path(field).isNull()) {
        throw new RejectedRowException("null_content", "The field " + field + " is null");
      }
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
      Dialogues.requireAnswer(chosen.get(0));
      Dialogues.requireAnswer(rejected.get(0));
      prompt = prompt(row, context);
    } else {
      // Whole dialogues hold the prompt; beside them it may stand again, or just a turn of it.
      prompt = Dialogues.parting(chosen, rejected, context.split()).prompt();
      for (String list : LISTS) {
        boolean again = JsonFields.list(row, list).isArray();
        List<Message> beside =
            again ? JsonFields.messages(JsonFields.list(row, list), context) : List.of();
        if (!again || beside.equals(chosen) || beside.equals(rejected)) {
          continue;
        }
        prompt = longer(prompt, beside, list);
      }
      requireSaid(row, prompt, QUESTIONS);
    }
    OptionalDouble better = JsonFields.oneNumber(row, "chosen_score", "score_chosen");
    OptionalDouble other = JsonFields.oneNumber(row, "rejected_score", "score_rejected");
    OptionalDouble margin = JsonFields.number(row, "margin");
    boolean both = margin.isEmpty() && better.isPresent() && other.isPresent();
    return comparison(
        row,
        prompt,
        chosen.get(chosen.size() - 1).content(),
        rejected.get(rejected.size() - 1).content(),
        new Scores(
            both ? OptionalDouble.of(better.getAsDouble() - other.getAsDouble()) : margin,
            better,
            other),
        context);
  }

  /** How much better one answer is, and how good each. */
  private record Scores(OptionalDouble margin, OptionalDouble chosen, OptionalDouble rejected) {
    static Scores of(OptionalDouble margin) {
      return new Scores(margin, OptionalDouble.empty(), OptionalDouble.empty());
    }
  }

  private static Tagging.Comparison comparison(
      ObjectNode row,
      List<Message> prompt,
      String chosen,
      String rejected,
      Scores scores,
      RowContext context)
      throws RejectedRowException {
    return new Tagging.Comparison(
        asked(DialogueHead.before(row, prompt)),
        chosen,
        rejected,
        scores.margin,
        scores.chosen,
        scores.rejected,
        context.split(),
        List.of(),
        DialogueHead.tools(row));
  }

  /** Rejects a comparison of answers to nothing. */
  private static List<Message> asked(List<Message> prompt) throws RejectedRowException {
    boolean nothing =
        prompt.stream()
            .allMatch(
                message -> message.role().equals(Roles.SYSTEM) || message.content().isBlank());
    if (nothing) {
      throw new RejectedRowException("empty_prompt", "There is no question");
    }
    return prompt;
  }

  private static List<Message> answer(JsonNode node, String field, RowContext context)
      throws RejectedRowException {
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

  /**
   * What was asked: a list of messages, else a text with the input below it. Texts beside a list
   * must be among its questions.
   */
  private static List<Message> prompt(ObjectNode row, RowContext context)
      throws RejectedRowException {
    List<Message> listed = List.of();
    for (String list : LISTS) {
      if (JsonFields.list(row, list).isArray()) {
        List<Message> messages = JsonFields.messages(JsonFields.list(row, list), context);
        listed = longer(listed, messages, list);
      }
    }
    if (!listed.isEmpty()) {
      requireSaid(row, listed, QUESTIONS);
      return listed;
    }
    String input = JsonFields.said(row, "input").orElse("");
    for (String field : QUESTIONS) {
      String text = JsonFields.said(row, field).orElse("");
      if (!text.isEmpty() && !field.equals("input")) {
        JsonFields.tellBeside(row, text, context, QUESTIONS_BUT_INPUT);
        return List.of(new Message(Roles.USER, input.isEmpty() ? text : text + "\n\n" + input));
      }
    }
    return input.isEmpty() ? List.of() : List.of(new Message(Roles.USER, input));
  }

  /** Of two lists of messages the one that holds the other at its end. */
  private static List<Message> longer(List<Message> some, List<Message> others, String field)
      throws RejectedRowException {
    List<Message> longer = some.size() >= others.size() ? some : others;
    List<Message> shorter = longer == some ? others : some;
    if (!longer.subList(longer.size() - shorter.size(), longer.size()).equals(shorter)) {
      throw new RejectedRowException(
          "prompts_differ", "The field " + field + " is not what was asked beside it");
    }
    return longer;
  }

  /** Rejects a row with a text that is no question of its dialogue. */
  private static void requireSaid(ObjectNode row, List<Message> prompt, String... fields)
      throws RejectedRowException {
    for (String field : fields) {
      if (JsonFields.list(row, field).isArray()) {
        continue;
      }
      String text = JsonFields.said(row, field).orElse("").strip();
      boolean asked =
          text.isEmpty()
              || prompt.stream().anyMatch(message -> message.content().strip().equals(text));
      if (!asked) {
        throw new RejectedRowException(
            "prompts_differ", "The field " + field + " is no message of the dialogue beside it");
      }
    }
  }

  private static Tagging.Comparison numbered(ObjectNode row, RowContext context)
      throws RejectedRowException {
    OptionalDouble verdict = JsonFields.oneNumber(row, "label", "preference");
    if (verdict.isEmpty() || (verdict.getAsDouble() != 1 && verdict.getAsDouble() != 2)) {
      throw new RejectedRowException("tie", "Neither answer is marked as the better one");
    }
    String first = JsonFields.requireValue(row, "output_1");
    String second = JsonFields.requireValue(row, "output_2");
    boolean firstIsBetter = verdict.getAsDouble() == 1;
    JsonFields.tellBeside(row, "", context, SCORES);
    return comparison(
        row,
        prompt(row, context),
        firstIsBetter ? first : second,
        firstIsBetter ? second : first,
        Scores.of(JsonFields.number(row, "margin")),
        context);
  }

  private RowResult ranked(ObjectNode row, RowContext context) throws RejectedRowException {
    List<Message> prompt = prompt(row, context);
    JsonNode outputs = row.get("output");
    List<Row> rows = new ArrayList<>();
    String best = text(outputs.path(0));
    for (int i = 1; i < outputs.size(); i++) {
      String other = text(outputs.get(i));
      if (!best.isBlank() && !other.isBlank() && !best.equals(other)) {
        Scores none = Scores.of(OptionalDouble.empty());
        rows.add(tagging.preference(comparison(row, prompt, best, other, none, context)));
      }
    }
    if (rows.isEmpty()) {
      throw new RejectedRowException("no_pair", "The list has no two different answers");
    }
    String group = rows.get(0).getString(1);
    return new RowResult.Kept(StableIds.of(group, outputs.toString()), rows, List.of());
  }

  private static String text(JsonNode node) {
    return node.isMissingNode() || node.isNull() ? "" : TextJson.text(node);
  }
}
