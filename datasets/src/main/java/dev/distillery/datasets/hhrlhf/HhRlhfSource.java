package dev.distillery.datasets.hhrlhf;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.dialogue.Message;
import dev.distillery.core.dialogue.Roles;
import dev.distillery.datasets.Dialogues;
import dev.distillery.datasets.Fields;
import dev.distillery.datasets.JsonFields;
import dev.distillery.datasets.RejectedRowException;
import dev.distillery.datasets.RowContext;
import dev.distillery.datasets.RowResult;
import dev.distillery.datasets.Source;
import dev.distillery.datasets.Tagging;
import dev.distillery.spark.warehouse.Table;
import dev.distillery.spark.warehouse.Tables;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Pairs of whole dialogues, {@code chosen} and {@code rejected}, that part at the last answer.
 * Turns begin with {@code Human:} or {@code Assistant:} after an empty line: the words inside of a
 * turn are text.
 */
public record HhRlhfSource(Tagging tagging) implements Source {
  private static final Pattern TURN = Pattern.compile("\n\n(Human|Assistant):(?= |\n|$)");

  @Override
  public String name() {
    return "hh-rlhf";
  }

  @Override
  public Table table() {
    return Tables.PREFERENCES;
  }

  @Override
  public String unit() {
    return "comparisons";
  }

  @Override
  public Fields fields() {
    return Fields.read("chosen", "rejected");
  }

  @Override
  public List<RowResult> parse(ObjectNode row, RowContext context) throws RejectedRowException {
    List<Message> chosen = turns(JsonFields.requireText(row, "chosen"));
    List<Message> rejected = turns(JsonFields.requireText(row, "rejected"));
    return List.of(tagging.keep(Dialogues.parting(chosen, rejected, context.split())));
  }

  /** A dialogue's turns. */
  static List<Message> turns(String dialogue) throws RejectedRowException {
    Matcher matcher = TURN.matcher(dialogue);
    List<Message> turns = new ArrayList<>();
    String role = "";
    int start = -1;
    while (matcher.find()) {
      if (start >= 0) {
        turns.add(new Message(role, dialogue.substring(start, matcher.start()).strip()));
      } else if (!dialogue.substring(0, matcher.start()).isBlank()) {
        break;
      }
      role = matcher.group(1).equals("Human") ? Roles.USER : Roles.ASSISTANT;
      start = matcher.end();
    }
    if (start < 0) {
      throw new RejectedRowException(
          "unknown_format", "The dialogue does not begin with Human: or Assistant:");
    }
    turns.add(new Message(role, dialogue.substring(start).strip()));
    return turns;
  }
}
