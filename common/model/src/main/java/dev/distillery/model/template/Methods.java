package dev.distillery.model.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** The methods of Python's texts, lists and dictionaries that read and do not change them. */
final class Methods {
  private Methods() {}

  /** A value's method; empty if it has none of this name. */
  static Optional<Value.Callable> find(Object value, String name) {
    if (value instanceof Text text) {
      return text(text, name);
    }
    if (value instanceof Map<?, ?> map) {
      return dictionary(map, name);
    }
    return value instanceof List<?> list ? list(list, name) : Optional.empty();
  }

  private static Optional<Value.Callable> dictionary(Map<?, ?> map, String name) {
    return Optional.ofNullable(
        switch (name) {
          case "get" ->
              a -> {
                Object value = map.get(Value.key(a.atMost(2).get(0, "key")));
                return value == null ? a.get(1, "default", Value.NONE) : value;
              };
          case "items" -> a -> items(map);
          case "keys" -> a -> new ArrayList<Object>(map.keySet());
          case "values" -> a -> new ArrayList<Object>(map.values());
          case "copy" -> a -> map;
          case "update", "pop", "clear", "setdefault", "popitem" -> refused(name);
          default -> null;
        });
  }

  static List<Object> items(Map<?, ?> map) {
    List<Object> items = new ArrayList<>();
    map.forEach((key, value) -> items.add(new Value.Tuple(List.of(key, value))));
    return items;
  }

  private static Optional<Value.Callable> list(List<?> list, String name) {
    return Optional.ofNullable(
        switch (name) {
          case "index" ->
              a -> {
                for (int i = 0; i < list.size(); i++) {
                  if (Value.same(list.get(i), a.atMost(1).get(0, "value"))) {
                    return (long) i;
                  }
                }
                throw new TemplateException("'index' of the chat template finds nothing");
              };
          case "count" -> a -> list.stream().filter(e -> Value.same(e, a.get(0, "value"))).count();
          case "copy" -> a -> list;
          case "append", "extend", "insert", "pop", "remove", "clear", "reverse", "sort" ->
              refused(name);
          default -> null;
        });
  }

  private static Value.Callable refused(String name) {
    return a -> {
      throw new TemplateException(
          "'"
              + name
              + "' would change a value: chat templates may not, in Jinja's sandbox neither");
    };
  }

  private static Optional<Value.Callable> text(Text text, String name) {
    String chars = text.value();
    return Optional.ofNullable(
        switch (name) {
          case "strip" -> a -> strip(text, a.atMost(1, "chars"), true, true);
          case "lstrip" -> a -> strip(text, a.atMost(1, "chars"), true, false);
          case "rstrip" -> a -> strip(text, a.atMost(1, "chars"), false, true);
          case "upper" -> a -> text.rewritten(chars.toUpperCase(Locale.ROOT));
          case "lower" -> a -> text.rewritten(chars.toLowerCase(Locale.ROOT));
          case "title" -> a -> text.rewritten(title(chars));
          case "capitalize" -> a -> text.rewritten(capitalized(chars));
          case "startswith" -> a -> affix(a, chars::startsWith);
          case "endswith" -> a -> affix(a, chars::endsWith);
          case "removeprefix" ->
              a -> {
                String prefix = a.text(0, "prefix").value();
                return chars.startsWith(prefix) ? text.cut(prefix.length(), chars.length()) : text;
              };
          case "removesuffix" ->
              a -> {
                String suffix = a.text(0, "suffix").value();
                return chars.endsWith(suffix)
                    ? text.cut(0, chars.length() - suffix.length())
                    : text;
              };
          case "replace" ->
              a ->
                  replace(
                      a.atMost(3).scope(),
                      text,
                      a.text(0, "old"),
                      a.text(1, "new"),
                      Value.whole(a.get(2, "count", -1L), "count"));
          case "split" -> a -> split(text, a.atMost(2, "sep", "maxsplit"), false);
          case "rsplit" -> a -> split(text, a.atMost(2, "sep", "maxsplit"), true);
          case "splitlines" -> a -> lines(text);
          case "join" -> a -> join(a.scope(), text, Value.elements(a.get(0, "iterable")));
          case "find" -> a -> position(chars, chars.indexOf(a.atMost(1).text(0, "sub").value()));
          case "rfind" ->
              a -> position(chars, chars.lastIndexOf(a.atMost(1).text(0, "sub").value()));
          case "count" ->
              a -> (long) occurrences(chars, a.atMost(1).text(0, "sub").value(), -1).size();
          case "isdigit" -> a -> all(chars, Character::isDigit);
          case "isalpha" -> a -> all(chars, Character::isLetter);
          case "isalnum" -> a -> all(chars, Character::isLetterOrDigit);
          case "isspace" -> a -> PythonText.isSpace(chars, 0);
          case "isupper" ->
              a ->
                  chars.chars().anyMatch(Character::isUpperCase)
                      && chars.chars().noneMatch(Character::isLowerCase);
          case "islower" ->
              a ->
                  chars.chars().anyMatch(Character::isLowerCase)
                      && chars.chars().noneMatch(Character::isUpperCase);
          default -> null;
        });
  }

  private static boolean all(String chars, java.util.function.IntPredicate test) {
    return !chars.isEmpty() && chars.codePoints().allMatch(test);
  }

  private static Object position(String chars, int at) {
    return at < 0 ? -1L : (long) chars.codePointCount(0, at);
  }

  private static Object affix(Arguments a, java.util.function.Predicate<String> test) {
    Object affix = a.atMost(1).get(0, "affix");
    return affix instanceof Value.Tuple tuple
        ? tuple.stream().anyMatch(one -> test.test(Value.text(one, "An affix").value()))
        : test.test(Value.text(affix, "An affix").value());
  }

  static String capitalized(String chars) {
    if (chars.isEmpty()) {
      return chars;
    }
    int first = chars.offsetByCodePoints(0, 1);
    return chars.substring(0, first).toUpperCase(Locale.ROOT)
        + chars.substring(first).toLowerCase(Locale.ROOT);
  }

  private static String title(String chars) {
    StringBuilder out = new StringBuilder();
    boolean inside = false;
    for (int i = 0; i < chars.length(); i++) {
      char c = chars.charAt(i);
      out.append(inside ? Character.toLowerCase(c) : Character.toTitleCase(c));
      inside = Character.isLetter(c);
    }
    return out.toString();
  }

  private static Text strip(Text text, Arguments a, boolean start, boolean end) {
    Object chars = a.get(0, "chars", Value.NONE);
    return strip(text, chars == Value.NONE ? null : Value.text(chars, "chars").value(), start, end);
  }

  /** Without what stands at its ends: these characters, or white space. */
  static Text strip(
      Text text, @org.jspecify.annotations.Nullable String chars, boolean start, boolean end) {
    String value = text.value();
    int from = 0;
    int to = value.length();
    while (start && from < to && strips(chars, value.charAt(from))) {
      from++;
    }
    while (end && to > from && strips(chars, value.charAt(to - 1))) {
      to--;
    }
    return text.cut(from, to);
  }

  private static boolean strips(@org.jspecify.annotations.Nullable String chars, char c) {
    return chars == null ? PythonText.isSpace(c) : chars.indexOf(c) >= 0;
  }

  private static List<Integer> occurrences(String chars, String part, long most) {
    List<Integer> found = new ArrayList<>();
    for (int at = chars.indexOf(part);
        at >= 0 && (most < 0 || found.size() < most);
        at =
            at + Math.max(1, part.length()) > chars.length()
                ? -1
                : chars.indexOf(part, at + Math.max(1, part.length()))) {
      found.add(at);
    }
    return found;
  }

  static Text replace(Scope scope, Text text, Text old, Text with, long most) {
    List<Integer> found = occurrences(text.value(), old.value(), most);
    scope.charge(text.value().length() + (long) found.size() * with.value().length());
    Text.Builder out = new Text.Builder();
    int from = 0;
    for (int at : found) {
      out.add(text.cut(from, at)).add(with);
      from = at + old.value().length();
    }
    return out.add(text.cut(from, text.value().length())).build();
  }

  private static List<Object> split(Text text, Arguments a, boolean fromRight) {
    Object separator = a.get(0, "sep", Value.NONE);
    long most = Value.whole(a.get(1, "maxsplit", -1L), "maxsplit");
    a.scope().charge(text.value().length());
    if (separator == Value.NONE) {
      return words(text, most, fromRight);
    }
    String between = Value.text(separator, "sep").value();
    if (between.isEmpty()) {
      throw new TemplateException("'split' of the chat template has an empty separator");
    }
    List<Integer> found = occurrences(text.value(), between, fromRight ? -1 : most);
    if (fromRight && most >= 0 && found.size() > most) {
      found = found.subList((int) (found.size() - most), found.size());
    }
    List<Object> parts = new ArrayList<>();
    int from = 0;
    for (int at : found) {
      parts.add(text.cut(from, at));
      from = at + between.length();
    }
    parts.add(text.cut(from, text.value().length()));
    return parts;
  }

  private static List<Object> words(Text text, long most, boolean fromRight) {
    if (fromRight && most >= 0) {
      throw new TemplateException("'rsplit' of the chat template needs a separator");
    }
    List<Object> parts = new ArrayList<>();
    String chars = text.value();
    for (int from = 0; from < chars.length(); ) {
      if (PythonText.isSpace(chars.charAt(from))) {
        from++;
        continue;
      }
      int to = from;
      if (most >= 0 && parts.size() == most) {
        to = PythonText.stripEnd(chars, from);
        parts.add(text.cut(from, to));
        break;
      }
      while (to < chars.length() && !PythonText.isSpace(chars.charAt(to))) {
        to++;
      }
      parts.add(text.cut(from, to));
      from = to;
    }
    return parts;
  }

  private static List<Object> lines(Text text) {
    List<Object> lines = new ArrayList<>();
    String chars = text.value();
    int from = 0;
    for (int i = 0; i < chars.length(); i++) {
      if ("\n\r\u000b\f\u001c\u001d\u001e\u0085\u2028\u2029".indexOf(chars.charAt(i)) >= 0) {
        lines.add(text.cut(from, i));
        i += chars.startsWith("\r\n", i) ? 1 : 0;
        from = i + 1;
      }
    }
    if (from < chars.length()) {
      lines.add(text.cut(from, chars.length()));
    }
    return lines;
  }

  static Text join(Scope scope, Text between, List<Object> parts) {
    Text.Builder out = new Text.Builder();
    for (int i = 0; i < parts.size(); i++) {
      Text part = Value.printed(parts.get(i));
      scope.charge((long) part.value().length() + between.value().length());
      out.add(i == 0 ? Text.EMPTY : between).add(part);
    }
    return out.build();
  }
}
