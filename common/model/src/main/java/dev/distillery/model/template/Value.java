package dev.distillery.model.template;

import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What expressions give: {@link Text}, Long, Double, Boolean, {@link #NONE}, {@link Undefined},
 * List, Map with texts as keys, {@link Namespace}, {@link Callable}.
 */
final class Value {
  /** Python's None. */
  static final Object NONE =
      new Object() {
        @Override
        public String toString() {
          return "None";
        }
      };

  private Value() {}

  /** A name or member that is not there: empty where it is printed, refused where it is used. */
  record Undefined(String name) {
    TemplateException refused() {
      return new TemplateException("'" + name + "' is undefined in the chat template");
    }
  }

  /** Python's tuple: a list that is written with parentheses. */
  static final class Tuple extends AbstractList<Object> {
    private final Object[] members;

    Tuple(List<Object> members) {
      this.members = members.toArray();
    }

    @Override
    public Object get(int index) {
      return members[index];
    }

    @Override
    public int size() {
      return members.length;
    }
  }

  /** What {@code namespace()} gives: the one thing whose members a template can set. */
  static final class Namespace {
    final Map<String, Object> members = new LinkedHashMap<>();
  }

  /** What can be called: a function, a macro, a method of a value. */
  @FunctionalInterface
  interface Callable {
    Object call(Arguments arguments);
  }

  /** From what Java and Jackson make of JSON; texts get an origin. */
  static Object of(Object plain, int origin) {
    if (plain == null) {
      return NONE;
    }
    if (plain instanceof CharSequence text) {
      return Text.of(text.toString(), origin);
    }
    if (plain instanceof List<?> list) {
      List<Object> members = new ArrayList<>(list.size());
      list.forEach(member -> members.add(of(member, origin)));
      return members;
    }
    if (plain instanceof Map<?, ?> map) {
      Map<Object, Object> members = new LinkedHashMap<>();
      map.forEach(
          (key, member) -> members.put(Text.of(key.toString(), origin), of(member, origin)));
      return members;
    }
    if (plain instanceof Float
        || plain instanceof Double
        || plain instanceof java.math.BigDecimal) {
      return ((Number) plain).doubleValue();
    }
    if (plain instanceof Number number) {
      return number.longValue();
    }
    return plain;
  }

  /** Python's name of a value's type. */
  static String kind(Object value) {
    return value instanceof Text
        ? "str"
        : value instanceof Long
            ? "int"
            : value instanceof Double
                ? "float"
                : value instanceof Boolean
                    ? "bool"
                    : value instanceof List
                        ? "list"
                        : value instanceof Map
                            ? "dict"
                            : value == NONE
                                ? "None"
                                : value instanceof Undefined ? "undefined" : "object";
  }

  static boolean truth(Object value) {
    if (value instanceof Boolean truth) {
      return truth;
    }
    if (value instanceof Number number) {
      return number.doubleValue() != 0;
    }
    return value instanceof Text text
        ? !text.value().isEmpty()
        : value instanceof List<?> list
            ? !list.isEmpty()
            : value instanceof Map<?, ?> map
                ? !map.isEmpty()
                : value != NONE && !(value instanceof Undefined);
  }

  static boolean isNumber(Object value) {
    return value instanceof Number || value instanceof Boolean;
  }

  static double real(Object value) {
    return value instanceof Boolean truth ? (truth ? 1 : 0) : ((Number) value).doubleValue();
  }

  static long whole(Object value, String what) {
    if (value instanceof Long number) {
      return number;
    }
    if (value instanceof Boolean truth) {
      return truth ? 1 : 0;
    }
    throw wrong(what + " of the chat template must be a whole number", value);
  }

  static boolean same(Object a, Object b) {
    if (isNumber(a) && isNumber(b)) {
      return real(a) == real(b);
    }
    if (a instanceof List<?> x && b instanceof List<?> y) {
      if (x.size() != y.size() || a instanceof Tuple != b instanceof Tuple) {
        return false;
      }
      for (int i = 0; i < x.size(); i++) {
        if (!same(x.get(i), y.get(i))) {
          return false;
        }
      }
      return true;
    }
    if (a instanceof Map<?, ?> x && b instanceof Map<?, ?> y) {
      return x.size() == y.size()
          && x.entrySet().stream()
              .allMatch(e -> y.containsKey(e.getKey()) && same(e.getValue(), y.get(e.getKey())));
    }
    if (a instanceof Undefined && b instanceof Undefined) {
      return true;
    }
    return a.equals(b);
  }

  /** A value that may be a dictionary's key: Python hashes no list and no dictionary. */
  static Object key(Object value) {
    boolean list = value instanceof List && !(value instanceof Tuple);
    if (list || value instanceof Map) {
      throw wrong("A key of the chat template can be no list and no dictionary", value);
    }
    if (value instanceof Tuple tuple) {
      tuple.forEach(Value::key);
    }
    return value;
  }

  /** Python's order of two numbers, two texts or two lists. */
  static int compare(Object a, Object b) {
    if (isNumber(a) && isNumber(b)) {
      return Double.compare(real(a), real(b));
    }
    if (a instanceof Text x && b instanceof Text y) {
      return Arrays.compare(x.value().codePoints().toArray(), y.value().codePoints().toArray());
    }
    if (a instanceof List<?> x && b instanceof List<?> y) {
      for (int i = 0; i < Math.min(x.size(), y.size()); i++) {
        if (!same(x.get(i), y.get(i))) {
          return compare(x.get(i), y.get(i));
        }
      }
      return Integer.compare(x.size(), y.size());
    }
    throw new TemplateException(
        "The chat template compares " + kind(a) + " with " + kind(b) + ", which have no order");
  }

  /** What a loop over a value goes through. */
  static List<Object> elements(Object value) {
    if (value instanceof List<?> list) {
      return List.copyOf(list);
    }
    if (value instanceof Map<?, ?> map) {
      return List.copyOf(map.keySet());
    }
    if (value instanceof Text text) {
      List<Object> characters = new ArrayList<>();
      for (int i = 0; i < text.value().length(); ) {
        int next = text.value().offsetByCodePoints(i, 1);
        characters.add(text.cut(i, next));
        i = next;
      }
      return characters;
    }
    if (value instanceof Undefined) {
      return List.of();
    }
    throw wrong("The chat template goes through what has no elements", value);
  }

  static long length(Object value) {
    if (value instanceof Text text) {
      return text.value().codePointCount(0, text.value().length());
    }
    if (value instanceof List<?> list) {
      return list.size();
    }
    if (value instanceof Map<?, ?> map) {
      return map.size();
    }
    if (value instanceof Undefined) {
      return 0;
    }
    throw wrong("The chat template takes the length of what has none", value);
  }

  static Text text(Object value, String what) {
    if (value instanceof Text text) {
      return text;
    }
    if (value instanceof Undefined undefined) {
      throw undefined.refused();
    }
    throw wrong(what + " of the chat template must be a text", value);
  }

  /** As {@code str} makes a text of it, from where the value is from. */
  static Text printed(Object value) {
    return value instanceof Text text ? text : Text.of(PythonText.str(value), foreign(value));
  }

  /** The first origin in a value that is not the template's. */
  static int foreign(Object value) {
    if (value instanceof Text text) {
      return text.foreign();
    }
    if (value instanceof List<?> list) {
      for (Object member : list) {
        int origin = foreign(member);
        if (origin != Text.TEMPLATE) {
          return origin;
        }
      }
    }
    if (value instanceof Map<?, ?> map) {
      for (Map.Entry<?, ?> member : map.entrySet()) {
        int origin = foreign(member.getKey());
        origin = origin == Text.TEMPLATE ? foreign(member.getValue()) : origin;
        if (origin != Text.TEMPLATE) {
          return origin;
        }
      }
    }
    return Text.TEMPLATE;
  }

  static TemplateException wrong(String what, Object value) {
    String text = PythonText.repr(value);
    return new TemplateException(
        what
            + ", found "
            + kind(value)
            + " "
            + (text.length() > 80 ? text.substring(0, 80) + "..." : text));
  }
}
