package dev.distillery.core.teacher;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.distillery.core.dialogue.Message;
import dev.distillery.core.dialogue.MessageJson;
import java.util.List;
import java.util.Optional;

/**
 * One question to a teacher.
 *
 * <p>Exactly one of {@code prompt} (text to continue, no chat template) and {@code messages} (a
 * dialogue to answer) is set. An API that has only the other form is asked in that form by the
 * teacher: a prompt becomes one user message.
 *
 * @param requestId stable hash of model, parameters, messages and place; see {@link RequestIds}
 * @param rowId id of the row that is asked about, where there is one
 * @param model the model's name as the teacher knows it
 * @param prompt text to continue
 * @param messages dialogue to answer; empty where {@code prompt} is set
 * @param sampling how the reply is drawn
 * @param extraBody a JSON object whose fields are merged into the HTTP body at top level; "{}" for
 *     none
 */
public record TeacherRequest(
    String requestId,
    Optional<String> rowId,
    String model,
    Optional<String> prompt,
    List<Message> messages,
    Sampling sampling,
    String extraBody) {

  public TeacherRequest {
    messages = List.copyOf(messages);
    if (prompt.isPresent() != messages.isEmpty()) {
      throw new IllegalArgumentException(
          "A request has either a prompt or messages; request "
              + requestId
              + " has "
              + (prompt.isPresent() ? "both" : "neither"));
    }
  }

  /**
   * What is asked, in one text, as the {@code completions} table keeps it: the prompt as it is, or
   * the messages as a JSON array of {@code {"role", "content"}}.
   */
  public String promptText() {
    return prompt.orElseGet(
        () -> {
          ArrayNode array = JsonNodeFactory.instance.arrayNode();
          for (Message message : messages) {
            array.add(MessageJson.write(message));
          }
          return array.toString();
        });
  }
}
