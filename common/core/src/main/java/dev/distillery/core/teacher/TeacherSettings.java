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
 * @param contextLength most tokens of prompt and reply together, for a file that is run in this
 *     JVM; 0 for the kind's default
 */
public record TeacherSettings(
    String kind,
    String model,
    String baseUrl,
    String api,
    Duration requestTimeout,
    int concurrency,
    int contextLength)
    implements Serializable {

  /** Settings with the kind's default context length. */
  public TeacherSettings(
      String kind,
      String model,
      String baseUrl,
      String api,
      Duration requestTimeout,
      int concurrency) {
    this(kind, model, baseUrl, api, requestTimeout, concurrency, 0);
  }

  /** The base URL, where the kind has one. */
  public Optional<String> server() {
    return baseUrl.isEmpty() ? Optional.empty() : Optional.of(baseUrl);
  }
}
