package dev.distillery.core.run;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A recipe of stages, each a job with its options, as {@code pipeline} runs them.
 *
 * <pre>{@code
 * about: What it makes, and of what.
 * not-yet: [what the paper does besides]
 * variables:
 *   out: out/${run}
 *   rows:              # no value: must be given, by a setting or by --set
 * settings:            # variables too; the first is taken where --set setting=... names none
 *   small: {rows: 30}
 *   full: {rows: 52000}
 * stages:              # in this order
 *   tasks:
 *     job: generate
 *     options:
 *       num-instructions: ${rows}
 *   student:
 *     job: sft
 *     options:
 *       input: instructions@tasks
 *       output-dir: ${out}/student
 *     spark: {spark.executor.memory: 8g}
 * }</pre>
 *
 * <p>{@code ${name}} stands for a variable, in values of options and of Spark's settings and in
 * other variables; {@code run} and {@code warehouse} are given. An option whose value is one
 * variable that is empty is left out. {@code table@stage} is the table of an earlier stage's run.
 *
 * @param about what the recipe makes; may be empty
 * @param notYet what the recipe leaves out of what it follows, and why
 * @param variables with their values, {@code setting} with them
 * @param stages in their order, at least one
 */
public record StagedRecipe(
    String about, List<String> notYet, Map<String, String> variables, List<Stage> stages) {

  /** Name of the variable that chooses one of the settings. */
  public static final String SETTING = "setting";

  private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9_-]{0,40}");
  private static final Pattern VARIABLE = Pattern.compile("\\$\\{([^{}]*)}");
  private static final Pattern REFERENCE =
      Pattern.compile("([A-Za-z_][A-Za-z0-9_]*)@([^=@]+)(=[0-9.]+)?");

  /** What a driver that runs already cannot change. */
  private static final Pattern FIXED =
      Pattern.compile("spark\\.(master|submit\\..*|driver\\.(memory|extra.*|cores)|app\\.name)");

  /**
   * One stage.
   *
   * @param name of the stage; its run is {@code <run>.<name>}
   * @param job that it runs
   * @param options by name without dashes
   * @param spark settings of Spark that this stage wants, over those of the command line
   */
  public record Stage(
      String name, String job, Map<String, List<String>> options, Map<String, String> spark) {
    /** The values of an option; empty where the stage does not give it. */
    public List<String> values(String option) {
      return options.getOrDefault(option, List.of());
    }
  }

  /** Name of a stage's run. */
  public static String runId(String run, String stage) {
    return run + "." + stage;
  }

  /**
   * Reads a recipe.
   *
   * @param origin the file's name, for messages
   * @param text the file's content
   * @param given what {@code --set} gave, by variable
   * @param builtIn {@code run} and what else is known of the call
   * @throws JobException with all that is wrong
   */
  public static StagedRecipe read(
      String origin, String text, Map<String, String> given, Map<String, String> builtIn) {
    return new Reader(origin, given, builtIn).read(YamlText.read(origin, text));
  }

  private static final class Reader {
    private final String origin;
    private final Map<String, String> given;
    private final Map<String, String> builtIn;
    private final List<String> violations = new ArrayList<>();

    /** Values as they are written, before other variables are put in. */
    private final Map<String, String> raw = new LinkedHashMap<>();

    /** Variables that the recipe leaves to its user. */
    private final Set<String> open = new LinkedHashSet<>();

    /** Those of them that a stage needs. */
    private final Set<String> wanted = new LinkedHashSet<>();

    Reader(String origin, Map<String, String> given, Map<String, String> builtIn) {
      this.origin = origin;
      this.given = given;
      this.builtIn = builtIn;
    }

    StagedRecipe read(JsonNode root) {
      if (!root.has("stages")) {
        throw JobException.invalid(
            origin + ": Has no stages; options of one job are for that job's --config");
      }
      members(root, "", List.of("about", "not-yet", "variables", "settings", "stages"));
      declare(root);
      var variables = new LinkedHashMap<String, String>();
      for (String name : raw.keySet()) {
        variables.put(name, value(name, new LinkedHashSet<>()));
      }
      var stages = new ArrayList<Stage>();
      for (var entry : mapping(root, "stages", "").properties()) {
        stages.add(stage(entry.getKey(), entry.getValue()));
      }
      if (stages.isEmpty()) {
        violations.add(origin + ": 'stages' has none");
      }
      for (String name : wanted) {
        violations.add(
            "%s: Variable '%s' has no value: give --set %2$s=VALUE".formatted(origin, name));
      }
      String about = String.join("\n", texts(root, "about")).strip();
      List<String> notYet = texts(root, "not-yet");
      List<Stage> linked = linked(stages);
      if (!violations.isEmpty()) {
        throw JobException.invalid(violations.stream().distinct().toList());
      }
      return new StagedRecipe(about, notYet, variables, linked);
    }

    /** The texts of a member that may be left out: one, or a list of them. */
    private List<String> texts(JsonNode node, String member) {
      JsonNode value = node.path(member);
      List<JsonNode> each =
          value.isMissingNode()
              ? List.of()
              : value.isArray() ? value.valueStream().toList() : List.of(value);
      if (each.stream().anyMatch(text -> !text.isTextual())) {
        violations.add(
            origin + ": '" + member + "': expected a text or a list of texts, found " + value);
        return List.of();
      }
      return each.stream().map(JsonNode::textValue).toList();
    }

    /** A member that may be left out. */
    private JsonNode mapping(JsonNode node, String member, String where) {
      JsonNode value = node.path(member);
      if (!value.isMissingNode() && !value.isObject()) {
        violations.add(
            "%s: %s'%s': expected a mapping, found %s".formatted(origin, where, member, value));
      }
      return value;
    }

    /** Finds each variable's own value: given, of the setting, or the recipe's. */
    private void declare(JsonNode root) {
      raw.putAll(builtIn);
      Map<String, JsonNode> settings = new LinkedHashMap<>();
      for (String name : fields(mapping(root, "settings", ""))) {
        settings.put(name, mapping(root.path("settings"), name, "Setting "));
      }
      Set<String> declared = new LinkedHashSet<>();
      for (var variable : mapping(root, "variables", "").properties()) {
        declared.add(variable.getKey());
        set(variable.getKey(), variable.getValue());
      }
      if (!settings.isEmpty()) {
        String chosen = given.getOrDefault(SETTING, settings.keySet().iterator().next());
        Nearest.expected("--set " + SETTING, chosen, settings.keySet()).ifPresent(violations::add);
        raw.put(SETTING, chosen);
        declared.add(SETTING);
        settings.values().forEach(each -> each.fieldNames().forEachRemaining(declared::add));
        if (settings.containsKey(chosen)) {
          settings.get(chosen).properties().forEach(value -> set(value.getKey(), value.getValue()));
        }
      }
      given.forEach(
          (name, value) -> {
            if (!declared.contains(name)) {
              violations.add(
                  "Option --set: Unknown variable '" + name + "'" + Nearest.hint(name, declared));
            }
            raw.put(name, value);
            open.remove(name);
          });
    }

    private static List<String> fields(JsonNode mapping) {
      return mapping.properties().stream().map(Map.Entry::getKey).toList();
    }

    private void set(String name, JsonNode value) {
      if (builtIn.containsKey(name) || name.equals(SETTING)) {
        violations.add(origin + ": Variable '" + name + "': this name is given already");
      } else if (!value.isValueNode()) {
        violations.add(origin + ": Variable '" + name + "': expected a value, found " + value);
      } else if (value.isNull()) {
        raw.remove(name);
        open.add(name);
      } else {
        open.remove(name);
        raw.put(name, value.asText());
      }
    }

    /** A variable's value, those that it names put in. */
    private String value(String name, Set<String> asking) {
      if (!asking.add(name)) {
        violations.add(
            origin + ": Variables name each other in a circle: " + String.join(", ", asking));
        return "";
      }
      String value = filled(raw.getOrDefault(name, ""), "Variable '" + name + "'", asking);
      asking.remove(name);
      return value;
    }

    private String filled(String text, String where, Set<String> asking) {
      Matcher found = VARIABLE.matcher(text);
      var filled = new StringBuilder();
      while (found.find()) {
        String name = found.group(1);
        String value = "";
        if (raw.containsKey(name)) {
          value = value(name, asking);
        } else if (open.contains(name)) {
          wanted.add(name);
        } else {
          violations.add(
              origin
                  + ": "
                  + where
                  + ": Unknown variable '"
                  + name
                  + "'"
                  + Nearest.hint(name, raw.keySet()));
        }
        found.appendReplacement(filled, Matcher.quoteReplacement(value));
      }
      return found.appendTail(filled).toString();
    }

    private Stage stage(String name, JsonNode node) {
      String where = "Stage '" + name + "'";
      if (!NAME.matcher(name).matches()) {
        violations.add(origin + ": " + where + ": expected a name that matches " + NAME.pattern());
      }
      members(node, where + ": ", List.of("job", "options", "spark"));
      if (node.path("job").asText().isEmpty()) {
        violations.add(origin + ": " + where + ": has no job");
      }
      var options = new LinkedHashMap<String, List<String>>();
      for (var option : mapping(node, "options", where + ", ").properties()) {
        List<String> values = values(where, option.getKey(), option.getValue());
        if (!values.isEmpty()) {
          options.put(option.getKey(), values);
        }
      }
      var spark = new LinkedHashMap<String, String>();
      for (var setting : mapping(node, "spark", where + ", ").properties()) {
        if (FIXED.matcher(setting.getKey()).matches() || !setting.getKey().startsWith("spark.")) {
          violations.add(
              "%s: %s: %s cannot be set for a stage: give it behind --, on the command line"
                  .formatted(origin, where, setting.getKey()));
        }
        spark.put(
            setting.getKey(),
            String.join(",", values(where, setting.getKey(), setting.getValue())));
      }
      return new Stage(name, node.path("job").asText(), options, spark);
    }

    private List<String> values(String where, String option, JsonNode value) {
      String place = where + ", option '" + option + "'";
      if (value.isObject()) {
        return List.of(filled(YamlText.json(origin, option, value), place, new LinkedHashSet<>()));
      }
      List<String> texts =
          value.isArray()
              ? value.valueStream().map(JsonNode::asText).toList()
              : List.of(value.asText());
      if (value.isNull()
          || value.valueStream().anyMatch(each -> !each.isValueNode() || each.isNull())) {
        violations.add(
            origin + ": " + place + ": expected a value or a list of values, found " + value);
        return List.of();
      }
      return texts.stream()
          .map(text -> new String[] {text, filled(text, place, new LinkedHashSet<>())})
          .filter(pair -> !pair[1].isEmpty() || !VARIABLE.matcher(pair[0]).matches())
          .map(pair -> pair[1])
          .toList();
    }

    private void members(JsonNode node, String where, List<String> known) {
      if (!node.isObject()) {
        violations.add(origin + ": " + where + "expected a mapping, found " + node);
        return;
      }
      for (var member : node.properties()) {
        if (!known.contains(member.getKey())) {
          violations.add(
              origin
                  + ": "
                  + where
                  + "Unknown key '"
                  + member.getKey()
                  + "'"
                  + Nearest.hint(member.getKey(), known));
        }
      }
    }

    /** Gives references to stages the names of their runs. */
    private List<Stage> linked(List<Stage> stages) {
      List<String> names = stages.stream().map(Stage::name).toList();
      var linked = new ArrayList<Stage>();
      for (Stage stage : stages) {
        var options = new LinkedHashMap<String, List<String>>();
        stage
            .options()
            .forEach(
                (option, values) ->
                    options.put(
                        option,
                        values.stream()
                            .map(value -> linked(stage, option, value, names))
                            .toList()));
        linked.add(new Stage(stage.name(), stage.job(), options, stage.spark()));
      }
      return linked;
    }

    private String linked(Stage stage, String option, String value, List<String> names) {
      Matcher reference = REFERENCE.matcher(value);
      if (!reference.matches() || !names.contains(reference.group(2))) {
        return value;
      }
      String read = reference.group(2);
      if (names.indexOf(read) >= names.indexOf(stage.name())) {
        violations.add(
            "%s: Stage '%s', option '%s': reads %s, which %s"
                .formatted(
                    origin,
                    stage.name(),
                    option,
                    value,
                    read.equals(stage.name())
                        ? "it makes itself"
                        : "comes later: stages run in the order in which they stand"));
      }
      String weight = reference.group(3) == null ? "" : reference.group(3);
      return reference.group(1) + "@" + runId(builtIn.getOrDefault("run", ""), read) + weight;
    }
  }
}
