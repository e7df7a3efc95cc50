package dev.distillery.training.evaluate;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.model.template.JinjaTemplate;
import dev.distillery.model.template.TemplateException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A text with places for a row's columns: {@code {column}}, {@code {column.member}} or {@code
 * {column[0]}}. A text that holds <code>{{</code> or <code>{%</code> is a Jinja template over the
 * columns, as in lm-evaluation-harness. Immutable.
 */
final class TaskText {
  private static final Pattern PLACE =
      Pattern.compile("\\{([A-Za-z_][A-Za-z0-9_]*(?:\\.[A-Za-z_][A-Za-z0-9_]*|\\[\\d{1,6}])*+)}");
  private static final Pattern STEP = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*|\\[\\d+]");

  private final String source;
  private final Optional<JinjaTemplate> jinja;

  private TaskText(String source, Optional<JinjaTemplate> jinja) {
    this.source = source;
    this.jinja = jinja;
  }

  /**
   * Reads a text.
   *
   * @throws TemplateException where it is a Jinja template that is not understood
   */
  static TaskText of(String source) {
    boolean template = source.contains("{{") || source.contains("{%");
    return new TaskText(
        source, template ? Optional.of(JinjaTemplate.parse(source)) : Optional.empty());
  }

  /** The columns that it surely needs; a Jinja template may do without. */
  Set<String> columns() {
    Set<String> columns = new TreeSet<>();
    if (jinja.isEmpty()) {
      Matcher place = PLACE.matcher(source);
      while (place.find()) {
        columns.add(column(place.group(1)));
      }
    }
    return columns;
  }

  static String column(String path) {
    return path.split("[.\\[]", 2)[0];
  }

  /**
   * The text of a row.
   *
   * @throws ItemException where the row lacks a column
   */
  String text(JsonNode row) {
    if (jinja.isPresent()) {
      return rendered(jinja.get(), row);
    }
    Matcher place = PLACE.matcher(source);
    StringBuilder text = new StringBuilder();
    while (place.find()) {
      String value = asText(value(row, place.group(1)));
      place.appendReplacement(text, Matcher.quoteReplacement(value));
    }
    return place.appendTail(text).toString();
  }

  /** The column's own value where the text is one place and nothing else; else the text. */
  Object valueOrText(JsonNode row) {
    Matcher place = PLACE.matcher(source);
    return jinja.isEmpty() && place.matches() ? value(row, place.group(1)) : text(row);
  }

  /**
   * What a path leads to.
   *
   * @throws ItemException where it leads nowhere
   */
  static JsonNode value(JsonNode row, String path) {
    JsonNode value = row;
    Matcher step = STEP.matcher(path);
    while (step.find()) {
      String name = step.group();
      value =
          name.startsWith("[")
              ? value.path(Integer.parseInt(name.substring(1, name.length() - 1)))
              : value.path(name);
    }
    if (value.isMissingNode() || value.isNull()) {
      throw new ItemException(ItemException.MISSING, "The row has no " + path);
    }
    return value;
  }

  static String asText(JsonNode value) {
    return value.isValueNode() ? value.asText() : value.toString();
  }

  private static String rendered(JinjaTemplate template, JsonNode row) {
    Map<String, Object> names = new HashMap<>();
    row.properties()
        .forEach(each -> names.put(each.getKey(), JinjaTemplate.value(plain(each.getValue()), 0)));
    try {
      return template.render(names, Optional.empty()).value();
    } catch (TemplateException e) {
      throw new ItemException(ItemException.MISSING, String.valueOf(e.getMessage()));
    }
  }

  private static Object plain(JsonNode node) {
    if (node.isObject()) {
      Map<String, Object> map = new LinkedHashMap<>();
      node.properties().forEach(each -> map.put(each.getKey(), plain(each.getValue())));
      return map;
    }
    if (node.isArray()) {
      List<Object> list = new ArrayList<>();
      node.forEach(each -> list.add(plain(each)));
      return list;
    }
    if (node.isBoolean()) {
      return node.booleanValue();
    }
    if (node.isIntegralNumber()) {
      return node.longValue();
    }
    return node.isNumber() ? node.doubleValue() : node.asText();
  }

  @Override
  public String toString() {
    return source;
  }
}
