package dev.distillery.training.evaluate;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Nearest;
import dev.distillery.core.run.YamlText;
import dev.distillery.model.template.TemplateException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A task in YAML.
 *
 * <pre>{@code
 * name: piqa
 * input: piqa.jsonl            # a REF, or {generator: arithmetic, ...}
 * examples: piqa-train.jsonl   # the pool of shots; default: the input without the item
 * prompt: "Question: {goal}\nAnswer:"
 * choices: ["{sol1}", "{sol2}"]
 * answer: "{label}"            # index or text
 * metrics: [acc, acc_norm]
 * num_fewshot: 0
 * }</pre>
 *
 * <p>Instead of {@code choices}: {@code generate: {stop: ["\n"], max_new_tokens: 32}}, or neither
 * (the likelihood of the answer), or {@code text} alone (perplexity). The keys' meanings stand in
 * docs/evaluate.md. Serializable as its text, so that executors read it themselves.
 *
 * @param origin the file's name, for messages
 * @param text its content
 */
public record TaskFile(String origin, String text) implements Serializable {
  private static final long serialVersionUID = 1L;

  /** Most characters of a file. */
  static final int MAX_CHARS = 1 << 20;

  private static final int MOST_NEW_TOKENS = 1 << 20;
  private static final int MOST_SHOTS = 1000;
  private static final long MOST_ITEMS = 10_000_000;
  private static final int USUAL_NEW_TOKENS = 64;
  private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9._-]{0,60}");
  private static final Pattern PATH =
      Pattern.compile("[A-Za-z_][A-Za-z0-9_]*(\\.[A-Za-z_][A-Za-z0-9_]*|\\[\\d{1,6}])*+");

  /** The key that a violation is of. */
  private static final Pattern NAMED = Pattern.compile("^(?:Unknown key )?'([a-z_]+)[.']");

  /** A line that begins with a key. */
  private static final Pattern KEY = Pattern.compile("[ \\t]*+([a-z_]++)[ \\t]*+:");

  private static final List<String> KEYS =
      List.of(
          "name",
          "about",
          "input",
          "examples",
          "shots",
          "num_fewshot",
          "description",
          "prompt",
          "choices",
          "answer",
          "labels",
          "unconditional",
          "generate",
          "text",
          "metrics",
          "delimiter",
          "separator",
          "published");

  /**
   * Reads the task.
   *
   * @throws JobException with all that is wrong
   */
  public EvalTask task() {
    if (text.length() > MAX_CHARS) {
      throw JobException.invalid(
          "%s: has %s characters; a task has %s at most"
              .formatted(origin, text.length(), MAX_CHARS));
    }
    return new Reader(origin, text).read(YamlText.read(origin, text));
  }

  /** What has to be given with the call. */
  private static final EvalTask.Input NO_INPUT = new EvalTask.Input.Rows("");

  private static final class Reader {
    private final String origin;
    private final String text;
    private final List<String> violations = new ArrayList<>();

    Reader(String origin, String text) {
      this.origin = origin;
      this.text = text;
    }

    EvalTask read(JsonNode root) {
      if (!root.isObject()) {
        throw JobException.invalid(origin + ": expected a mapping of a task's keys");
      }
      for (var member : root.properties()) {
        if (!KEYS.contains(member.getKey())) {
          wrong("Unknown key '" + member.getKey() + "'" + Nearest.hint(member.getKey(), KEYS));
        }
      }
      String name = one(root, "name").orElse("");
      if (!NAME.matcher(name).matches()) {
        wrong("'name': expected a name that matches " + NAME.pattern() + ", found '" + name + "'");
      }
      Optional<EvalTask.Form> form = form(root);
      List<Metric> metrics = form.map(asked -> metrics(root, asked)).orElse(List.of());
      EvalTask.Input input = root.has("input") ? input(root.path("input")) : NO_INPUT;
      EvalTask.ShotChoice shots = shots(root);
      OptionalInt numFewshot = whole(root, "num_fewshot", 0, MOST_SHOTS);
      if (form.orElse(null) instanceof EvalTask.Form.Document) {
        forbidden(root, "with 'text'", "examples", "shots", "num_fewshot", "description");
      }
      Map<String, String> published = new LinkedHashMap<>();
      for (var each : mapping(root, "published").properties()) {
        if (!each.getValue().isTextual()) {
          wrong(
              "'published.%s': expected a text, found %s"
                  .formatted(each.getKey(), each.getValue()));
        }
        published.put(each.getKey(), each.getValue().asText());
      }
      Optional<String> examples = one(root, "examples");
      String about = one(root, "about").orElse("").strip();
      String description = one(root, "description").orElse("");
      String delimiter = one(root, "delimiter").orElse(" ");
      String separator = one(root, "separator").orElse("\n\n");
      if (!violations.isEmpty()) {
        Map<String, Integer> lines = lines();
        throw JobException.invalid(violations.stream().map(each -> placed(each, lines)).toList());
      }
      return new EvalTask(
          name,
          about,
          input,
          examples,
          shots,
          numFewshot,
          description,
          form.orElseThrow(),
          metrics,
          delimiter,
          separator,
          published);
    }

    /** The line that each key first begins, from 1. */
    private Map<String, Integer> lines() {
      Map<String, Integer> lines = new HashMap<>();
      int number = 0;
      for (String line : text.lines().toList()) {
        number++;
        Matcher key = KEY.matcher(line);
        if (key.lookingAt()) {
          lines.putIfAbsent(key.group(1), number);
        }
      }
      return lines;
    }

    /** With the line of the key that it names. */
    private String placed(String violation, Map<String, Integer> lines) {
      Matcher key = NAMED.matcher(violation);
      Integer line = key.find() ? lines.get(key.group(1)) : null;
      return origin + ":" + (line == null ? "" : line + ":") + " " + violation;
    }

    private void wrong(String what) {
      violations.add(what);
    }

    /** A key's text; empty where the key is not there. */
    private Optional<String> one(JsonNode node, String key) {
      JsonNode value = node.path(key);
      if (value.isMissingNode()) {
        return Optional.empty();
      }
      if (!value.isTextual()) {
        wrong("'" + key + "': expected a text, found " + value);
        return Optional.empty();
      }
      return Optional.of(value.textValue());
    }

    /** A key's mapping; an empty one where the key is not there. */
    private JsonNode mapping(JsonNode node, String key) {
      JsonNode value = node.path(key);
      if (!value.isMissingNode() && !value.isObject()) {
        wrong("'" + key + "': expected a mapping, found " + value);
      }
      return value;
    }

    private List<String> several(JsonNode node, String key) {
      JsonNode value = node.path(key);
      List<JsonNode> each =
          value.isMissingNode()
              ? List.of()
              : value.isArray() ? value.valueStream().toList() : List.of(value);
      if (each.stream().anyMatch(text -> !text.isTextual())) {
        wrong("'" + key + "': expected a text or a list of texts, found " + value);
        return List.of();
      }
      return each.stream().map(JsonNode::textValue).toList();
    }

    private OptionalInt whole(JsonNode node, String key, int least, int most) {
      Optional<String> text = one(node, key);
      if (text.isEmpty()) {
        return OptionalInt.empty();
      }
      try {
        int value = Integer.parseInt(text.get());
        if (value >= least && value <= most) {
          return OptionalInt.of(value);
        }
      } catch (NumberFormatException e) {
        // Said below.
      }
      wrong("'%s': expected %s to %s, found '%s'".formatted(key, least, most, text.get()));
      return OptionalInt.empty();
    }

    private TaskText template(String key, String source) {
      try {
        return TaskText.of(source);
      } catch (TemplateException e) {
        wrong("'" + key + "': " + e.getMessage());
        return TaskText.of("");
      }
    }

    private void forbidden(JsonNode root, String where, String... keys) {
      for (String key : keys) {
        if (root.has(key)) {
          wrong("'" + key + "' has no meaning " + where + ": leave it out");
        }
      }
    }

    private Optional<EvalTask.Form> form(JsonNode root) {
      if (root.has("text")) {
        forbidden(root, "with 'text'", "prompt", "choices", "answer", "labels", "generate");
        forbidden(root, "with 'text'", "unconditional", "delimiter", "separator");
        return one(root, "text").map(text -> new EvalTask.Form.Document(template("text", text)));
      }
      List<TaskText> prompts =
          several(root, "prompt").stream().map(text -> template("prompt", text)).toList();
      if (prompts.isEmpty()) {
        wrong("has no 'prompt' (nor 'text')");
        return Optional.empty();
      }
      Optional<TaskText> answer = one(root, "answer").map(text -> template("answer", text));
      if (answer.isEmpty()) {
        wrong("has no 'answer'");
        return Optional.empty();
      }
      if (root.has("choices")) {
        forbidden(root, "with 'choices'", "generate");
        return choices(root, prompts, answer.get());
      }
      forbidden(root, "without 'choices'", "labels", "unconditional");
      if (prompts.size() > 1) {
        wrong("'prompt': expected one text without 'choices', found " + prompts.size());
      }
      if (!root.has("generate")) {
        return Optional.of(new EvalTask.Form.Likelihood(prompts.get(0), answer.get()));
      }
      JsonNode generate = mapping(root, "generate");
      for (var member : generate.properties()) {
        List<String> known = List.of("stop", "max_new_tokens");
        if (!known.contains(member.getKey())) {
          wrong(
              "'generate': Unknown key '"
                  + member.getKey()
                  + "'"
                  + Nearest.hint(member.getKey(), known));
        }
      }
      int most = whole(generate, "max_new_tokens", 1, MOST_NEW_TOKENS).orElse(USUAL_NEW_TOKENS);
      List<String> stop = several(generate, "stop");
      if (stop.contains("")) {
        wrong("'generate.stop': an empty text ends nothing; leave it out");
      }
      return Optional.of(new EvalTask.Form.Generate(prompts.get(0), answer.get(), stop, most));
    }

    private Optional<EvalTask.Form> choices(
        JsonNode root, List<TaskText> prompts, TaskText answer) {
      JsonNode given = root.path("choices");
      EvalTask.ChoiceList list;
      int known = 0;
      if (given.isTextual() && PATH.matcher(given.textValue()).matches()) {
        list = new EvalTask.ChoiceList.Path(given.textValue());
      } else {
        List<TaskText> texts =
            several(root, "choices").stream().map(text -> template("choices", text)).toList();
        known = texts.size();
        list = new EvalTask.ChoiceList.Texts(texts);
        if (given.isTextual()) {
          wrong("'choices': expected a list of texts, or the name of a column that holds one");
        } else if (Math.max(known, prompts.size()) < 2) {
          wrong("'choices': expected two or more, found " + known);
        } else if (prompts.size() > 1 && known != 1 && known != prompts.size()) {
          wrong(
              "'prompt': expected one, or one for each of the %s choices, found %s"
                  .formatted(known, prompts.size()));
        }
      }
      Optional<String> labels = one(root, "labels");
      labels
          .filter(path -> !PATH.matcher(path).matches())
          .ifPresent(
              path -> wrong("'labels': expected the name of a column, found '" + path + "'"));
      int right = Math.max(known, prompts.size());
      if (labels.isEmpty() && answer.columns().isEmpty() && isWhole(answer.toString())) {
        long index = Long.parseLong(answer.toString());
        if (known > 0 && index >= right) {
          wrong("'answer': %s is none of the %s choices, counted from 0".formatted(index, right));
        }
      }
      return Optional.of(
          new EvalTask.Form.Choices(
              prompts, list, answer, labels, one(root, "unconditional").orElse("")));
    }

    private static boolean isWhole(String text) {
      return text.matches("\\d{1,9}");
    }

    private List<Metric> metrics(JsonNode root, EvalTask.Form form) {
      List<String> words = several(root, "metrics");
      List<String> possible =
          Metric.of(form).stream().map(Metric::word).collect(Collectors.toList());
      List<Metric> metrics = new ArrayList<>();
      for (String word : words) {
        Optional<Metric> metric = Metric.of(word).filter(Metric.of(form)::contains);
        if (metric.isEmpty()) {
          wrong(
              "'metrics': '%s' is none of %s, which such a task has"
                  .formatted(word, String.join(", ", possible)));
        }
        metric.filter(each -> !metrics.contains(each)).ifPresent(metrics::add);
      }
      if (words.isEmpty()) {
        wrong("has no 'metrics': name some of " + String.join(", ", possible));
      }
      return metrics;
    }

    private EvalTask.ShotChoice shots(JsonNode root) {
      return one(root, "shots")
          .map(
              word -> {
                Function<EvalTask.ShotChoice, String> name =
                    each -> each.name().toLowerCase(Locale.ROOT);
                List<String> known = Stream.of(EvalTask.ShotChoice.values()).map(name).toList();
                if (!known.contains(word)) {
                  wrong("'shots': expected " + String.join(" or ", known) + ", found " + word);
                  return EvalTask.ShotChoice.DRAWN;
                }
                return EvalTask.ShotChoice.valueOf(word.toUpperCase(Locale.ROOT));
              })
          .orElse(EvalTask.ShotChoice.DRAWN);
    }

    private EvalTask.Input input(JsonNode input) {
      if (input.isTextual() && !input.textValue().isBlank()) {
        return new EvalTask.Input.Rows(input.textValue());
      }
      if (!input.isObject()) {
        wrong("'input': expected a table, files, or {generator: NAME, ...}, found " + input);
        return new EvalTask.Input.Rows("");
      }
      Map<String, String> values = new LinkedHashMap<>();
      input.properties().forEach(each -> values.put(each.getKey(), each.getValue().asText()));
      Optional<String> items = Optional.ofNullable(values.remove("items"));
      String name = values.remove("generator");
      List<String> problems = new ArrayList<>();
      ItemGenerator generator = ItemGenerator.of(String.valueOf(name), values, problems);
      problems.forEach(problem -> wrong("'input': " + problem));
      return new EvalTask.Input.Generated(
          generator, problems.isEmpty() ? number(generator, items) : 0);
    }

    private long number(ItemGenerator generator, Optional<String> items) {
      long most = Math.min(MOST_ITEMS, generator.items());
      if (items.isEmpty() && generator.items() < MOST_ITEMS) {
        return most;
      }
      String text = items.orElse("");
      long number = text.matches("\\d{1,9}") ? Long.parseLong(text) : 0;
      if (number < 1 || number > most) {
        wrong("'input.items': expected 1 to %s, found '%s'".formatted(most, text));
      }
      return number;
    }
  }
}
