package dev.distillery.training.reward;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.distillery.core.dialogue.Message;
import dev.distillery.core.dialogue.MessageJson;
import dev.distillery.training.tokens.AnswerEncoder;
import dev.distillery.training.tokens.RowEncoder;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.Row;

/**
 * The answers that a row of a table holds: one, or the two of a comparison. An answer that ended by
 * itself is closed by the template's mark before it is scored; one that was cut is scored as it is.
 */
final class AnswersOf {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final String table;
  private final AnswerEncoder encoder;
  private final int most;

  /**
   * @param table name of the rows' table
   * @param most tokens of a prompt with its answer
   */
  AnswersOf(String table, AnswerEncoder encoder, int most) {
    this.table = table;
    this.encoder = encoder;
    this.most = most;
  }

  /** A row that has no answer to score. */
  static final class Rejected extends Exception {
    private static final long serialVersionUID = 1L;
    private final String rule;

    Rejected(String rule, String detail) {
      super(detail, null, false, false);
      this.rule = rule;
    }

    String rule() {
      return rule;
    }

    String detail() {
      return String.valueOf(getMessage());
    }
  }

  /** The answers of a row, at least one. */
  List<Scorable> of(Row row) throws Rejected {
    if (!Cells.text(row, "tools").isBlank()) {
      throw new Rejected("not_in_template", "The template has no place for tools");
    }
    try {
      List<Scorable> answers =
          switch (table) {
            case "preferences" -> comparison(row);
            case "completions" -> List.of(completion(row));
            case "rollouts" -> List.of(rollout(row));
            case "instructions" -> List.of(task(row));
            default -> List.of(dialogue(row));
          };
      for (Scorable answer : answers) {
        check(answer);
      }
      return answers;
    } catch (IllegalArgumentException e) {
      throw new Rejected("not_in_template", String.valueOf(e.getMessage()));
    }
  }

  private void check(Scorable answer) throws Rejected {
    String whose = answer.side().isEmpty() ? "" : answer.side() + " ";
    if (!answer.tokens().hasAnswer()) {
      throw new Rejected("no_answer", "The %sanswer has no token".formatted(whose));
    }
    if (answer.tokens().ids().length > most) {
      throw new Rejected(
          "longer_than_context",
          "The prompt and the %sanswer have %s tokens, and the reward model reads %s"
              .formatted(whose, answer.tokens().ids().length, most));
    }
  }

  private List<Scorable> comparison(Row row) {
    List<Message> prompt = Cells.messages(row, "prompt");
    List<Scorable> sides = new ArrayList<>();
    for (String side : List.of("chosen", "rejected")) {
      String answer = Cells.text(row, side);
      sides.add(new Scorable(side, json(prompt), answer, encoder.closed(prompt, answer)));
    }
    return sides;
  }

  private Scorable completion(Row row) throws Rejected {
    if (!Cells.text(row, "status").equals("ok")) {
      throw new Rejected("failed", "The request failed: " + Cells.text(row, "error"));
    }
    String asked = Cells.text(row, "prompt");
    if (asked.isBlank()) {
      throw new Rejected("no_prompt", "Nobody wrote down what was asked");
    }
    String answer = Cells.text(row, "text");
    List<Message> prompt =
        MessageJson.dialogue(asked).orElseGet(() -> List.of(new Message("user", asked)));
    String finish = Cells.text(row, "finish_reason");
    boolean ended = finish.isEmpty() || finish.equals("stop");
    return new Scorable(
        "",
        json(prompt),
        answer,
        ended ? encoder.closed(prompt, answer) : encoder.cut(prompt, answer));
  }

  private Scorable rollout(Row row) {
    String prompt = Cells.text(row, "prompt");
    String answer = Cells.text(row, "answer");
    boolean ended = Cells.has(row, "ended") && row.getBoolean(row.fieldIndex("ended"));
    return new Scorable("", prompt, answer, encoder.written(prompt, answer, ended));
  }

  private Scorable task(Row row) throws Rejected {
    if (Cells.text(row, "output").isBlank()) {
      throw new Rejected("no_answer", "The task has no output");
    }
    List<Message> prompt =
        RowEncoder.task(
            encoder.template(), Cells.text(row, "instruction"), Cells.text(row, "input"));
    String answer = Cells.text(row, "output");
    return new Scorable("", json(prompt), answer, encoder.closed(prompt, answer));
  }

  private Scorable dialogue(Row row) throws Rejected {
    List<Message> turns = Cells.messages(row, "messages");
    int last = turns.size() - 1;
    if (last < 0
        || !turns.get(last).role().equals("assistant")
        || turns.get(last).content().isBlank()) {
      throw new Rejected("no_answer", "The dialogue's last message is no answer");
    }
    return new Scorable(
        "", json(turns.subList(0, last)), turns.get(last).content(), encoder.closed(turns));
  }

  private static String json(List<Message> turns) {
    ArrayNode list = JSON.createArrayNode();
    turns.forEach(turn -> list.add(MessageJson.write(turn)));
    return list.toString();
  }
}
