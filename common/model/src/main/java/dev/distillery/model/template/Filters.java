package dev.distillery.model.template;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Jinja's filters that chat templates use. */
final class Filters {
  /** A filter: the value before the bar, and what stands in parentheses behind its name. */
  @FunctionalInterface
  interface Filter {
    Object apply(Object value, Arguments arguments);
  }

  private static final Map<String, Filter> BY_NAME = new HashMap<>();

  /** Where a word begins for the filter title, other than for the method. */
  private static final Pattern WORD =
      Pattern.compile("[^-\\s({\\[<]+", Pattern.UNICODE_CHARACTER_CLASS);

  static {
    BY_NAME.put("trim", (v, a) -> strip(v, a));
    BY_NAME.put("upper", (v, a) -> method(v, "upper", a));
    BY_NAME.put("lower", (v, a) -> method(v, "lower", a));
    BY_NAME.put("title", (v, a) -> titled(Value.printed(v)));
    BY_NAME.put("capitalize", (v, a) -> method(v, "capitalize", a));
    BY_NAME.put("length", (v, a) -> Value.length(v));
    BY_NAME.put("count", (v, a) -> Value.length(v));
    BY_NAME.put("string", (v, a) -> Value.printed(v));
    BY_NAME.put("safe", (v, a) -> v);
    BY_NAME.put("list", (v, a) -> charged(a, new ArrayList<>(Value.elements(v))));
    BY_NAME.put("first", (v, a) -> end(v, true));
    BY_NAME.put("last", (v, a) -> end(v, false));
    BY_NAME.put("default", Filters::orDefault);
    BY_NAME.put("d", Filters::orDefault);
    BY_NAME.put("join", Filters::join);
    BY_NAME.put("tojson", Filters::json);
    BY_NAME.put(
        "replace",
        (v, a) ->
            Methods.replace(
                a.scope(),
                Value.printed(v),
                Value.printed(a.get(0, "old")),
                Value.printed(a.get(1, "new")),
                Value.whole(a.get(2, "count", -1L), "count")));
    BY_NAME.put(
        "items", (v, a) -> v instanceof Value.Undefined ? List.of() : Methods.items(map(v)));
    BY_NAME.put("dictsort", Filters::sortedItems);
    BY_NAME.put("sort", Filters::sorted);
    BY_NAME.put("unique", Filters::unique);
    BY_NAME.put("reverse", Filters::reversed);
    BY_NAME.put("map", Filters::mapped);
    BY_NAME.put("select", (v, a) -> chosen(v, a, 0, true));
    BY_NAME.put("reject", (v, a) -> chosen(v, a, 0, false));
    BY_NAME.put("selectattr", (v, a) -> chosen(v, a, 1, true));
    BY_NAME.put("rejectattr", (v, a) -> chosen(v, a, 1, false));
    BY_NAME.put("int", Filters::whole);
    BY_NAME.put("float", Filters::real);
    BY_NAME.put("abs", (v, a) -> v instanceof Long n ? (Object) Math.abs(n) : Math.abs(number(v)));
    BY_NAME.put("round", Filters::rounded);
    BY_NAME.put("sum", Filters::sum);
    BY_NAME.put("min", (v, a) -> extreme(v, a, Value::compare));
    BY_NAME.put("max", (v, a) -> extreme(v, a, (x, y) -> Value.compare(y, x)));
    BY_NAME.put("indent", Filters::indented);
    BY_NAME.put("format", (v, a) -> Operators.format(Value.printed(v), a.positional()));
    BY_NAME.put("attr", (v, a) -> Operators.attributeOnly(v, a.text(0, "name").value()));
    BY_NAME.put("escape", (v, a) -> escaped(a.scope(), v));
    BY_NAME.put("e", (v, a) -> escaped(a.scope(), v));
  }

  private Filters() {}

  static Optional<Filter> find(String name) {
    return Optional.ofNullable(BY_NAME.get(name));
  }

  private static Object charged(Arguments a, List<Object> list) {
    a.scope().charge(list.size());
    return list;
  }

  private static Map<?, ?> map(Object value) {
    if (value instanceof Map<?, ?> map) {
      return map;
    }
    throw Value.wrong("A filter of the chat template takes a mapping", value);
  }

  private static double number(Object value) {
    if (Value.isNumber(value)) {
      return Value.real(value);
    }
    throw Value.wrong("A filter of the chat template takes a number", value);
  }

  private static Object strip(Object value, Arguments a) {
    Object chars = a.atMost(1, "chars").get(0, "chars", Value.NONE);
    String which = chars == Value.NONE ? null : Value.text(chars, "chars").value();
    return Methods.strip(Value.printed(value), which, true, true);
  }

  private static Object method(Object value, String name, Arguments a) {
    return Methods.find(Value.printed(value), name).orElseThrow().call(a.atMost(0));
  }

  /** Each word capitalised; unlike the method's, it ends at a blank, a dash or a bracket only. */
  private static Object titled(Text text) {
    return text.rewritten(
        WORD.matcher(text.value())
            .replaceAll(word -> Matcher.quoteReplacement(Methods.capitalized(word.group()))));
  }

  private static Object end(Object value, boolean first) {
    List<Object> elements = Value.elements(value);
    return elements.isEmpty()
        ? new Value.Undefined(first ? "first element" : "last element")
        : elements.get(first ? 0 : elements.size() - 1);
  }

  private static Object orDefault(Object value, Arguments a) {
    boolean falsy = Value.truth(a.get(1, "boolean", false)) && !Value.truth(value);
    return value instanceof Value.Undefined || falsy
        ? a.get(0, "default_value", Text.EMPTY)
        : value;
  }

  private static Object join(Object value, Arguments a) {
    List<Object> parts = Value.elements(value);
    Object attribute = a.get(1, "attribute", Value.NONE);
    if (attribute != Value.NONE) {
      parts = parts.stream().map(part -> byPath(part, attribute)).toList();
    }
    return Methods.join(a.scope(), Value.printed(a.get(0, "d", Text.EMPTY)), parts);
  }

  /** By place as transformers has it: ensure_ascii, indent, separators, sort_keys. */
  private static Object json(Object value, Arguments a) {
    a.atMost(4, "ensure_ascii", "indent", "separators", "sort_keys");
    Object indent = a.get(1, "indent", Value.NONE);
    Object given = a.get(2, "separators", Value.NONE);
    String[] separators = {indent == Value.NONE ? ", " : ",", ": "};
    if (given instanceof List<?> pair && pair.size() == 2) {
      separators = new String[] {PythonText.str(pair.get(0)), PythonText.str(pair.get(1))};
    }
    Object ordered = Value.truth(a.get(3, "sort_keys", false)) ? sortedKeys(value) : value;
    StringBuilder out = new StringBuilder();
    PythonText.json(
        out,
        ordered,
        indent == Value.NONE ? -1 : (int) Math.min(64, Value.whole(indent, "indent")),
        0,
        separators);
    boolean ascii = Value.truth(a.get(0, "ensure_ascii", false));
    String json = ascii ? PythonText.ascii(out) : out.toString();
    a.scope().charge(json.length());
    return Text.of(json, Value.foreign(value));
  }

  private static Object sortedKeys(Object value) {
    if (value instanceof List<?> list) {
      return list.stream().map(Filters::sortedKeys).toList();
    }
    if (!(value instanceof Map<?, ?> map)) {
      return value;
    }
    Map<Object, Object> sorted = new java.util.LinkedHashMap<>();
    map.keySet().stream()
        .sorted(Value::compare)
        .forEach(key -> sorted.put(key, sortedKeys(Operators.item(map, key))));
    return sorted;
  }

  private static Object sortedItems(Object value, Arguments a) {
    int by = Value.printed(a.get(1, "by", Text.of("key"))).value().equals("value") ? 1 : 0;
    boolean exact = Value.truth(a.get(0, "case_sensitive", false));
    List<Object> items = Methods.items(map(value));
    Comparator<Object> order =
        Comparator.comparing(item -> folded(((List<?>) item).get(by), exact), Value::compare);
    items.sort(Value.truth(a.get(2, "reverse", false)) ? order.reversed() : order);
    return items;
  }

  private static Object folded(Object value, boolean exact) {
    return !exact && value instanceof Text text
        ? text.rewritten(text.value().toLowerCase(Locale.ROOT))
        : value;
  }

  private static Object sorted(Object value, Arguments a) {
    boolean exact = Value.truth(a.get(1, "case_sensitive", false));
    Object attribute = a.get(2, "attribute", Value.NONE);
    List<Object> list = new ArrayList<>(Value.elements(value));
    Comparator<Object> order =
        Comparator.comparing(
            e -> folded(attribute == Value.NONE ? e : byPath(e, attribute), exact), Value::compare);
    list.sort(Value.truth(a.get(0, "reverse", false)) ? order.reversed() : order);
    return list;
  }

  private static Object unique(Object value, Arguments a) {
    Object attribute = a.get(1, "attribute", Value.NONE);
    boolean exact = Value.truth(a.get(0, "case_sensitive", false));
    List<Object> seen = new ArrayList<>();
    List<Object> kept = new ArrayList<>();
    for (Object element : Value.elements(value)) {
      Object key =
          Value.key(folded(attribute == Value.NONE ? element : byPath(element, attribute), exact));
      a.scope().charge(seen.size());
      if (seen.stream().noneMatch(other -> Value.same(other, key))) {
        seen.add(key);
        kept.add(element);
      }
    }
    return kept;
  }

  private static Object reversed(Object value, Arguments a) {
    List<Object> elements = new ArrayList<>(Value.elements(value));
    Collections.reverse(elements);
    return value instanceof Text
        ? Text.join(elements.stream().map(e -> (Text) e).toList())
        : charged(a, elements);
  }

  /** A member by a path of names and indexes with dots, as Jinja's attribute filters have it. */
  private static Object byPath(Object value, Object path) {
    Object at = value;
    for (String part : PythonText.str(path).split("\\.", -1)) {
      boolean index = !part.isEmpty() && part.chars().allMatch(Character::isDigit);
      at =
          Operators.item(
              at, index && part.length() < 10 ? (Object) Long.parseLong(part) : Text.of(part));
    }
    return at;
  }

  /** What map and select go through: what is false, None too, has nothing. */
  private static List<Object> elementsOrNone(Object value) {
    return Value.truth(value) ? Value.elements(value) : List.of();
  }

  private static Object mapped(Object value, Arguments a) {
    List<Object> out = new ArrayList<>();
    Object attribute = a.named().get("attribute");
    if (attribute != null) {
      Object otherwise = a.named().get("default");
      for (Object element : elementsOrNone(value)) {
        Object member = byPath(element, attribute);
        out.add(member instanceof Value.Undefined && otherwise != null ? otherwise : member);
      }
      return charged(a, out);
    }
    String name = a.text(0, "filter").value();
    Filter filter =
        find(name)
            .orElseThrow(
                () ->
                    new TemplateException("The chat template maps by an unknown filter: " + name));
    Arguments rest =
        new Arguments(name, a.scope(), a.positional().subList(1, a.positional().size()), a.named());
    elementsOrNone(value).forEach(element -> out.add(filter.apply(element, rest)));
    return charged(a, out);
  }

  private static Object chosen(Object value, Arguments a, int testAt, boolean wanted) {
    Predicate<Object> test = Value::truth;
    if (a.positional().size() > testAt) {
      String name = a.text(testAt, "test").value();
      Tests.Test found =
          Tests.find(name)
              .orElseThrow(
                  () ->
                      new TemplateException(
                          "The chat template selects by an unknown test: " + name));
      Arguments rest =
          new Arguments(
              name,
              a.scope(),
              a.positional().subList(testAt + 1, a.positional().size()),
              a.named());
      test = element -> found.holds(element, rest);
    }
    List<Object> out = new ArrayList<>();
    for (Object element : elementsOrNone(value)) {
      Object looked = testAt == 0 ? element : byPath(element, a.get(0, "attribute"));
      if (test.test(looked) == wanted) {
        out.add(element);
      }
    }
    return charged(a, out);
  }

  private static Object whole(Object value, Arguments a) {
    a.atMost(1, "default");
    if (Value.isNumber(value)) {
      return (long) Value.real(value);
    }
    try {
      return defined(value) instanceof Text text
          ? (Object) new BigDecimal(text.value().strip()).longValue()
          : a.get(0, "default", 0L);
    } catch (NumberFormatException e) {
      return a.get(0, "default", 0L);
    }
  }

  private static Object real(Object value, Arguments a) {
    try {
      return Value.isNumber(value)
          ? (Object) Value.real(value)
          : defined(value) instanceof Text text
              ? (Object) Double.parseDouble(text.value().strip())
              : a.get(0, "default", 0.0);
    } catch (NumberFormatException e) {
      return a.get(0, "default", 0.0);
    }
  }

  private static Object defined(Object value) {
    if (value instanceof Value.Undefined undefined) {
      throw undefined.refused();
    }
    return value;
  }

  private static Object rounded(Object value, Arguments a) {
    int places = (int) Value.whole(a.get(0, "precision", 0L), "precision");
    RoundingMode mode =
        switch (Value.printed(a.get(1, "method", Text.of("common"))).value()) {
          case "ceil" -> RoundingMode.CEILING;
          case "floor" -> RoundingMode.FLOOR;
          case "common" -> RoundingMode.HALF_EVEN;
          default ->
              throw new TemplateException("'round' of the chat template knows common, ceil, floor");
        };
    BigDecimal rounded = new BigDecimal(number(value)).setScale(places, mode);
    boolean whole = value instanceof Long && mode == RoundingMode.HALF_EVEN;
    return whole ? (Object) rounded.longValue() : (Object) rounded.doubleValue();
  }

  private static Object sum(Object value, Arguments a) {
    Object attribute = a.get(0, "attribute", Value.NONE);
    Object total = a.get(1, "start", 0L);
    for (Object element : Value.elements(value)) {
      total =
          Operators.add(
              a.scope(), total, attribute == Value.NONE ? element : byPath(element, attribute));
    }
    return total;
  }

  private static Object extreme(Object value, Arguments a, Comparator<Object> order) {
    boolean exact = Value.truth(a.get(0, "case_sensitive", false));
    Object attribute = a.get(1, "attribute", Value.NONE);
    return Value.elements(value).stream()
        .min(
            Comparator.comparing(
                e -> folded(attribute == Value.NONE ? e : byPath(e, attribute), exact), order))
        .orElseGet(() -> new Value.Undefined("element of an empty list"));
  }

  private static Object indented(Object value, Arguments a) {
    Object width = a.get(0, "width", 4L);
    Text blanks =
        width instanceof Text text
            ? text
            : Text.of(" ".repeat((int) Math.max(0, Math.min(1000, Value.whole(width, "width")))));
    boolean first = Value.truth(a.get(1, "first", false));
    boolean blank = Value.truth(a.get(2, "blank", false));
    Text text = Value.printed(value);
    Text.Builder out = new Text.Builder();
    String chars = text.value();
    int from = 0;
    for (int line = 0; from <= chars.length(); line++) {
      int to = chars.indexOf('\n', from);
      int end = to < 0 ? chars.length() : to;
      a.scope().charge(blanks.value().length());
      if (line == 0 ? first : blank || end > from) {
        out.add(blanks);
      }
      out.add(text.cut(from, to < 0 ? end : end + 1));
      if (to < 0) {
        break;
      }
      from = to + 1;
    }
    return out.build();
  }

  private static Object escaped(Scope scope, Object value) {
    Text text = Value.printed(value);
    String[][] entities = {
      {"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"'", "&#39;"}, {"\"", "&#34;"}
    };
    for (String[] entity : entities) {
      text = Methods.replace(scope, text, Text.of(entity[0]), Text.of(entity[1]), -1);
    }
    return text;
  }
}
