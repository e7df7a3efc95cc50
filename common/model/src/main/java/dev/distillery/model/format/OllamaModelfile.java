package dev.distillery.model.format;

import java.util.List;
import java.util.Optional;

/**
 * The text of a Modelfile, by which Ollama makes a model of GGUF files ({@code ollama create NAME
 * -f Modelfile}). The chat template is the GGUF file's own.
 */
public final class OllamaModelfile {
  private OllamaModelfile() {}

  /**
   * A Modelfile.
   *
   * @param base the model's GGUF file, absolute or relative to the Modelfile
   * @param adapter an adapter's GGUF file, where one is laid over the base
   * @param stop texts that end a reply
   * @throws IllegalArgumentException if a name or a text spans lines, which the form cannot hold
   */
  public static String text(String base, Optional<String> adapter, List<String> stop) {
    StringBuilder text = new StringBuilder();
    text.append("FROM ").append(line(base)).append('\n');
    adapter.ifPresent(a -> text.append("ADAPTER ").append(line(a)).append('\n'));
    for (String s : stop) {
      text.append("PARAMETER stop \"").append(line(s).replace("\"", "\\\"")).append("\"\n");
    }
    return text.toString();
  }

  private static String line(String value) {
    if (value.isEmpty() || value.contains("\n") || value.contains("\r")) {
      throw new IllegalArgumentException(
          "A Modelfile cannot hold an empty text or one of several lines: '" + value + "'");
    }
    return value;
  }
}
