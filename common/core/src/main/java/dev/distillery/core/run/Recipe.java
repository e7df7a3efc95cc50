package dev.distillery.core.run;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Options from a YAML file. Its keys are the options' names without dashes. A key that is a job's
 * name and holds a mapping gives options to that job alone, over those at the top, so that one file
 * can serve a whole pipeline. A mapping under the name of an option is its value as JSON. A value
 * is taken as it is written: {@code model: 1.10} names the model "1.10".
 */
public final class Recipe {
  private Recipe() {}

  /**
   * The values that a recipe gives to one job.
   *
   * @param origin the file's name, for messages
   * @param text the file's content
   * @param job the job that is run
   * @param jobs all jobs' names
   * @param options the names that the job knows
   * @throws JobException that names file, key and value of all that is wrong
   */
  public static Map<String, List<String>> read(
      String origin, String text, String job, Collection<String> jobs, Collection<String> options) {
    JsonNode root = YamlText.read(origin, text);
    if (!root.isObject()) {
      throw JobException.invalid(origin + ": Expected a mapping of option names to values");
    }
    if (root.path("stages").isObject() && !options.contains("stages")) {
      throw JobException.invalid(
          origin
              + ": Holds stages, so it is for the job pipeline: distillery pipeline --recipe "
              + origin);
    }
    var values = new LinkedHashMap<String, List<String>>();
    var violations = new ArrayList<String>();
    JsonNode section = null;
    for (var entry : root.properties()) {
      if (jobs.contains(entry.getKey()) && entry.getValue().isObject()) {
        section = entry.getKey().equals(job) ? entry.getValue() : section;
      } else {
        put(origin, entry.getKey(), entry.getValue(), options, values, violations);
      }
    }
    if (section != null) {
      for (var entry : section.properties()) {
        put(origin, entry.getKey(), entry.getValue(), options, values, violations);
      }
    }
    if (!violations.isEmpty()) {
      throw JobException.invalid(violations);
    }
    return values;
  }

  private static void put(
      String origin,
      String key,
      JsonNode value,
      Collection<String> options,
      Map<String, List<String>> values,
      List<String> violations) {
    if (!options.contains(key)) {
      violations.add(origin + ": Unknown option '" + key + "'" + Nearest.hint(key, options));
    } else if (value.isValueNode() && !value.isNull()) {
      values.put(key, List.of(value.asText()));
    } else if (value.isArray()
        && value.valueStream().allMatch(each -> each.isValueNode() && !each.isNull())) {
      values.put(key, value.valueStream().map(JsonNode::asText).toList());
    } else if (value.isObject()) {
      values.put(key, List.of(YamlText.json(origin, key, value)));
    } else {
      violations.add(
          origin + ": Option '" + key + "': expected a value or a list of values, found " + value);
    }
  }
}
