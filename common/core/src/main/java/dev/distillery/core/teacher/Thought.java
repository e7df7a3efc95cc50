package dev.distillery.core.teacher;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * What a model thought before it answered, apart from the answer: so that nobody takes a draft for
 * a reply.
 *
 * @param reasoning what it thought; empty where it did not say
 * @param text the answer
 */
record Thought(String reasoning, String text) {
  private static final String OPEN = "<think>";
  private static final String CLOSE = "</think>";

  /** Parts a message of which {@code content} is the text. */
  static Thought of(JsonNode message, String content) {
    for (String field : new String[] {"reasoning_content", "reasoning"}) {
      if (message.path(field).isTextual() && !message.get(field).textValue().isEmpty()) {
        return new Thought(message.get(field).textValue(), content);
      }
    }
    return of(content);
  }

  /** Parts a text. Some templates open the thought in the prompt, so that only its end is here. */
  static Thought of(String content) {
    int close = content.indexOf(CLOSE);
    boolean opened = content.stripLeading().startsWith(OPEN);
    int start = opened ? content.indexOf(OPEN) + OPEN.length() : 0;
    if (close < 0) {
      // Cut off while it was thinking: there is no answer.
      return opened ? new Thought(content.substring(start).strip(), "") : new Thought("", content);
    }
    if (close < start) {
      return new Thought("", content);
    }
    return new Thought(
        content.substring(start, close).strip(),
        content.substring(close + CLOSE.length()).stripLeading());
  }
}
