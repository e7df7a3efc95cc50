package dev.distillery.core.filter;

import dev.distillery.core.filter.RowText.Part;
import dev.distillery.core.run.Nearest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A filter as a user writes it: {@code NAME} or {@code NAME:key=value,key=value}. A value that is a
 * list has plus signs between its words: {@code language:keep=en+de}. What is wrong with it is
 * gathered while it is read, so that all is said at once.
 */
public final class FilterSpec {
  private final String text;
  private final String name;
  private final Map<String, String> values = new LinkedHashMap<>();
  private final Set<String> asked = new LinkedHashSet<>();
  private final List<String> violations = new ArrayList<>();

  FilterSpec(String text) {
    this.text = text;
    int colon = text.indexOf(':');
    this.name = (colon < 0 ? text : text.substring(0, colon)).strip();
    if (colon < 0) {
      return;
    }
    for (String pair : text.substring(colon + 1).split(",", -1)) {
      int equals = pair.indexOf('=');
      if (equals <= 0) {
        wrong("expected key=value, found '" + pair + "'");
      } else if (values.put(pair.substring(0, equals).strip(), pair.substring(equals + 1).strip())
          != null) {
        wrong("'" + pair.substring(0, equals).strip() + "' stands twice");
      }
    }
  }

  /** The filter's name. */
  String name() {
    return name;
  }

  /** What a user wrote. */
  String text() {
    return text;
  }

  void wrong(String what) {
    violations.add("Option --filter: '" + text + "': " + what);
  }

  /** All that is wrong, keys that the filter does not have among it. */
  List<String> violations() {
    for (String key : values.keySet()) {
      if (!asked.contains(key)) {
        wrong(
            "unknown key '"
                + key
                + "'"
                + (asked.isEmpty() ? "; it has none" : Nearest.hint(key, asked)));
      }
    }
    return violations.stream().distinct().toList();
  }

  /** Whether any of the keys is given. */
  boolean has(String... keys) {
    asked.addAll(Arrays.asList(keys));
    return Stream.of(keys).anyMatch(values::containsKey);
  }

  Optional<String> value(String key) {
    asked.add(key);
    return Optional.ofNullable(values.get(key));
  }

  /** The words of a list; none where the key is not given. */
  List<String> words(String key) {
    return value(key)
        .map(list -> Stream.of(list.split("\\+", -1)).map(String::strip).toList())
        .orElse(List.of());
  }

  /** A number that is not below 0. */
  double number(String key, double otherwise) {
    Optional<String> given = value(key);
    if (given.isEmpty()) {
      return otherwise;
    }
    try {
      double number = Double.parseDouble(given.get());
      if (Double.isFinite(number)) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Said below.
    }
    wrong("expected a number for " + key + ", found '" + given.get() + "'");
    return otherwise;
  }

  /** A whole number that is not below 0. */
  long count(String key, long otherwise) {
    double number = number(key, (double) otherwise);
    if (number < 0 || number != Math.rint(number)) {
      wrong(
          "expected a whole number from 0 for " + key + ", found '" + value(key).orElse("") + "'");
      return otherwise;
    }
    return (long) number;
  }

  /** Which texts the filter looks at: {@code of=whole|prompt|answer}. */
  Part part(Part otherwise) {
    Optional<String> given = value("of");
    if (given.isEmpty()) {
      return otherwise;
    }
    for (Part part : Part.values()) {
      if (part.name().toLowerCase(Locale.ROOT).equals(given.get())) {
        return part;
      }
    }
    wrong(
        "expected of="
            + Stream.of(Part.values())
                .map(part -> part.name().toLowerCase(Locale.ROOT))
                .collect(Collectors.joining("|"))
            + ", found '"
            + given.get()
            + "'");
    return otherwise;
  }
}
