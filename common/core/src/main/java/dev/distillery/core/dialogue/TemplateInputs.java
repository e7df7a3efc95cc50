package dev.distillery.core.dialogue;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.Serializable;
import java.time.LocalDate;
import java.time.format.DateTimeParseException;
import java.util.Optional;
import java.util.Set;

/**
 * What a chat template is told beside the dialogue. Small and serialisable: it travels to
 * executors.
 *
 * @param date what a template that writes a date takes for today, as 2026-11-29; empty: it finds no
 *     date
 * @param arguments JSON object of further names and their values; {@code {}} for none
 */
public record TemplateInputs(String date, String arguments) implements Serializable {
  /** Names that a template gets from the dialogue and the model. */
  private static final Set<String> TAKEN =
      Set.of(
          "messages",
          "tools",
          "documents",
          "add_generation_prompt",
          "bos_token",
          "eos_token",
          "strftime_now",
          "raise_exception");

  private static final ObjectMapper JSON =
      new ObjectMapper()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);

  /** Nothing. */
  public static final TemplateInputs NONE = new TemplateInputs("", "{}");

  /**
   * @throws IllegalArgumentException where either is of another form; see {@link #objection}
   */
  public TemplateInputs {
    objection(date, arguments)
        .ifPresent(
            why -> {
              throw new IllegalArgumentException(why);
            });
  }

  /** The same on a date. */
  public TemplateInputs on(String day) {
    return new TemplateInputs(day, arguments);
  }

  /** What a template takes for today. */
  public Optional<LocalDate> day() {
    return date.isEmpty() ? Optional.empty() : Optional.of(LocalDate.parse(date));
  }

  /** Whether there are further names. */
  public boolean hasArguments() {
    return !object(arguments).orElseThrow().isEmpty();
  }

  /** The further names and their values. */
  public ObjectNode names() {
    return object(arguments).orElseThrow();
  }

  /** What is wrong with a date or with arguments, in the words of the options that give them. */
  public static Optional<String> objection(String date, String arguments) {
    try {
      if (!date.isEmpty()) {
        var unused = LocalDate.parse(date);
      }
    } catch (DateTimeParseException e) {
      return Optional.of(
          "Option --template-date: expected a day such as 2026-11-29, found '" + date + "'");
    }
    Optional<ObjectNode> object = object(arguments);
    if (object.isEmpty()) {
      return Optional.of(
          "Option --template-args: expected a JSON object, found '" + arguments + "'");
    }
    for (var field : object.get().properties()) {
      if (TAKEN.contains(field.getKey())) {
        return Optional.of(
            "Option --template-args: a template gets "
                + field.getKey()
                + " from the dialogue and the model: leave it out");
      }
    }
    return Optional.empty();
  }

  private static Optional<ObjectNode> object(String json) {
    try {
      JsonNode node = JSON.readTree(json);
      return node instanceof ObjectNode object ? Optional.of(object) : Optional.empty();
    } catch (JsonProcessingException e) {
      return Optional.empty();
    }
  }
}
