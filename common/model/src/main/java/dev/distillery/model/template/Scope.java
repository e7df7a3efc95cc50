package dev.distillery.model.template;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** The names that a part of a template sees, what it writes to, and what it may still cost. */
final class Scope {
  /** Most work of one rendering: statements, elements, characters. */
  private static final long MOST_WORK = 20_000_000;

  /** Longest text that a template may make. */
  private static final int LONGEST = 1 << 24;

  /** Macros within macros. */
  private static final int DEEPEST = 100;

  /** What all scopes of one rendering share. */
  private static final class Run {
    long work;
    int depth;
  }

  private final Optional<Scope> parent;
  private final Map<String, Object> names = new HashMap<>();
  private final Run run;
  private Text.Builder out;

  private Scope(Optional<Scope> parent, Run run, Text.Builder out) {
    this.parent = parent;
    this.run = run;
    this.out = out;
  }

  static Scope root(Map<String, Object> names) {
    Scope scope = new Scope(Optional.empty(), new Run(), new Text.Builder());
    scope.names.putAll(names);
    return scope;
  }

  /** Sees what this one sees; what it sets is its own. */
  Scope inner() {
    return new Scope(Optional.of(this), run, out);
  }

  Object get(String name) {
    for (Scope scope = this; ; scope = scope.parent.get()) {
      Object value = scope.names.get(name);
      if (value != null) {
        return value;
      }
      if (scope.parent.isEmpty()) {
        return new Value.Undefined(name);
      }
    }
  }

  void set(String name, Object value) {
    names.put(name, value);
  }

  Text.Builder out() {
    return out;
  }

  /** Runs with a sink of its own, and gives what came into it. */
  Text captured(Runnable work) {
    Text.Builder before = out;
    out = new Text.Builder();
    out.flag(before.flags());
    try {
      work.run();
      return out.build();
    } finally {
      out = before;
    }
  }

  void write(Object value) {
    Text text = Value.printed(value);
    charge(text.value().length());
    if (out.length() + text.value().length() > LONGEST) {
      throw tooMuch();
    }
    out.add(text);
  }

  /** Counts work, and refuses too much of it. */
  void charge(long work) {
    run.work += work + 1;
    if (work > LONGEST || run.work > MOST_WORK) {
      throw tooMuch();
    }
  }

  /** Enters a macro. */
  void enter() {
    if (++run.depth > DEEPEST) {
      throw new TemplateException("The chat template's macros call each other without end");
    }
  }

  void leave() {
    run.depth--;
  }

  private static TemplateException tooMuch() {
    return new TemplateException(
        "The chat template does too much: over "
            + MOST_WORK
            + " steps and characters, or a text of over "
            + LONGEST);
  }
}
