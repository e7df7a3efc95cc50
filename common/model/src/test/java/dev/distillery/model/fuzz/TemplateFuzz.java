package dev.distillery.model.fuzz;

import dev.distillery.model.template.JinjaTemplate;
import dev.distillery.model.template.TemplateException;
import java.nio.charset.StandardCharsets;
import java.time.LocalDateTime;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A chat template: a text, or an error of its own. */
public final class TemplateFuzz {
  private static final Object MESSAGES =
      List.of(
          Map.of("role", "system", "content", "Be brief."),
          Map.of("role", "user", "content", " Two?\n"),
          Map.of("role", "assistant", "content", "2"));

  private TemplateFuzz() {}

  /** One input. */
  public static void fuzzerTestOneInput(byte[] data) {
    try {
      JinjaTemplate.parse(new String(data, StandardCharsets.UTF_8))
          .render(
              Map.of(
                  "messages",
                  JinjaTemplate.value(MESSAGES, 1),
                  "bos_token",
                  JinjaTemplate.value("<s>", 0),
                  "add_generation_prompt",
                  JinjaTemplate.value(true, 0)),
              Optional.of(LocalDateTime.of(2026, 3, 7, 15, 4, 5)))
          .value();
    } catch (TemplateException e) {
      if (String.valueOf(e.getMessage()).isEmpty()) {
        throw e;
      }
    }
  }
}
