package dev.distillery.core.teacher;

import java.io.Serializable;
import java.time.Duration;
import java.util.Optional;

/**
 * What a teacher needs to open, but for its secret. Plain and serialisable: it travels to
 * executors.
 *
 * @param kind {@code openai}, {@code gguf}, {@code replay} or {@code student}
 * @param model a model's name, or the path of a file
 * @param baseUrl of an OpenAI-compatible server, ending in its version, such as {@code
 *     https://host/v1}
 * @param api {@code chat} or {@code completions}
 * @param requestTimeout longest time of one attempt
 * @param concurrency requests at once in the whole run
 */
public record TeacherSettings(
    String kind, String model, String baseUrl, String api, Duration requestTimeout, int concurrency)
    implements Serializable {

  /** The base URL, where the kind has one. */
  public Optional<String> server() {
    return baseUrl.isEmpty() ? Optional.empty() : Optional.of(baseUrl);
  }
}
