package dev.distillery.model.template;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Jinja's tests, behind {@code is}. */
final class Tests {
  /** A test of a value. */
  @FunctionalInterface
  interface Test {
    boolean holds(Object value, Arguments arguments);
  }

  private static final Map<String, Test> BY_NAME = new HashMap<>();

  static {
    BY_NAME.put("defined", (v, a) -> !(v instanceof Value.Undefined));
    BY_NAME.put("undefined", (v, a) -> v instanceof Value.Undefined);
    BY_NAME.put("none", (v, a) -> v == Value.NONE);
    BY_NAME.put("string", (v, a) -> v instanceof Text);
    BY_NAME.put("mapping", (v, a) -> v instanceof Map);
    BY_NAME.put("sequence", (v, a) -> hasElements(v));
    BY_NAME.put("iterable", (v, a) -> hasElements(v));
    BY_NAME.put("number", (v, a) -> Value.isNumber(v));
    BY_NAME.put("integer", (v, a) -> v instanceof Long);
    BY_NAME.put("float", (v, a) -> v instanceof Double);
    BY_NAME.put("boolean", (v, a) -> v instanceof Boolean);
    BY_NAME.put("true", (v, a) -> v.equals(true));
    BY_NAME.put("false", (v, a) -> v.equals(false));
    BY_NAME.put("callable", (v, a) -> v instanceof Value.Callable);
    BY_NAME.put("odd", (v, a) -> Math.floorMod(Value.whole(v, "An odd number"), 2) == 1);
    BY_NAME.put("even", (v, a) -> Math.floorMod(Value.whole(v, "An even number"), 2) == 0);
    BY_NAME.put(
        "divisibleby",
        (v, a) ->
            Operators.arithmetic("%", Value.whole(v, "A number"), a.get(0, "num")).equals(0L));
    BY_NAME.put("sameas", (v, a) -> v == a.get(0, "other") || v.equals(a.get(0, "other")));
    BY_NAME.put(
        "upper",
        (v, a) ->
            Value.printed(v).value().equals(Value.printed(v).value().toUpperCase(Locale.ROOT)));
    BY_NAME.put(
        "lower",
        (v, a) ->
            Value.printed(v).value().equals(Value.printed(v).value().toLowerCase(Locale.ROOT)));
    compare("==", "equalto", "eq", "==");
    compare("!=", "ne", "!=");
    compare("<", "lt", "lessthan", "<");
    compare("<=", "le", "<=");
    compare(">", "gt", "greaterthan", ">");
    compare(">=", "ge", ">=");
    compare("in", "in");
  }

  private static void compare(String operator, String... names) {
    for (String name : names) {
      BY_NAME.put(name, (v, a) -> Operators.compares(operator, v, a.get(0, "other")));
    }
  }

  private Tests() {}

  /** What is not there has none, and that is a length too. */
  private static boolean hasElements(Object value) {
    return value instanceof List
        || value instanceof Map
        || value instanceof Text
        || value instanceof Value.Undefined;
  }

  static Optional<Test> find(String name) {
    return Optional.ofNullable(BY_NAME.get(name));
  }
}
