package dev.distillery.core.prompt;

import java.io.Serializable;
import java.util.Objects;

/**
 * One worked case of a task.
 *
 * @param input what the task is applied to; empty where the task needs none
 * @param output the answer
 */
public record TaskInstance(String input, String output) implements Serializable {
  public TaskInstance {
    Objects.requireNonNull(input, "input");
    Objects.requireNonNull(output, "output");
  }
}
