package dev.distillery.model.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * {@code for targets in elements if condition}.
 *
 * @param targets one name, or as many as an element has members
 * @param condition which elements count
 * @param otherwise what runs where there is none
 */
record Loop(
    List<String> targets,
    Expression elements,
    Optional<Expression> condition,
    Statement body,
    Statement otherwise)
    implements Statement {

  @Override
  public Flow run(Scope scope) {
    List<Object> chosen = new ArrayList<>();
    for (Object element : Value.elements(elements.evaluate(scope))) {
      scope.charge(0);
      if (condition.isPresent()) {
        Scope inner = scope.inner();
        assign(inner, targets, element);
        if (!Value.truth(condition.get().evaluate(inner))) {
          continue;
        }
      }
      chosen.add(element);
    }
    if (chosen.isEmpty()) {
      return otherwise.run(scope);
    }
    Map<String, Object> changed = new LinkedHashMap<>();
    for (int i = 0; i < chosen.size(); i++) {
      Scope inner = scope.inner();
      assign(inner, targets, chosen.get(i));
      inner.set("loop", state(chosen, i, changed));
      if (body.run(inner) == Flow.BREAK) {
        break;
      }
    }
    return Flow.NEXT;
  }

  private static Value.Namespace state(
      List<Object> chosen, int index, Map<String, Object> changed) {
    long size = chosen.size();
    Value.Namespace loop = new Value.Namespace();
    loop.members.put("index", index + 1L);
    loop.members.put("index0", (long) index);
    loop.members.put("revindex", size - index);
    loop.members.put("revindex0", size - index - 1);
    loop.members.put("first", index == 0);
    loop.members.put("last", index == size - 1);
    loop.members.put("length", size);
    loop.members.put("depth", 1L);
    loop.members.put("depth0", 0L);
    if (index > 0) {
      loop.members.put("previtem", chosen.get(index - 1));
    }
    if (index < size - 1) {
      loop.members.put("nextitem", chosen.get(index + 1));
    }
    loop.members.put(
        "cycle", (Value.Callable) a -> a.positional().get(index % a.positional().size()));
    loop.members.put(
        "changed",
        (Value.Callable)
            a -> {
              Object now = new Value.Tuple(a.positional());
              Object before = changed.put("value", now);
              return before == null || !Value.same(before, now);
            });
    return loop;
  }

  /** Sets names to a value, or to the members of one. */
  static void assign(Scope scope, List<String> targets, Object value) {
    if (targets.size() == 1) {
      scope.set(targets.get(0), value);
      return;
    }
    List<Object> members = Value.elements(value);
    if (members.size() != targets.size()) {
      throw new TemplateException(
          "The chat template takes %s names from %s values"
              .formatted(targets.size(), members.size()));
    }
    for (int i = 0; i < members.size(); i++) {
      scope.set(targets.get(i), members.get(i));
    }
  }
}
