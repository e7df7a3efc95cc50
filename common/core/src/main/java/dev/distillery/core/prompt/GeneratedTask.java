package dev.distillery.core.prompt;

import java.io.Serializable;
import java.util.Objects;

/**
 * An instruction with one input and output: what an Alpaca prompt shows, and what its reply holds.
 *
 * @param instruction what is to be done
 * @param input what it is applied to; empty where the task needs none
 * @param output the answer
 */
public record GeneratedTask(String instruction, String input, String output)
    implements Serializable {
  public GeneratedTask {
    Objects.requireNonNull(instruction, "instruction");
    Objects.requireNonNull(input, "input");
    Objects.requireNonNull(output, "output");
  }
}
