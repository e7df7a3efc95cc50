package dev.distillery.datasets.messages;

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

/** Rows of {@code messages} in OpenAI's forms, with the {@code tools} that they may call. */
public record OpenAiMessagesSource(Tagging tagging) implements Source {
  @Override
  public String name() {
    return "openai-messages";
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
    return Fields.read("messages", "tools", "functions")
        .reading(DialogueHead.FIELDS)
        .leaving("prompt_id", "parallel_tool_calls");
  }

  @Override
  public List<RowResult> parse(ObjectNode row, RowContext context) throws RejectedRowException {
    List<Message> messages =
        DialogueHead.before(
            row, JsonFields.messages(JsonFields.requireArray(row, "messages"), context));
    boolean answered =
        messages.stream().anyMatch(message -> message.role().equals(Roles.ASSISTANT));
    if (!answered) {
      throw new RejectedRowException("no_answer", "No message is the assistant's");
    }
    return List.of(tagging.conversation(messages, context.split(), DialogueHead.tools(row)));
  }
}
