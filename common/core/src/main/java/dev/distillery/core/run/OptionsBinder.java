package dev.distillery.core.run;

import java.lang.reflect.RecordComponent;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;

/**
 * Makes an immutable record of options from what a command line and a recipe say.
 *
 * <p>Each component of the record carries picocli's {@link Option} with its name, description and
 * default value, or is itself such a record: a group with rules of its own. What else holds for an
 * option stands beside it too: {@link Bounds}, {@link Required}, {@link OnlyWith}, {@link
 * OldNames}. A component of type {@code Optional} or {@code List} may be left out; any other
 * without a default value must be given. Values are bound here and not by picocli, so that all that
 * is wrong is listed at once and a recipe's values pass through the same gate.
 *
 * @param <T> the record
 */
public final class OptionsBinder<T extends Record> {
  private final Class<T> type;

  /** By name without dashes, in the order of the record. */
  private final Map<String, DeclaredOption> options = new LinkedHashMap<>();

  /** Former names, each with the name of now. */
  private final Map<String, String> renamed = new LinkedHashMap<>();

  /** Options that are no more, each with what to do instead. */
  private final Map<String, String> removed = new LinkedHashMap<>();

  private OptionsBinder(Class<T> type) {
    this.type = type;
    collect(type, List.of());
  }

  /**
   * The binder of a record type; fails at once where a component has no annotation or a name stands
   * twice.
   */
  public static <T extends Record> OptionsBinder<T> of(Class<T> type) {
    return new OptionsBinder<>(type);
  }

  /**
   * The record with every option's default. An option that has none is null, which {@link #check}
   * refuses: it is where a builder begins.
   */
  public static <T extends Record> T defaults(Class<T> type) {
    return type.cast(
        construct(
            type,
            component -> {
              if (component.getType().isRecord()) {
                return defaults(component.getType().asSubclass(Record.class));
              }
              return DeclaredOption.of(component, List.of()).defaultValue();
            }));
  }

  private void collect(Class<?> record, List<OnlyWith> outer) {
    for (RemovedOption gone : record.getAnnotationsByType(RemovedOption.class)) {
      unique(removed.put(DeclaredOption.bare(gone.name()), gone.instead()), gone.name());
    }
    for (RecordComponent component : record.getRecordComponents()) {
      var conditions = new ArrayList<>(outer);
      Stream.of(component.getAccessor().getAnnotationsByType(OnlyWith.class))
          .forEach(conditions::add);
      if (component.getType().isRecord()) {
        collect(component.getType(), conditions);
        continue;
      }
      var option = DeclaredOption.of(component, conditions);
      unique(options.put(option.name(), option), "--" + option.name());
      option.oldNames().forEach(old -> unique(renamed.put(old, option.name()), "--" + old));
    }
  }

  private static void refuse(List<String> violations) {
    if (!violations.isEmpty()) {
      // A group that asks its own groups for their rules, as is done here too, says them twice.
      throw JobException.invalid(violations.stream().distinct().toList());
    }
  }

  private static void unique(@Nullable Object earlier, String name) {
    if (earlier != null) {
      throw new IllegalStateException("Two options are called " + name);
    }
  }

  /** The options' names without dashes, in the order of the record. */
  public List<String> names() {
    return List.copyOf(options.keySet());
  }

  /** All names that are known: those of now, former ones, and those of options that are no more. */
  public List<String> knownNames() {
    return Stream.of(options, renamed, removed).flatMap(map -> map.keySet().stream()).toList();
  }

  /** Adds the options to a command, for parsing and for its help. */
  public void addTo(CommandSpec command) {
    for (DeclaredOption option : options.values()) {
      var builder =
          OptionSpec.builder("--" + option.name())
              .description(option.describe())
              .paramLabel(option.label());
      if (option.repeatable()) {
        builder.type(List.class).auxiliaryTypes(String.class).arity("1");
      } else {
        builder.type(String.class).arity(option.flag() ? "0..1" : "1").fallbackValue("true");
      }
      command.addOption(builder.build());
      option
          .oldNames()
          .forEach(
              old ->
                  command.addOption(
                      OptionSpec.builder(builder.build()).names("--" + old).hidden(true).build()));
    }
    for (String name : removed.keySet()) {
      command.addOption(
          OptionSpec.builder("--" + name)
              .type(List.class)
              .auxiliaryTypes(String.class)
              .arity("0..1")
              .fallbackValue("")
              .hidden(true)
              .build());
    }
  }

  /**
   * Binds values over defaults.
   *
   * @param given the values of each option that was given, by name without dashes; a single-valued
   *     option has one value
   * @throws JobException with every violation: values of the wrong form or outside their bounds,
   *     missing options, options without effect, and what the {@link Validated} records say
   */
  public T bind(Map<String, List<String>> given) {
    var violations = new ArrayList<String>();
    T options = bind(given, violations);
    refuse(violations);
    return options;
  }

  /** What {@link #bind(Map)} would refuse, all of it. */
  public List<String> violations(Map<String, List<String>> given) {
    var violations = new ArrayList<String>();
    var unused = bind(given, violations);
    return violations;
  }

  /** What {@link #bind(Map)} takes and its user should hear: former names. */
  public List<String> warnings(Map<String, List<String>> given) {
    return given.keySet().stream()
        .filter(renamed::containsKey)
        .map(
            name ->
                "Option --"
                    + name
                    + " is now called --"
                    + renamed.get(name)
                    + "; the old name will go in the next minor version")
        .toList();
  }

  /**
   * Checks a record that was made by other means than {@link #bind}, by the same rules.
   *
   * @throws JobException with every violation
   */
  public void check(T options) {
    var violations = new ArrayList<String>();
    var values = new LinkedHashMap<String, Object>();
    check(options, values, violations);
    withoutEffect(values, violations);
    refuse(violations);
  }

  private void check(Record record, Map<String, Object> values, List<String> violations) {
    for (RecordComponent component : record.getClass().getRecordComponents()) {
      Object value = get(component, record);
      if (component.getType().isRecord()) {
        check((Record) Objects.requireNonNull(value, component.getName()), values, violations);
      } else {
        DeclaredOption option = option(component);
        option.check(value, violations);
        values.put(option.name(), value);
      }
    }
    if (record instanceof Validated validated) {
      violations.addAll(validated.violations());
    }
  }

  private T bind(Map<String, List<String>> given, List<String> violations) {
    var values = new LinkedHashMap<String, Object>();
    T record = type.cast(build(type, current(given, violations), values, violations, violations));
    withoutEffect(values, violations);
    return record;
  }

  /** As {@link #bind(Map)}, without the rules across options: what the kit for tests needs. */
  T withoutRules(Map<String, List<String>> given) {
    var violations = new ArrayList<String>();
    var record =
        type.cast(build(type, given, new LinkedHashMap<>(), violations, new ArrayList<>()));
    refuse(violations);
    return record;
  }

  Collection<DeclaredOption> declared() {
    return options.values();
  }

  /** The values by the names of now. */
  private Map<String, List<String>> current(
      Map<String, List<String>> given, List<String> violations) {
    var current = new LinkedHashMap<String, List<String>>();
    given.forEach(
        (name, texts) -> {
          if (removed.containsKey(name)) {
            violations.add("Option --" + name + " is no more; " + removed.get(name));
          } else if (current.put(renamed.getOrDefault(name, name), texts) != null) {
            violations.add(
                "Option --"
                    + renamed.getOrDefault(name, name)
                    + ": expected one name, found its old one too; leave the old one out");
          }
        });
    return current;
  }

  /**
   * The record of the values; where one is wrong it is noted, and the whole is not to be used.
   *
   * @param values receives the value of each option, by name
   * @param violations receives what is wrong with single values
   * @param broken receives the rules across options that do not hold
   */
  private @Nullable Object build(
      Class<?> record,
      Map<String, List<String>> given,
      Map<String, Object> values,
      List<String> violations,
      List<String> broken) {
    boolean whole = true;
    var arguments = new LinkedHashMap<String, Object>();
    for (RecordComponent component : record.getRecordComponents()) {
      Object value;
      if (component.getType().isRecord()) {
        value = build(component.getType(), given, values, violations, broken);
      } else {
        DeclaredOption option = option(component);
        value =
            given.containsKey(option.name())
                ? option.parse(given.get(option.name()), violations)
                : option.orDefault(violations);
        if (value != null) {
          option.check(value, violations);
          values.put(option.name(), value);
        }
      }
      whole &= value != null;
      arguments.put(component.getName(), value);
    }
    if (!whole) {
      return null;
    }
    Object made = construct(record, component -> arguments.get(component.getName()));
    if (made instanceof Validated validated) {
      broken.addAll(validated.violations());
    }
    return made;
  }

  private static Object construct(
      Class<?> record, Function<RecordComponent, @Nullable Object> value) {
    RecordComponent[] components = record.getRecordComponents();
    try {
      var constructor =
          record.getDeclaredConstructor(
              Stream.of(components).map(RecordComponent::getType).toArray(Class<?>[]::new));
      constructor.setAccessible(true);
      return constructor.newInstance(Stream.of(components).map(value).toArray());
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("Cannot make " + record.getName(), e);
    }
  }

  /** Notes each option with a value of its own that {@link OnlyWith} gives no effect. */
  private void withoutEffect(Map<String, Object> values, List<String> violations) {
    for (DeclaredOption option : options.values()) {
      if (!differs(option, values)) {
        continue;
      }
      for (OnlyWith only : option.conditions()) {
        // A group may be bound by itself, without the option that it hangs on.
        DeclaredOption other = options.get(DeclaredOption.bare(only.option()));
        Object value = other == null ? null : values.get(other.name());
        if (value != null && !effective(only, other, values)) {
          violations.add(
              "Option --"
                  + option.name()
                  + ": expected only with "
                  + only.option()
                  + (only.is().length == 0 ? "" : " " + String.join(" or ", only.is()))
                  + ", found "
                  + (OptionValues.text(value).isEmpty()
                      ? "none"
                      : only.option() + " " + OptionValues.text(value))
                  + "; leave it out");
          break;
        }
      }
    }
  }

  private static boolean effective(
      OnlyWith only, DeclaredOption other, Map<String, Object> values) {
    return only.is().length == 0
        ? differs(other, values)
        : List.of(only.is()).contains(OptionValues.text(values.get(other.name())));
  }

  private static boolean differs(DeclaredOption option, Map<String, Object> values) {
    Object value = values.get(option.name());
    return value != null && !value.equals(option.defaultValue());
  }

  private DeclaredOption option(RecordComponent component) {
    return Objects.requireNonNull(
        options.get(
            DeclaredOption.bare(component.getAccessor().getAnnotation(Option.class).names()[0])));
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

  /**
   * The decisive options of an earlier run, as this version would have written them down: a former
   * name is that of now, an option that there was not then had its default, and what decides
   * nothing any more is left out.
   *
   * @param earlier as {@link #decisive} gave them then; what is no option stays as it is
   */
  public Map<String, String> decisiveOf(Map<String, String> earlier) {
    var result = new LinkedHashMap<String, String>();
    earlier.forEach((name, text) -> result.put(renamed.getOrDefault(name, name), text));
    for (DeclaredOption option : options.values()) {
      if (option.tunable()) {
        result.remove(option.name());
        continue;
      }
      Object value = option.defaultValue();
      boolean absent = value instanceof Optional<?> optional && optional.isEmpty();
      if (value != null && !absent) {
        result.putIfAbsent(option.name(), OptionValues.text(value));
      }
    }
    return result;
  }

  /**
   * What asks a finished run to go on: the {@link GoesOn} options that are larger now.
   *
   * @param earlier the finished run's options, as {@link #effective} gave them
   */
  public List<String> larger(T options, Map<String, String> earlier) {
    List<String> larger = new ArrayList<>();
    effective(options)
        .forEach(
            (name, text) -> {
              String before = earlier.get(name);
              if (before != null
                  && this.options.get(name).goesOn()
                  && new BigDecimal(text).compareTo(new BigDecimal(before)) > 0) {
                larger.add("--" + name + " " + text + " after " + before);
              }
            });
    return larger;
  }

  private Map<String, String> texts(Record options, boolean decisiveOnly) {
    var result = new LinkedHashMap<String, String>();
    for (RecordComponent component : options.getClass().getRecordComponents()) {
      Object value = get(component, options);
      if (value instanceof Record nested) {
        result.putAll(texts(nested, decisiveOnly));
        continue;
      }
      DeclaredOption option = option(component);
      boolean absent = value instanceof Optional<?> optional && optional.isEmpty();
      if (!absent && !(decisiveOnly && option.tunable())) {
        result.put(option.name(), OptionValues.text(value));
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
