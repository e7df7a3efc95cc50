package dev.distillery.model.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.core.dialogue.TemplateInputs;
import dev.distillery.model.format.ModelFileException;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.format.ModelJson;
import dev.distillery.model.format.SpecialTokens;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The chat templates that a model brings along, as they came: chat_template.jinja,
 * tokenizer_config.json's {@code chat_template} (a text, or a list of named ones), or GGUF's.
 *
 * @param jinja the one for dialogues: the only one, or that which is called default
 * @param others further ones by name, such as tool_use
 * @param spellings of the tokens that templates name: bos_token, eos_token and the like, as the
 *     tokenizer's own file has them
 */
public record ModelTemplates(
    String jinja, Map<String, String> others, Map<String, String> spellings) {
  private static final String GGUF_KEY = "tokenizer.chat_template";
  private static final String DEFAULT = "default";

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
      return model.gguf().get().has(GGUF_KEY)
          ? Optional.of(new ModelTemplates(model.gguf().get().text(GGUF_KEY), Map.of(), Map.of()))
          : Optional.empty();
    }
    if (!Files.isDirectory(model.path())) {
      return Optional.empty();
    }
    Map<String, String> templates = new LinkedHashMap<>();
    Map<String, String> spellings = new HashMap<>();
    Path config = model.path().resolve("tokenizer_config.json");
    if (Files.isRegularFile(config)) {
      ModelJson json = ModelJson.read(config);
      named(json, templates);
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
    Path jinja = model.path().resolve("chat_template.jinja");
    if (Files.isRegularFile(jinja)) {
      try {
        templates.put(DEFAULT, Files.readString(jinja));
      } catch (CharacterCodingException e) {
        throw new ModelFileException(jinja, "it is not UTF-8: save it as UTF-8");
      }
    }
    String first = templates.remove(DEFAULT);
    return first == null
        ? Optional.empty()
        : Optional.of(new ModelTemplates(first, templates, spellings));
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
