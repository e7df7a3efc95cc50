package dev.distillery.core.dialogue;

import java.util.Objects;

/**
 * One turn of a dialogue.
 *
 * @param role {@code system}, {@code user} or {@code assistant}
 * @param content what was said; may be empty
 */
public record Message(String role, String content) {
  public Message {
    Objects.requireNonNull(role, "role");
    Objects.requireNonNull(content, "content");
  }
}
