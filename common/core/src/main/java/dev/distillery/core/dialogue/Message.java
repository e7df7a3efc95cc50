package dev.distillery.core.dialogue;

import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * One turn of a dialogue.
 *
 * @param role {@code system}, {@code user}, {@code assistant} or {@code tool}
 * @param content what was said; may be empty
 * @param name who said it, among several of one role; or the tool that answers
 * @param weight how much the turn counts in training; 0 for not at all, empty where nobody said
 * @param toolCalls a JSON array of the calls that the turn makes, in OpenAI's form
 * @param toolCallId the call that a tool's turn answers
 */
public record Message(
    String role,
    String content,
    Optional<String> name,
    OptionalDouble weight,
    Optional<String> toolCalls,
    Optional<String> toolCallId) {
  public Message {
    Objects.requireNonNull(role, "role");
    Objects.requireNonNull(content, "content");
  }

  /** A turn that answers no call of its own. */
  public Message(
      String role,
      String content,
      Optional<String> name,
      OptionalDouble weight,
      Optional<String> toolCalls) {
    this(role, content, name, weight, toolCalls, Optional.empty());
  }

  /** A turn of which only the words are known. */
  public Message(String role, String content) {
    this(role, content, Optional.empty(), OptionalDouble.empty(), Optional.empty());
  }

  /** The same turn with other words. */
  public Message withContent(String other) {
    return new Message(role, other, name, weight, toolCalls, toolCallId);
  }
}
