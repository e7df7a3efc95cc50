package dev.distillery.core.run;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.PropertyNamingStrategies.SnakeCaseStrategy;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Summaries as JSON, there and back: {@code {"job", "run_id", "status", "tables": {name: {"path",
 * "rows"}}, "rejects": {rule: count}, "figures": {name: number}, "seconds"}}, then {@code
 * exit_code} and {@code message} where the run is not done, {@code unit}, and what the job adds.
 */
public final class SummaryJson {
  private static final ObjectMapper JSON =
      new ObjectMapper().setPropertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE);

  /** The type of a component that holds figures whose names nobody knows beforehand. */
  private static final String OPEN = "java.util.Map<java.lang.String, java.lang.Number>";

  private SummaryJson() {}

  /** The summary with another account of the run. */
  public static <S extends Summary> S with(S summary, RunSummary run) {
    return cast(
        summary,
        build(
            summary.getClass(),
            part -> part.getType() == RunSummary.class ? run : get(part, summary)));
  }

  /**
   * Reads a summary that {@link #write} has written; members that the type does not have are left
   * out, and an optional one that is not there is empty.
   *
   * @param type a record
   */
  public static <S extends Summary> S read(Class<S> type, JsonNode json) {
    return type.cast(record(type, json));
  }

  /** The numbers of a record by their names in summaries. */
  public static Map<String, Number> figures(Object record) {
    Map<String, Number> figures = new TreeMap<>();
    add(record, figures, new TreeMap<>());
    return figures;
  }

  static ObjectNode write(Summary summary) {
    RunSummary run = summary.run();
    Map<String, Number> figures = new TreeMap<>();
    Map<String, Object> members = new TreeMap<>();
    add(summary, figures, members);
    ObjectNode node = JSON.createObjectNode();
    node.put("job", run.job()).put("run_id", run.runId()).put("status", run.status());
    node.set("tables", JSON.valueToTree(new TreeMap<>(run.tables())));
    node.set("rejects", JSON.valueToTree(new TreeMap<>(run.rejects())));
    node.set("figures", JSON.valueToTree(figures));
    node.put("seconds", Math.round(run.seconds() * 1000) / 1000.0);
    if (run.exitCode() != ExitCode.DONE) {
      node.put("exit_code", run.exitCode().code()).put("message", run.message());
    }
    if (!run.unit().isEmpty()) {
      members.put("unit", run.unit());
    }
    // A job takes none of the frame's members away.
    members.forEach((name, value) -> node.putIfAbsent(name, JSON.valueToTree(value)));
    return node;
  }

  private static RunSummary readRun(JsonNode json) {
    Map<String, RunSummary.TableSummary> tables = new TreeMap<>();
    json.path("tables")
        .properties()
        .forEach(
            table ->
                tables.put(
                    table.getKey(),
                    new RunSummary.TableSummary(
                        table.getValue().path("path").asText(),
                        table.getValue().path("rows").asLong())));
    Map<String, Long> rejects = new TreeMap<>();
    json.path("rejects").properties().forEach(r -> rejects.put(r.getKey(), r.getValue().asLong()));
    return new RunSummary(
        json.path("job").asText(),
        json.path("run_id").asText(),
        json.path("status").asText(),
        ExitCode.of(json.path("exit_code").asInt()),
        json.path("message").asText(),
        tables,
        rejects,
        json.path("unit").asText(),
        json.path("seconds").asDouble());
  }

  private static void add(Object parts, Map<String, Number> figures, Map<String, Object> members) {
    for (RecordComponent part : parts.getClass().getRecordComponents()) {
      Object value = present(get(part, parts));
      if (value == null || value instanceof RunSummary || parts instanceof RunSummary) {
        continue;
      }
      if (value instanceof Record nested) {
        add(nested, figures, members);
      } else if (value instanceof Number number && isFigure(part)) {
        figures.put(name(part), number);
      } else if (value instanceof Map<?, ?> map && isOpen(part)) {
        map.forEach((name, number) -> figures.put((String) name, (Number) number));
      } else {
        members.put(name(part), value);
      }
    }
  }

  private static @Nullable Object present(@Nullable Object value) {
    if (value instanceof Optional<?> optional) {
      return optional.orElse(null);
    }
    if (value instanceof OptionalLong optional) {
      return optional.isPresent() ? optional.getAsLong() : null;
    }
    return value;
  }

  private static Object record(Class<?> type, JsonNode json) {
    if (type == RunSummary.class) {
      return readRun(json);
    }
    return build(type, part -> value(part, json));
  }

  private static Object value(RecordComponent part, JsonNode json) {
    Class<?> type = part.getType();
    if (type.isRecord()) {
      return record(type, json);
    }
    if (isOpen(part)) {
      Map<String, Number> figures = new TreeMap<>();
      json.path("figures")
          .properties()
          .forEach(figure -> figures.put(figure.getKey(), figure.getValue().numberValue()));
      return figures;
    }
    if (type == OptionalLong.class) {
      JsonNode node = node(part, json);
      return node.isNull() ? OptionalLong.empty() : OptionalLong.of(node.asLong());
    }
    if (type != Optional.class) {
      return JSON.convertValue(node(part, json), JSON.constructType(part.getGenericType()));
    }
    Type inner = ((ParameterizedType) part.getGenericType()).getActualTypeArguments()[0];
    if (inner instanceof Class<?> record && record.isRecord()) {
      return isThere(record, json) ? Optional.of(record(record, json)) : Optional.empty();
    }
    JsonNode node = node(part, json);
    return node.isNull()
        ? Optional.empty()
        : Optional.of(JSON.convertValue(node, JSON.constructType(inner)));
  }

  /** Whether the JSON has what the record cannot be without. */
  private static boolean isThere(Class<?> record, JsonNode json) {
    for (RecordComponent part : record.getRecordComponents()) {
      boolean missing =
          part.getType().isRecord()
              ? !isThere(part.getType(), json)
              : !isOptional(part.getType()) && !isOpen(part) && node(part, json).isNull();
      if (missing) {
        return false;
      }
    }
    return true;
  }

  private static JsonNode node(RecordComponent part, JsonNode json) {
    JsonNode where = isFigure(part) ? json.path("figures") : json;
    return where.has(name(part)) ? where.path(name(part)) : NullNode.getInstance();
  }

  private static boolean isOptional(Class<?> type) {
    return type == Optional.class || type == OptionalLong.class;
  }

  /** A map of numbers holds figures of any name; read back it has those of all components. */
  private static boolean isOpen(RecordComponent part) {
    return part.getGenericType().getTypeName().equals(OPEN);
  }

  private static boolean isFigure(RecordComponent part) {
    if (part.getType() == OptionalLong.class) {
      return true;
    }
    Type type = part.getGenericType();
    Type inner =
        type instanceof ParameterizedType optional && optional.getRawType() == Optional.class
            ? optional.getActualTypeArguments()[0]
            : type;
    boolean number =
        inner instanceof Class<?> plain
            && (Number.class.isAssignableFrom(plain)
                || (plain.isPrimitive() && plain != boolean.class));
    return number && !part.getAccessor().isAnnotationPresent(SummaryMember.class);
  }

  private static String name(RecordComponent part) {
    JsonProperty given = part.getAccessor().getAnnotation(JsonProperty.class);
    return given == null ? SnakeCaseStrategy.INSTANCE.translate(part.getName()) : given.value();
  }

  /** Gives a record's component its value. */
  private interface Values {
    @Nullable Object of(RecordComponent part);
  }

  private static Object build(Class<?> type, Values values) {
    RecordComponent[] parts = type.getRecordComponents();
    Class<?>[] types = new Class<?>[parts.length];
    @Nullable Object[] arguments = new Object[parts.length];
    for (int i = 0; i < parts.length; i++) {
      types[i] = parts[i].getType();
      arguments[i] = values.of(parts[i]);
    }
    try {
      var constructor = type.getDeclaredConstructor(types);
      constructor.setAccessible(true);
      return constructor.newInstance(arguments);
    } catch (InvocationTargetException e) {
      throw new IllegalStateException("Cannot make " + type.getName() + ": " + e.getCause(), e);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("Cannot make " + type.getName(), e);
    }
  }

  private static @Nullable Object get(RecordComponent part, Object record) {
    try {
      part.getAccessor().setAccessible(true);
      return part.getAccessor().invoke(record);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("Cannot read " + part, e);
    }
  }

  @SuppressWarnings("unchecked")
  private static <S> S cast(S same, Object other) {
    return (S) same.getClass().cast(other);
  }
}
