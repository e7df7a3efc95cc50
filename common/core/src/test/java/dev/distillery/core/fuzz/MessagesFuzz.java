package dev.distillery.core.fuzz;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.core.dialogue.Message;
import dev.distillery.core.dialogue.MessageJson;
import dev.distillery.core.dialogue.TextJson;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** A message: refused by name, or the same after it was written and read again. */
public final class MessagesFuzz {
  private MessagesFuzz() {}

  /** One input. */
  public static void fuzzerTestOneInput(byte[] data) {
    Optional<JsonNode> json = TextJson.tryParse(new String(data, StandardCharsets.UTF_8));
    if (json.isEmpty()) {
      return;
    }
    try {
      Message message = MessageJson.read(json.get(), 0, name -> {});
      Message again = MessageJson.read(MessageJson.write(message), 0, name -> {});
      boolean same =
          message.role().equals(again.role())
              && message.content().equals(again.content())
              && message.name().equals(again.name())
              && message.toolCalls().equals(again.toolCalls());
      if (!same) {
        throw new IllegalStateException(message + " became " + again);
      }
    } catch (MessageJson.UnreadableException e) {
      if (!e.rule().matches("[a-z_]+") || e.detail().isEmpty()) {
        throw new IllegalStateException("A refusal without a name: " + e.rule(), e);
      }
    }
  }
}
