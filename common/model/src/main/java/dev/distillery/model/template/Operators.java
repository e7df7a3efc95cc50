package dev.distillery.model.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/** Arithmetic, comparison, members and slices, as Python has them. */
final class Operators {
  private Operators() {}

  static Object add(Scope scope, Object a, Object b) {
    if (a instanceof Text x && b instanceof Text y) {
      scope.charge((long) x.value().length() + y.value().length());
      return Text.join(List.of(x, y));
    }
    if (a instanceof List<?> x && b instanceof List<?> y) {
      scope.charge((long) x.size() + y.size());
      List<Object> both = new ArrayList<>(x);
      both.addAll(y);
      return a instanceof Value.Tuple ? new Value.Tuple(both) : both;
    }
    return arithmetic("+", a, b);
  }

  static Object multiply(Scope scope, Object a, Object b) {
    if (a instanceof Long && (b instanceof Text || b instanceof List)) {
      return multiply(scope, b, a);
    }
    if (b instanceof Long times && (a instanceof Text || a instanceof List)) {
      int count = (int) Math.max(0, Math.min(times, Integer.MAX_VALUE));
      if (a instanceof Text text) {
        scope.charge((long) count * text.value().length());
        return Text.join(Collections.nCopies(text.value().isEmpty() ? 0 : count, text));
      }
      List<?> list = (List<?>) a;
      scope.charge((long) count * list.size());
      List<Object> all = new ArrayList<>();
      for (int i = 0; i < count && !list.isEmpty(); i++) {
        all.addAll(list);
      }
      return all;
    }
    return arithmetic("*", a, b);
  }

  static Object arithmetic(String operator, Object a, Object b) {
    if (operator.equals("%") && a instanceof Text text) {
      return format(text, b instanceof Value.Tuple tuple ? tuple : List.of(b));
    }
    for (Object side : List.of(a, b)) {
      if (side instanceof Value.Undefined undefined) {
        throw undefined.refused();
      }
      if (!Value.isNumber(side)) {
        throw new TemplateException(
            "The chat template computes %s %s %s, which is not possible"
                .formatted(Value.kind(a), operator, Value.kind(b)));
      }
    }
    if (operator.equals("/") || a instanceof Double || b instanceof Double) {
      return reals(operator, Value.real(a), Value.real(b));
    }
    return wholes(operator, Value.whole(a, "A number"), Value.whole(b, "A number"));
  }

  private static Object wholes(String operator, long a, long b) {
    try {
      return switch (operator) {
        case "+" -> Math.addExact(a, b);
        case "-" -> Math.subtractExact(a, b);
        case "*" -> Math.multiplyExact(a, b);
        case "//" -> Math.floorDiv(a, b);
        case "%" -> Math.floorMod(a, b);
        default -> b < 0 ? (Object) Math.pow((double) a, (double) b) : (Object) power(a, b);
      };
    } catch (ArithmeticException e) {
      throw new TemplateException(
          "The chat template computes %s %s %s: %s".formatted(a, operator, b, e.getMessage()));
    }
  }

  private static long power(long a, long b) {
    if (Math.abs(a) > 1 && b > 63) {
      throw new ArithmeticException("long overflow");
    }
    long result = 1;
    for (long i = 0; i < (Math.abs(a) > 1 ? b : Math.min(b, 2 - b % 2)); i++) {
      result = Math.multiplyExact(result, a);
    }
    return result;
  }

  private static double reals(String operator, double a, double b) {
    if (b == 0 && List.of("/", "//", "%").contains(operator)) {
      throw new TemplateException("The chat template divides by zero");
    }
    return switch (operator) {
      case "+" -> a + b;
      case "-" -> a - b;
      case "*" -> a * b;
      case "/" -> a / b;
      case "//" -> Math.floor(a / b);
      case "%" -> a - b * Math.floor(a / b);
      default -> Math.pow(a, b);
    };
  }

  /** Python's formatting by {@code %s}, {@code %d} and {@code %%}; others are refused. */
  static Text format(Text pattern, List<?> values) {
    Text.Builder out = new Text.Builder();
    String text = pattern.value();
    int used = 0;
    int from = 0;
    for (int i = text.indexOf('%'); i >= 0; i = text.indexOf('%', from)) {
      out.add(pattern.cut(from, i));
      char kind = i + 1 < text.length() ? text.charAt(i + 1) : ' ';
      if (kind == '%') {
        out.add(pattern.cut(i, i + 1));
      } else if ((kind == 's' || kind == 'd') && used < values.size()) {
        Object value = values.get(used++);
        out.add(kind == 's' ? Value.printed(value) : Value.printed(Value.whole(value, "A number")));
      } else {
        throw new TemplateException(
            "The chat template formats by '%" + kind + "', or has too few values for it");
      }
      from = i + 2;
    }
    if (used < values.size()) {
      throw new TemplateException("The chat template formats fewer values than it gives");
    }
    return out.add(pattern.cut(from, text.length())).build();
  }

  static boolean contains(Object container, Object element) {
    if (container instanceof Text text) {
      return text.value().contains(Value.text(element, "What is looked for in a text").value());
    }
    if (container instanceof Map<?, ?> map) {
      return map.containsKey(Value.key(element));
    }
    if (container instanceof List || container instanceof Value.Undefined) {
      return Value.elements(container).stream().anyMatch(e -> Value.same(e, element));
    }
    throw Value.wrong("The chat template looks into what has no elements", container);
  }

  static boolean compares(String operator, Object a, Object b) {
    return switch (operator) {
      case "==" -> Value.same(a, b);
      case "!=" -> !Value.same(a, b);
      case "in" -> contains(b, a);
      case "not in" -> !contains(b, a);
      default -> {
        for (Object side : List.of(a, b)) {
          if (side instanceof Value.Undefined undefined) {
            throw undefined.refused();
          }
        }
        int order = Value.compare(a, b);
        yield operator.equals("<")
            ? order < 0
            : operator.equals("<=") ? order <= 0 : operator.equals(">") ? order > 0 : order >= 0;
      }
    };
  }

  /** {@code value.name}: a method or what the value holds under this name. */
  static Object attribute(Object value, String name) {
    if (value instanceof Value.Undefined undefined) {
      throw undefined.refused();
    }
    if (value instanceof Value.Namespace namespace) {
      Object member = namespace.members.get(name);
      return member == null ? new Value.Undefined(name) : member;
    }
    return Methods.find(value, name)
        .<Object>map(method -> method)
        .orElseGet(() -> member(value, Text.of(name), name));
  }

  /** {@code value[key]}. */
  static Object item(Object value, Object key) {
    if (value instanceof Value.Undefined undefined) {
      throw undefined.refused();
    }
    if (key instanceof Long index && (value instanceof List || value instanceof Text)) {
      long size = Value.length(value);
      long at = index < 0 ? index + size : index;
      if (at < 0 || at >= size) {
        return new Value.Undefined("element " + index);
      }
      if (value instanceof Text text) {
        int from = text.value().offsetByCodePoints(0, (int) at);
        return text.cut(from, text.value().offsetByCodePoints(from, 1));
      }
      return ((List<?>) value).get((int) at);
    }
    Object found = member(value, key, PythonText.str(key));
    return found instanceof Value.Undefined && key instanceof Text name
        ? Methods.find(value, name.value()).<Object>map(method -> method).orElse(found)
        : found;
  }

  /** The filter attr: a method or a namespace's member, never what a dictionary holds. */
  static Object attributeOnly(Object value, String name) {
    return value instanceof Map
        ? Methods.find(value, name)
            .<Object>map(method -> method)
            .orElseGet(() -> new Value.Undefined(name))
        : attribute(value, name);
  }

  private static Object member(Object value, Object key, String name) {
    Object member = value instanceof Map<?, ?> map ? map.get(key) : null;
    return member == null ? new Value.Undefined(name) : member;
  }

  /** {@code value[from:to:step]}; a bound that is left out is None. */
  static Object slice(Object value, Object from, Object to, Object step) {
    if (value instanceof Value.Undefined undefined) {
      throw undefined.refused();
    }
    long stride = step == Value.NONE ? 1 : Value.whole(step, "The step of a slice");
    if (stride == 0) {
      throw new TemplateException("The step of a slice of the chat template is 0");
    }
    int size = (int) Value.length(value);
    int first = bound(from, size, stride < 0 ? size - 1 : 0, stride < 0);
    int last = bound(to, size, stride < 0 ? -1 : size, stride < 0);
    if (value instanceof Text text && stride == 1) {
      String chars = text.value();
      if (first >= last) {
        return Text.EMPTY;
      }
      int start = chars.offsetByCodePoints(0, first);
      return text.cut(start, chars.offsetByCodePoints(start, last - first));
    }
    List<Object> elements = Value.elements(value);
    List<Object> chosen = new ArrayList<>();
    for (long i = first; stride > 0 ? i < last : i > last; i += stride) {
      chosen.add(elements.get((int) i));
    }
    if (value instanceof Text) {
      return Text.join(chosen.stream().map(c -> (Text) c).toList());
    }
    return value instanceof Value.Tuple ? new Value.Tuple(chosen) : chosen;
  }

  private static int bound(Object given, int size, int otherwise, boolean backwards) {
    if (given == Value.NONE) {
      return otherwise;
    }
    long at = Value.whole(given, "A bound of a slice");
    at += at < 0 ? size : 0;
    return (int) Math.max(backwards ? -1 : 0, Math.min(backwards ? size - 1 : size, at));
  }
}
