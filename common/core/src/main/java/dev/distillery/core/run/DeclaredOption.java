package dev.distillery.core.run;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/**
 * One option: the record's component that holds it, and what is declared beside its name.
 *
 * @param name without dashes
 * @param conditions of this option and of the groups that it stands in
 */
record DeclaredOption(
    String name,
    Option option,
    RecordComponent component,
    Class<?> valueType,
    List<OnlyWith> conditions) {

  static DeclaredOption of(RecordComponent component, List<OnlyWith> conditions) {
    Option option = component.getAccessor().getAnnotation(Option.class);
    if (option == null) {
      throw new IllegalStateException(
          "No @Option on " + component.getDeclaringRecord().getName() + "." + component.getName());
    }
    Class<?> valueType =
        component.getGenericType() instanceof ParameterizedType generic
            ? (Class<?>) generic.getActualTypeArguments()[0]
            : component.getType();
    return new DeclaredOption(
        bare(option.names()[0]), option, component, valueType, List.copyOf(conditions));
  }

  static String bare(String name) {
    return name.replaceFirst("^--", "");
  }

  boolean repeatable() {
    return component.getType() == List.class;
  }

  boolean flag() {
    return component.getType() == boolean.class;
  }

  boolean tunable() {
    return component.getAccessor().isAnnotationPresent(Tunable.class);
  }

  boolean goesOn() {
    return component.getAccessor().isAnnotationPresent(GoesOn.class);
  }

  boolean required() {
    return component.getAccessor().isAnnotationPresent(Required.class);
  }

  List<String> oldNames() {
    OldNames old = component.getAccessor().getAnnotation(OldNames.class);
    return old == null ? List.of() : Stream.of(old.value()).map(DeclaredOption::bare).toList();
  }

  Optional<String> defaultText() {
    return Optional.of(option.defaultValue())
        .filter(text -> !text.equals(Option.NULL_VALUE) && !text.equals("__no_default_value__"));
  }

  /** The value where nothing is given; null where something must be. */
  @Nullable Object defaultValue() {
    return orDefault(new ArrayList<>());
  }

  /** As {@link #defaultValue}; a violation is noted where something must be given. */
  @Nullable Object orDefault(List<String> violations) {
    return parse(defaultText().map(List::of).orElse(List.of()), violations);
  }

  /** The value of what was given; null, and a violation noted, where there is none. */
  @Nullable Object parse(List<String> texts, List<String> violations) {
    try {
      if (repeatable()) {
        return texts.stream()
            .flatMap(this::split)
            .map(text -> OptionValues.parse(valueType, text))
            .toList();
      }
      if (texts.size() > 1) {
        violations.add("Option --" + name + ": expected one value, found " + texts);
        return null;
      }
      Optional<Object> value =
          texts.stream().findFirst().map(text -> OptionValues.parse(valueType, text));
      if (component.getType() == Optional.class) {
        return value;
      }
      if (value.isEmpty()) {
        violations.add(missing());
      }
      return value.orElse(null);
    } catch (IllegalArgumentException e) {
      violations.add("Option --" + name + ": " + e.getMessage());
      return null;
    }
  }

  private Stream<String> split(String text) {
    return option.split().isEmpty()
        ? Stream.of(text)
        : Arrays.stream(text.split(option.split())).map(String::strip);
  }

  private String missing() {
    return "Option --" + name + " is required" + advice(Required.class, Required::value, ": ");
  }

  private <A extends java.lang.annotation.Annotation> String advice(
      Class<A> type, Function<A, String> text, String before) {
    A annotation = component.getAccessor().getAnnotation(type);
    return annotation == null || text.apply(annotation).isEmpty()
        ? ""
        : before + text.apply(annotation);
  }

  /** Notes what is wrong with a value of the right type, by what is declared of it. */
  void check(@Nullable Object value, List<String> violations) {
    if (value == null) {
      violations.add(missing());
      return;
    }
    List<?> values =
        value instanceof List<?> list
            ? list
            : value instanceof Optional<?> optional ? optional.stream().toList() : List.of(value);
    if (required() && values.isEmpty()) {
      violations.add(missing());
    }
    for (Object each : values) {
      if (required() && each instanceof String text && text.isBlank()) {
        violations.add(
            "Option --"
                + name
                + ": expected a text, found ''"
                + advice(Required.class, Required::value, "; "));
      }
      if (!inside(each)) {
        violations.add(
            "Option --"
                + name
                + ": expected "
                + expected().orElseThrow()
                + ", found "
                + (each instanceof String ? "'" + each + "'" : OptionValues.text(each))
                + (each instanceof String text ? Nearest.question(text, words()) : "")
                + advice(Bounds.class, Bounds::advice, "; "));
      }
    }
  }

  private List<String> words() {
    Bounds bounds = component.getAccessor().getAnnotation(Bounds.class);
    return bounds == null ? List.of() : List.of(bounds.oneOf());
  }

  private boolean inside(Object value) {
    Bounds bounds = component.getAccessor().getAnnotation(Bounds.class);
    if (bounds == null) {
      return true;
    }
    if (bounds.oneOf().length > 0) {
      return words().contains(OptionValues.text(value));
    }
    double number =
        value instanceof Duration duration
            ? duration.toMillis() / 1000.0
            : ((Number) value).doubleValue();
    return number >= bounds.atLeast()
        && number <= bounds.atMost()
        && (number > bounds.above() || bounds.above() == Double.NEGATIVE_INFINITY)
        && (number < bounds.below() || bounds.below() == Double.POSITIVE_INFINITY);
  }

  /** What the bounds allow, in words; empty without bounds. */
  private Optional<String> expected() {
    Bounds bounds = component.getAccessor().getAnnotation(Bounds.class);
    if (bounds == null) {
      return Optional.empty();
    }
    if (bounds.oneOf().length > 0) {
      return Optional.of("one of " + String.join(", ", bounds.oneOf()));
    }
    if (Double.isFinite(bounds.atLeast()) && Double.isFinite(bounds.atMost())) {
      return Optional.of(number(bounds.atLeast()) + " to " + number(bounds.atMost()));
    }
    var ends = new ArrayList<String>();
    if (Double.isFinite(bounds.atLeast())) {
      ends.add(number(bounds.atLeast()) + " or more");
    }
    if (Double.isFinite(bounds.above())) {
      ends.add("above " + number(bounds.above()));
    }
    if (Double.isFinite(bounds.atMost())) {
      ends.add("at most " + number(bounds.atMost()));
    }
    if (Double.isFinite(bounds.below())) {
      ends.add("below " + number(bounds.below()));
    }
    return Optional.of(String.join(" and ", ends));
  }

  private String number(double value) {
    String plain = BigDecimal.valueOf(value).stripTrailingZeros().toPlainString();
    return valueType == Duration.class ? plain + "s" : plain;
  }

  /** What stands for the value in help: as declared, or the words that are allowed. */
  String label() {
    if (!option.paramLabel().isEmpty()) {
      return option.paramLabel();
    }
    if (valueType.isEnum()) {
      return String.join("|", OptionValues.names(valueType));
    }
    return words().isEmpty() ? "VALUE" : String.join("|", words());
  }

  /** The description for help, with bounds, conditions and default behind it. */
  String[] describe() {
    var notes = new ArrayList<String>();
    conditions.forEach(
        only -> notes.add("with " + only.option() + prefixed(" ", String.join(" or ", only.is()))));
    if (words().isEmpty()) {
      expected().ifPresent(notes::add);
    }
    if (!flag() || defaultText().equals(Optional.of("true"))) {
      defaultText().ifPresent(text -> notes.add("default: " + (text.isEmpty() ? "none" : text)));
    }
    String[] lines = option.description().clone();
    if (lines.length > 0 && !notes.isEmpty()) {
      lines[lines.length - 1] += " (" + String.join("; ", notes) + ")";
    }
    // picocli reads % as the start of a variable.
    return Arrays.stream(lines).map(line -> line.replace("%", "%%")).toArray(String[]::new);
  }

  private static String prefixed(String prefix, String text) {
    return text.isEmpty() ? "" : prefix + text;
  }
}
