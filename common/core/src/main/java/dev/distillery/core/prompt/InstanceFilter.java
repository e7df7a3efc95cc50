package dev.distillery.core.prompt;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Drops instances of a task that teach nothing or the wrong thing, as Self-Instruct does. Alpaca
 * has no such rules; job generate applies {@link #check} to its tasks too unless it keeps strict
 * parity.
 */
public final class InstanceFilter {
  /** Most instances of one task. */
  public static final int MAX_INSTANCES = 5;

  private InstanceFilter() {}

  /** The first rule that drops one instance by itself; empty where none does. */
  public static Optional<Rejection> check(String input, String output) {
    if (output.isEmpty()) {
      return drop(Rule.EMPTY_OUTPUT, "", input, output);
    }
    if (input.equals(output)) {
      return drop(Rule.INPUT_EQUALS_OUTPUT, "", input, output);
    }
    if (PythonStrings.strip(input).endsWith(":")) {
      return drop(Rule.ENDS_WITH_COLON, "input", input, output);
    }
    if (PythonStrings.strip(output).endsWith(":")) {
      return drop(Rule.ENDS_WITH_COLON, "output", input, output);
    }
    return Optional.empty();
  }

  /**
   * All rules on the instances of one task: {@link #check} on each; then, where two of those left
   * have one input that is not empty but different outputs, none is kept; then each is kept once,
   * in the order of first appearance. The caller keeps at most {@link #MAX_INSTANCES}: the first
   * ones, where the original draws from an unordered set.
   */
  public static Parsed<TaskInstance> filter(List<TaskInstance> instances) {
    var valid = new ArrayList<TaskInstance>();
    var rejected = new ArrayList<Rejection>();
    for (TaskInstance instance : instances) {
      check(instance.input(), instance.output())
          .ifPresentOrElse(rejected::add, () -> valid.add(instance));
    }
    Optional<String> conflict = conflictingInput(valid);
    Set<TaskInstance> kept = new LinkedHashSet<>();
    for (TaskInstance instance : valid) {
      if (conflict.isPresent()) {
        rejected.add(rejection(Rule.CONFLICTING_OUTPUTS, conflict.get(), instance));
      } else if (!kept.add(instance)) {
        rejected.add(rejection(Rule.DUPLICATE_INSTANCE, "", instance));
      }
    }
    return new Parsed<>(List.copyOf(kept), rejected);
  }

  private static Optional<String> conflictingInput(List<TaskInstance> instances) {
    Map<String, String> outputs = new HashMap<>();
    for (TaskInstance instance : instances) {
      String input = instance.input();
      String earlier = input.isEmpty() ? null : outputs.putIfAbsent(input, instance.output());
      if (earlier != null && !earlier.equals(instance.output())) {
        return Optional.of(input);
      }
    }
    return Optional.empty();
  }

  private static Optional<Rejection> drop(Rule rule, String detail, String input, String output) {
    return Optional.of(rejection(rule, detail, new TaskInstance(input, output)));
  }

  private static Rejection rejection(Rule rule, String detail, TaskInstance instance) {
    String text =
        instance.input().isEmpty()
            ? instance.output()
            : instance.input() + "\n" + instance.output();
    return new Rejection(rule, detail, text);
  }
}
