package dev.distillery.core.prompt;

import java.io.Serializable;
import java.util.List;
import java.util.Objects;

/**
 * A task written by people, from which a teacher takes its cue.
 *
 * @param id unique in its file, such as {@code seed_task_12}
 * @param name a short name for people
 * @param instruction what is to be done; not blank
 * @param instances worked cases, at least one
 * @param isClassification whether the answer is one of a few labels
 */
public record SeedTask(
    String id,
    String name,
    String instruction,
    List<TaskInstance> instances,
    boolean isClassification)
    implements Serializable {
  public SeedTask {
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(instruction, "instruction");
    instances = List.copyOf(instances);
    if (instances.isEmpty()) {
      throw new IllegalArgumentException(
          "Seed task " + id + " has no instances; give at least one");
    }
  }

  /** The task with its first instance, as a prompt shows it. */
  public GeneratedTask shown() {
    return new GeneratedTask(instruction, instances.get(0).input(), instances.get(0).output());
  }
}
