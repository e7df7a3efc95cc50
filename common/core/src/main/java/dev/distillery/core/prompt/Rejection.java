package dev.distillery.core.prompt;

import java.io.Serializable;
import java.util.Objects;

/**
 * A candidate that was dropped.
 *
 * @param rule why
 * @param detail the offending value, for people; may be empty
 * @param text the candidate, as far as it was understood
 */
public record Rejection(Rule rule, String detail, String text) implements Serializable {
  public Rejection {
    Objects.requireNonNull(rule, "rule");
    Objects.requireNonNull(detail, "detail");
    Objects.requireNonNull(text, "text");
  }
}
