package dev.distillery.model.constrain;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What fits one schema: any of some rules. While schemas are read it may name other choices, itself
 * among them; {@link #flatten} puts their rules in their places.
 */
final class Choice {
  /** The height of what no value fits. */
  static final int NEVER = Integer.MAX_VALUE / 2;

  /** Levels of nesting of an answer. */
  static final int MOST_DEPTH = 64;

  private final List<Choice> others = new ArrayList<>();
  private List<JsonRule> rules = new ArrayList<>();

  void add(JsonRule rule) {
    rules.add(rule);
  }

  void add(Choice other) {
    others.add(other);
  }

  /** All rules of this and of the choices it names, each once. */
  List<JsonRule> reachable() {
    Set<Choice> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    Set<JsonRule> known = Collections.newSetFromMap(new IdentityHashMap<>());
    List<JsonRule> found = new ArrayList<>();
    Deque<Choice> left = new ArrayDeque<>(List.of(this));
    while (!left.isEmpty()) {
      Choice one = left.pop();
      if (seen.add(one)) {
        one.rules.stream().filter(known::add).forEach(found::add);
        for (int i = one.others.size() - 1; i >= 0; i--) {
          left.push(one.others.get(i));
        }
      }
    }
    return found;
  }

  /** Leaves these rules and no other choices. */
  void flatten(List<JsonRule> all) {
    rules = List.copyOf(all);
    others.clear();
  }

  int height() {
    return rules.stream().mapToInt(JsonRule::height).min().orElse(NEVER);
  }

  /** Whether a value has room within so many levels. */
  boolean fits(int depth) {
    for (JsonRule rule : rules) {
      if (depth + rule.height() <= MOST_DEPTH) {
        return true;
      }
    }
    return false;
  }

  /** Begins every rule that has room. */
  void begin(@Nullable Reading below, Readings into) {
    int depth = Reading.depthOf(below);
    for (JsonRule rule : rules) {
      if (depth + rule.height() <= MOST_DEPTH) {
        rule.begin(below, into);
      }
    }
  }
}
