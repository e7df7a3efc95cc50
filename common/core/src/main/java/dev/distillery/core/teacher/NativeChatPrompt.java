package dev.distillery.core.teacher;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.dialogue.Message;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * Writes a dialogue in a model's own chat form, ready to be continued by the assistant.
 *
 * <p>The native renderer mangles text beyond the Basic Multilingual Plane on its way back to Java,
 * so it is given plain marks in place of what was said, and the texts go in afterwards.
 */
final class NativeChatPrompt {
  private static final ObjectMapper JSON = new ObjectMapper();

  private NativeChatPrompt() {}

  /**
   * The dialogue as one prompt.
   *
   * @param renderer from the JSON object {@code {"messages": [...]}} to the rendered text
   * @throws IllegalArgumentException where the model's template does not take such a dialogue
   */
  static String render(List<Message> messages, UnaryOperator<String> renderer) {
    ObjectNode body = JSON.createObjectNode();
    ArrayNode list = body.putArray("messages");
    for (int i = 0; i < messages.size(); i++) {
      list.addObject().put("role", messages.get(i).role()).put("content", mark(i));
    }
    String rendered = renderer.apply(body.toString());
    var prompt = new StringBuilder();
    int at = 0;
    for (int i = 0; i < messages.size(); i++) {
      int found = rendered.indexOf(mark(i), at);
      if (found < 0) {
        throw new IllegalArgumentException(
            "The model's chat template drops or moves message %s (%s)"
                .formatted(i + 1, messages.get(i).role()));
      }
      prompt.append(rendered, at, found).append(messages.get(i).content());
      at = found + mark(i).length();
    }
    return prompt.append(rendered, at, rendered.length()).toString();
  }

  private static String mark(int i) {
    return "MESSAGE" + i + "GOESHERE";
  }
}
