package dev.distillery.training.run;

import dev.distillery.core.run.OptionsBinder;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * What a checkpoint may not change beside the options of training.
 *
 * @param now by name
 * @param earlier reads those of an earlier version's checkpoint as this version writes them
 */
record RunFacts(Map<String, String> now, UnaryOperator<Map<String, String>> earlier) {
  static final RunFacts NONE = new RunFacts(Map.of(), UnaryOperator.identity());

  RunFacts {
    now = Map.copyOf(now);
  }

  RunFacts with(String name, String value) {
    return with(Map.of(name, value), UnaryOperator.identity());
  }

  /** With a group of options: those that a checkpoint does not name had their defaults. */
  <T extends Record> RunFacts with(Class<T> type, T options) {
    var binder = OptionsBinder.of(type);
    return with(binder.decisive(options), binder::decisiveOf);
  }

  /** With these, which earlier versions wrote down otherwise. */
  RunFacts with(Map<String, String> facts, UnaryOperator<Map<String, String>> then) {
    var all = new TreeMap<>(now);
    all.putAll(facts);
    return new RunFacts(all, written -> then.apply(earlier.apply(written)));
  }
}
