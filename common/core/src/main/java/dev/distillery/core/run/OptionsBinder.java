package dev.distillery.core.run;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;

/**
 * Makes an immutable record of options from what a command line and a recipe say.
 *
 * <p>Each component of the record carries picocli's {@link Option} with its name, description and
 * default value, or is itself such a record. A component of type {@code Optional} or {@code List}
 * may be left out; any other without a default value must be given. Values are bound here and not
 * by picocli, so that all that is wrong is listed at once and a recipe's values pass through the
 * same gate.
 *
 * @param <T> the record
 */
public final class OptionsBinder<T extends Record> {
  private final Class<T> type;
  private final Map<String, Knob> knobs = new LinkedHashMap<>();

  /** One option: its annotation and the component that holds it. */
  private record Knob(String name, Option annotation, RecordComponent component) {
    boolean repeatable() {
      return component.getType() == List.class;
    }

    boolean flag() {
      return component.getType() == boolean.class;
    }

    boolean tunable() {
      return component.getAccessor().isAnnotationPresent(Tunable.class);
    }

    Optional<String> defaultValue() {
      return annotation.defaultValue().equals(Option.NULL_VALUE)
              || annotation.defaultValue().equals("__no_default_value__")
          ? Optional.empty()
          : Optional.of(annotation.defaultValue());
    }
  }

  private OptionsBinder(Class<T> type) {
    this.type = type;
    collect(type);
  }

  /**
   * The binder of a record type; fails at once where a component has no annotation or a name stands
   * twice.
   */
  public static <T extends Record> OptionsBinder<T> of(Class<T> type) {
    return new OptionsBinder<>(type);
  }

  private void collect(Class<?> record) {
    for (RecordComponent component : record.getRecordComponents()) {
      if (component.getType().isRecord()) {
        collect(component.getType());
        continue;
      }
      Option annotation = component.getAccessor().getAnnotation(Option.class);
      if (annotation == null) {
        throw new IllegalStateException("No @Option on " + record.getName() + "." + component);
      }
      String name = annotation.names()[0].replaceFirst("^--", "");
      if (knobs.put(name, new Knob(name, annotation, component)) != null) {
        throw new IllegalStateException("Two options are called --" + name);
      }
    }
  }

  /** The options' names without dashes, in the order of the record. */
  public List<String> names() {
    return List.copyOf(knobs.keySet());
  }

  /** Adds the options to a command, for parsing and for its help. */
  public void addTo(CommandSpec command) {
    for (Knob knob : knobs.values()) {
      var builder =
          OptionSpec.builder("--" + knob.name)
              .description(describe(knob))
              .hidden(knob.annotation.hidden());
      if (knob.repeatable()) {
        builder.type(List.class).auxiliaryTypes(String.class).arity("1");
      } else {
        builder.type(String.class).arity(knob.flag() ? "0..1" : "1").fallbackValue("true");
      }
      builder.paramLabel(
          knob.annotation.paramLabel().isEmpty() ? "VALUE" : knob.annotation.paramLabel());
      command.addOption(builder.build());
    }
  }

  private static String[] describe(Knob knob) {
    String[] lines = knob.annotation.description().clone();
    if (lines.length > 0 && knob.defaultValue().isPresent() && !knob.flag()) {
      String value = knob.defaultValue().get();
      lines[lines.length - 1] += " (default: " + (value.isEmpty() ? "none" : value) + ")";
    }
    // picocli reads % as the start of a variable.
    return Arrays.stream(lines).map(line -> line.replace("%", "%%")).toArray(String[]::new);
  }

  /**
   * Binds values over defaults.
   *
   * @param given the values of each option that was given, by name without dashes; a single-valued
   *     option has one value
   * @throws JobException with every violation: values of the wrong form, missing options, and what
   *     the record's own {@link Validated#violations} says
   */
  public T bind(Map<String, List<String>> given) {
    var violations = new ArrayList<String>();
    T options = bind(given, violations);
    if (!violations.isEmpty()) {
      throw JobException.invalid(violations);
    }
    return options;
  }

  /** What {@link #bind(Map)} would refuse, all of it. */
  public List<String> violations(Map<String, List<String>> given) {
    var violations = new ArrayList<String>();
    var unused = bind(given, violations);
    return violations;
  }

  private T bind(Map<String, List<String>> given, List<String> violations) {
    T options = type.cast(build(type, given, violations));
    if (options instanceof Validated validated && violations.isEmpty()) {
      violations.addAll(validated.violations());
    }
    return options;
  }

  /** The record of the values; where one is wrong it is noted, and the whole is not to be used. */
  private Object build(Class<?> record, Map<String, List<String>> given, List<String> violations) {
    RecordComponent[] components = record.getRecordComponents();
    Object[] arguments = new Object[components.length];
    Class<?>[] types = new Class<?>[components.length];
    int before = violations.size();
    for (int i = 0; i < components.length; i++) {
      types[i] = components[i].getType();
      arguments[i] =
          types[i].isRecord()
              ? build(types[i], given, violations)
              : value(components[i], given, violations);
    }
    if (violations.size() > before) {
      return null;
    }
    try {
      var constructor = record.getDeclaredConstructor(types);
      constructor.setAccessible(true);
      return constructor.newInstance(arguments);
    } catch (InvocationTargetException e) {
      violations.add(String.valueOf(e.getCause().getMessage()));
      return null;
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("Cannot make " + record.getName(), e);
    }
  }

  private Object value(
      RecordComponent component, Map<String, List<String>> given, List<String> violations) {
    String name =
        component.getAccessor().getAnnotation(Option.class).names()[0].replaceFirst("^--", "");
    Knob knob = knobs.get(name);
    List<String> texts =
        given.containsKey(name)
            ? given.get(name)
            : knob.defaultValue().map(List::of).orElse(List.of());
    Class<?> rawType = component.getType();
    try {
      if (rawType == List.class) {
        Type element = ((ParameterizedType) component.getGenericType()).getActualTypeArguments()[0];
        return texts.stream()
            .flatMap(text -> split(knob, text))
            .map(text -> OptionValues.parse((Class<?>) element, text))
            .toList();
      }
      if (texts.size() > 1) {
        violations.add("Option --" + name + " takes one value, found " + texts);
        return null;
      }
      if (rawType == Optional.class) {
        Type element = ((ParameterizedType) component.getGenericType()).getActualTypeArguments()[0];
        return texts.stream().findFirst().map(text -> OptionValues.parse((Class<?>) element, text));
      }
      if (texts.isEmpty()) {
        violations.add("Option --" + name + " is required");
        return null;
      }
      return OptionValues.parse(rawType, texts.get(0));
    } catch (IllegalArgumentException e) {
      violations.add("Option --" + name + ": " + e.getMessage());
      return null;
    }
  }

  private static java.util.stream.Stream<String> split(Knob knob, String text) {
    return knob.annotation.split().isEmpty()
        ? java.util.stream.Stream.of(text)
        : Arrays.stream(text.split(knob.annotation.split())).map(String::strip);
  }

  /**
   * Every option with its effective value as text, defaults included; what a run's record holds. An
   * empty optional is left out.
   */
  public Map<String, String> effective(T options) {
    return texts(options, false);
  }

  /**
   * The effective values of the options that decide what is written; {@link Tunable} ones are left
   * out.
   */
  public Map<String, String> decisive(T options) {
    return texts(options, true);
  }

  private Map<String, String> texts(Record options, boolean decisiveOnly) {
    var result = new LinkedHashMap<String, String>();
    for (RecordComponent component : options.getClass().getRecordComponents()) {
      Object value = get(component, options);
      if (value instanceof Record nested) {
        result.putAll(texts(nested, decisiveOnly));
        continue;
      }
      String name =
          component.getAccessor().getAnnotation(Option.class).names()[0].replaceFirst("^--", "");
      if (decisiveOnly && knobs.get(name).tunable()) {
        continue;
      }
      if (value instanceof Optional<?> optional) {
        optional.ifPresent(present -> result.put(name, OptionValues.text(present)));
      } else {
        result.put(name, OptionValues.text(value));
      }
    }
    return result;
  }

  private static Object get(RecordComponent component, Record record) {
    try {
      component.getAccessor().setAccessible(true);
      return component.getAccessor().invoke(record);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("Cannot read " + component, e);
    }
  }
}
