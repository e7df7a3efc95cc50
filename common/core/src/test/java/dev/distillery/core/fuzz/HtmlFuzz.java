package dev.distillery.core.fuzz;

import dev.distillery.core.text.HtmlToMarkdown;
import java.nio.charset.StandardCharsets;

/** A page: Markdown, or the one refusal of a page that is nested too deeply. */
public final class HtmlFuzz {
  private HtmlFuzz() {}

  /** One input. */
  public static void fuzzerTestOneInput(byte[] data) {
    try {
      HtmlToMarkdown.convert(new String(data, StandardCharsets.UTF_8));
    } catch (IllegalArgumentException e) {
      if (!String.valueOf(e.getMessage()).contains("nested too deeply")) {
        throw e;
      }
    }
  }
}
