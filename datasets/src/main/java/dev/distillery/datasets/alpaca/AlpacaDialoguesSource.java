package dev.distillery.datasets.alpaca;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.dialogue.Message;
import dev.distillery.core.dialogue.Roles;
import dev.distillery.datasets.DialogueHead;
import dev.distillery.datasets.Fields;
import dev.distillery.datasets.JsonFields;
import dev.distillery.datasets.RejectedRowException;
import dev.distillery.datasets.RowContext;
import dev.distillery.datasets.RowResult;
import dev.distillery.datasets.Source;
import dev.distillery.datasets.Tagging;
import dev.distillery.spark.warehouse.Table;
import dev.distillery.spark.warehouse.Tables;
import java.util.List;
import java.util.Optional;

/**
 * Rows of Alpaca's shape as dialogues: {@code system}, the rounds of {@code history}, then {@code
 * instruction} with {@code input} below it, answered by {@code output}.
 */
public record AlpacaDialoguesSource(Tagging tagging) implements Source {
  @Override
  public String name() {
    return "alpaca-dialogues";
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
    return Fields.read("instruction", "input", "output", "tools", "functions")
        .reading(DialogueHead.FIELDS)
        .leaving("text");
  }

  @Override
  public List<RowResult> parse(ObjectNode row, RowContext context) throws RejectedRowException {
    String instruction = JsonFields.requireValue(row, "instruction");
    String input = JsonFields.value(row, "input").orElse("");
    String output = JsonFields.requireValue(row, "output");
    if (instruction.isBlank() && input.isBlank()) {
      throw new RejectedRowException("empty_instruction", "The instruction is empty");
    }
    if (output.isBlank()) {
      throw new RejectedRowException("empty_output", "The output is empty");
    }
    String asked = input.isBlank() ? instruction : instruction + "\n\n" + input;
    List<Message> messages =
        DialogueHead.before(
            row,
            List.of(new Message(Roles.USER, asked.strip()), new Message(Roles.ASSISTANT, output)));
    Optional<String> tools = DialogueHead.tools(row);
    return List.of(tagging.conversation(messages, context.split(), tools));
  }
}
