package dev.distillery.model.format;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.core.format.ModelFileException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;

/**
 * Which modules an adapter_config.json gives factors, as PEFT decides it: {@code target_modules}, a
 * list of names or a regular expression, without {@code exclude_modules} and what is saved whole,
 * in the layers of {@code layers_to_transform}.
 */
final class AdapterModules {
  private static final String ALL_LINEAR = "all-linear";
  private static final Set<String> HEADS = Set.of("lm_head", "score");

  private final ModelJson json;
  private final List<String> targets;
  private final List<String> saved;
  private final List<Integer> layers;

  AdapterModules(ModelJson json) throws ModelFileException {
    this.json = json;
    this.targets = names("target_modules");
    this.saved = names("modules_to_save");
    this.layers = layers();
    var unusedExcluded = names("exclude_modules");
    var unusedPatterns = names("layers_pattern");
    if (targets.isEmpty()) {
      throw json.wrong("target_modules", "a list of names, or a regular expression");
    }
    if (json.node().path("modules_to_save").isTextual()) {
      throw json.wrong("modules_to_save", "a list of names");
    }
    adapts("model.layers.0.self_attn.q_proj"); // So that a pattern that is not read is refused.
  }

  /** Modules that are stored whole. */
  List<String> saved() {
    return saved.stream().sorted().toList();
  }

  /**
   * The last parts of the names of what is adapted.
   *
   * @param modules that have factors
   */
  List<String> targets(Set<String> modules) {
    if (!isPattern("target_modules")) {
      return targets.stream().sorted().toList();
    }
    Set<String> names = new TreeSet<>();
    modules.forEach(module -> names.add(module.substring(module.lastIndexOf('.') + 1)));
    return List.copyOf(names);
  }

  /**
   * Whether a module has factors.
   *
   * @param module such as {@code model.layers.0.self_attn.q_proj}
   */
  boolean adapts(String module) throws ModelFileException {
    try {
      for (String name : saved) {
        if (PythonPattern.of("(^|.*\\.)" + name + "($|\\..*)").begins(module)) {
          return false;
        }
      }
      if (named("exclude_modules", module)) {
        return false;
      }
      if (isPattern("target_modules")) {
        return targets.get(0).toLowerCase(Locale.ROOT).equals(ALL_LINEAR)
            ? !HEADS.contains(module)
            : PythonPattern.of(targets.get(0)).matches(module);
      }
      // PEFT takes a whole name as it is, and looks at layers where only its end is named.
      return targets.contains(module) || (named("target_modules", module) && inLayers(module));
    } catch (IllegalArgumentException e) {
      throw json.error(e.getMessage());
    }
  }

  private boolean named(String field, String module) throws ModelFileException {
    List<String> names = names(field);
    if (isPattern(field)) {
      return PythonPattern.of(names.get(0)).matches(module);
    }
    return names.stream().anyMatch(name -> module.equals(name) || module.endsWith("." + name));
  }

  private boolean inLayers(String module) throws ModelFileException {
    if (layers.isEmpty()) {
      return true;
    }
    List<String> patterns = names("layers_pattern");
    if (patterns.isEmpty()) {
      return inLayers(PythonPattern.of(".*?\\.[^.]*\\.(\\d+)\\."), module);
    }
    for (String pattern : patterns) {
      PythonPattern layer = PythonPattern.of("(?:^|.*?\\.)" + pattern + "\\.(?P<idx>\\d+)\\.");
      if (layer.begins(module)) {
        return inLayers(layer, module);
      }
    }
    return false;
  }

  private boolean inLayers(PythonPattern pattern, String module) {
    Matcher found = pattern.matcher(module);
    return found.lookingAt() && layers.contains(Integer.parseInt(found.group(found.groupCount())));
  }

  private boolean isPattern(String field) {
    return json.node().path(field).isTextual() && !field.equals("layers_pattern");
  }

  private List<String> names(String field) throws ModelFileException {
    if (!json.has(field)) {
      return List.of();
    }
    JsonNode value = json.node().get(field);
    if (value.isTextual()) {
      return value.textValue().isEmpty() ? List.of() : List.of(value.textValue());
    }
    List<String> names = new ArrayList<>();
    for (JsonNode name : value) {
      if (!name.isTextual()) {
        throw json.wrong(field, "a list of names");
      }
      names.add(name.textValue());
    }
    if (!value.isArray()) {
      throw json.wrong(field, "a list of names");
    }
    return names;
  }

  private List<Integer> layers() throws ModelFileException {
    String field = "layers_to_transform";
    if (!json.has(field)) {
      return List.of();
    }
    JsonNode value = json.node().get(field);
    List<Integer> numbers = new ArrayList<>();
    for (JsonNode number : value.isArray() ? value : List.of(value)) {
      if (!number.canConvertToInt() || !number.isIntegralNumber()) {
        throw json.wrong(field, "the numbers of layers");
      }
      numbers.add(number.intValue());
    }
    if (!numbers.isEmpty() && isPattern("target_modules")) {
      throw json.wrong(field, "absent where target_modules is a regular expression");
    }
    return numbers;
  }
}
