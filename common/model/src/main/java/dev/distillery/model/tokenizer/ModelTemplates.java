package dev.distillery.model.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.core.dialogue.TemplateInputs;
import dev.distillery.core.format.GgufMetadata;
import dev.distillery.core.format.ModelFileException;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.format.ModelJson;
import dev.distillery.model.format.SpecialTokens;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The chat templates that a model brings along, as they came: chat_template.jinja and {@value
 * #FOLDER}/NAME.jinja, which stand over tokenizer_config.json's {@code chat_template} (a text, or a
 * list of named ones) as in transformers, or GGUF's.
 *
 * @param jinja the one for dialogues: the only one, or that which is called default
 * @param others further ones by name, such as tool_use
 * @param spellings of the tokens that templates name: bos_token, eos_token and the like, as the
 *     tokenizer's own file has them
 */
public record ModelTemplates(
    String jinja, Map<String, String> others, Map<String, String> spellings) {
  /** Where transformers keeps the templates that are not the one for dialogues. */
  public static final String FOLDER = "additional_chat_templates";

  static final String GGUF_KEY = "tokenizer.chat_template";

  /** Names of the further ones, each under the key above, a dot and its name. */
  static final String GGUF_NAMES = "tokenizer.chat_templates";

  private static final String DEFAULT = "default";
  private static final String ENDING = ".jinja";

  public ModelTemplates {
    others = Map.copyOf(others);
    spellings = Map.copyOf(spellings);
  }

  /**
   * Reads a model's templates; empty if it brings none.
   *
   * @throws ModelFileException where a file holds something else
   */
  public static Optional<ModelTemplates> read(ModelFiles model) throws IOException {
    if (model.gguf().isPresent()) {
      return ofGguf(model.gguf().get());
    }
    return Files.isDirectory(model.path()) ? ofDirectory(model.path()) : Optional.empty();
  }

  /** As {@link #read}, of a directory that may be no model, such as an adapter's. */
  public static Optional<ModelTemplates> ofDirectory(Path directory) throws IOException {
    Map<String, String> templates = files(directory);
    Map<String, String> spellings = new HashMap<>();
    Path config = directory.resolve("tokenizer_config.json");
    if (Files.isRegularFile(config)) {
      ModelJson json = ModelJson.read(config);
      if (templates.isEmpty()) {
        named(json, templates);
      }
      json.node()
          .properties()
          .forEach(
              field -> {
                JsonNode value = field.getValue();
                String spelling =
                    value.isObject() ? value.path("content").asText() : value.asText();
                if (field.getKey().endsWith("_token") && !spelling.isEmpty() && !value.isNull()) {
                  spellings.put(field.getKey(), spelling);
                }
              });
    }
    String first = templates.remove(DEFAULT);
    if (first == null && !templates.isEmpty()) {
      throw new ModelFileException(
          directory.resolve(FOLDER),
          "there is no chat_template.jinja beside the templates called "
              + templates.keySet()
              + ", so that none is for dialogues");
    }
    return first == null
        ? Optional.empty()
        : Optional.of(new ModelTemplates(first, templates, spellings));
  }

  private static Optional<ModelTemplates> ofGguf(GgufMetadata gguf) throws ModelFileException {
    Map<String, String> others = new TreeMap<>();
    for (String key : gguf.keys()) {
      if (key.startsWith(GGUF_KEY + ".")) {
        others.put(key.substring(GGUF_KEY.length() + 1), gguf.text(key));
      }
    }
    for (String name : gguf.has(GGUF_NAMES) ? gguf.texts(GGUF_NAMES) : List.<String>of()) {
      if (!others.containsKey(name)) {
        throw gguf.wrong(GGUF_KEY + "." + name, "there, as " + GGUF_NAMES + " names it");
      }
    }
    if (!gguf.has(GGUF_KEY) && !others.isEmpty()) {
      throw gguf.wrong(GGUF_KEY, "there: the templates called " + others.keySet() + " are");
    }
    return gguf.has(GGUF_KEY)
        ? Optional.of(new ModelTemplates(gguf.text(GGUF_KEY), others, Map.of()))
        : Optional.empty();
  }

  /** The templates that are files of their own, by name. */
  private static Map<String, String> files(Path model) throws IOException {
    Map<String, String> templates = new TreeMap<>();
    Path jinja = model.resolve("chat_template" + ENDING);
    if (Files.isRegularFile(jinja)) {
      templates.put(DEFAULT, text(jinja));
    }
    Path folder = model.resolve(FOLDER);
    if (Files.isDirectory(folder)) {
      try (DirectoryStream<Path> found = Files.newDirectoryStream(folder, "*" + ENDING)) {
        for (Path file : found) {
          String name = file.getFileName().toString();
          templates.put(name.substring(0, name.length() - ENDING.length()), text(file));
        }
      }
    }
    return templates;
  }

  private static String text(Path jinja) throws IOException {
    try {
      return Files.readString(jinja);
    } catch (CharacterCodingException e) {
      throw new ModelFileException(jinja, "it is not UTF-8: save it as UTF-8");
    }
  }

  /**
   * A chat template of a model.
   *
   * @param tokenizer the model's
   * @param name of a preset; empty takes the model's own
   * @param inputs what the model's own is told beside the dialogue; presets take no arguments, and
   *     write no date
   * @throws IllegalArgumentException where there is no such preset, or the model has no template or
   *     one that cannot be run
   */
  public static ChatTemplate choose(
      ModelFiles model, Tokenizer tokenizer, String name, TemplateInputs inputs)
      throws IOException {
    SpecialTokens special = model.specialTokens();
    if (!name.isEmpty()) {
      if (inputs.hasArguments()) {
        throw new IllegalArgumentException(
            "The template " + name + " takes no arguments: leave --template-args out");
      }
      String eos = special.stop().isEmpty() ? "</s>" : tokenizer.token(special.stop().get(0));
      return ChatTemplate.named(name, eos);
    }
    ModelTemplates own =
        read(model)
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "The model brings no chat template; name one of "
                            + String.join(", ", ChatTemplate.names())));
    return ChatTemplate.of(own, tokenizer, special, inputs);
  }

  /** Whether the template for dialogues asks for today's date. */
  public boolean writesDate() {
    return jinja.contains("strftime_now");
  }

  private static void named(ModelJson json, Map<String, String> templates)
      throws ModelFileException {
    JsonNode value = json.node().path("chat_template");
    if (value.isTextual()) {
      templates.put(DEFAULT, value.textValue());
    } else if (value.isArray()) {
      for (JsonNode template : value) {
        if (!template.path("name").isTextual() || !template.path("template").isTextual()) {
          throw json.wrong("chat_template", "a text, or a list of name and template");
        }
        templates.put(template.get("name").textValue(), template.get("template").textValue());
      }
      if (!templates.containsKey(DEFAULT)) {
        throw json.wrong("chat_template", "one that is called default among its names");
      }
    } else if (!value.isMissingNode() && !value.isNull()) {
      throw json.wrong("chat_template", "a text, or a list of name and template");
    }
  }

  /** What a template sees under the names of special tokens. */
  Map<String, String> names(Tokenizer tokenizer, SpecialTokens special) {
    Map<String, String> names = new HashMap<>();
    if (special.bos().isPresent() && tokenizer.has(special.bos().getAsInt())) {
      names.put("bos_token", tokenizer.token(special.bos().getAsInt()));
    }
    special.stop().stream()
        .filter(tokenizer::has)
        .findFirst()
        .ifPresent(id -> names.put("eos_token", tokenizer.token(id)));
    names.putAll(spellings);
    return names;
  }
}
