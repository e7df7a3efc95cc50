package dev.distillery.datasets.oig;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.dialogue.Message;
import dev.distillery.datasets.Dialogues;
import dev.distillery.datasets.Fields;
import dev.distillery.datasets.JsonFields;
import dev.distillery.datasets.MarkedText;
import dev.distillery.datasets.RejectedRowException;
import dev.distillery.datasets.RowContext;
import dev.distillery.datasets.RowResult;
import dev.distillery.datasets.Source;
import dev.distillery.datasets.Tagging;
import dev.distillery.spark.warehouse.Table;
import dev.distillery.spark.warehouse.Tables;
import java.util.List;
import java.util.regex.Pattern;

/**
 * A dialogue in one {@code text}, each turn after {@code <human>:} or {@code <bot>:} at the
 * beginning of a line. What stands before the first mark is background and is dropped, as Koala
 * does.
 */
public record OigSource(Tagging tagging) implements Source {
  private static final Pattern TURN = Pattern.compile("(?m)^[ \\t]*<(human|bot)>:");

  @Override
  public String name() {
    return "oig";
  }

  @Override
  public Table table() {
    return Tables.CONVERSATIONS;
  }

  @Override
  public String unit() {
    return "conversations";
  }

  @Override
  public Fields fields() {
    return Fields.read("text").leaving("metadata");
  }

  @Override
  public List<RowResult> parse(ObjectNode row, RowContext context) throws RejectedRowException {
    List<Message> messages = MarkedText.turns(JsonFields.requireText(row, "text"), TURN, context);
    Dialogues.requireAlternating(messages);
    return List.of(tagging.conversation(messages, context.split(), List.of()));
  }
}
