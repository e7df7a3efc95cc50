package dev.distillery.core.teacher;

import dev.distillery.core.dialogue.TemplateInputs;
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
 * @param threads of a file that is run in this JVM; 0 for one a processor. An executor that shares
 *     its host with others sets its share: threads that wait for each other spin
 * @param chatTemplate name of the chat template that a student is asked in; empty for the model's
 *     own
 * @param templateInputs what a student's own template is told beside the dialogue
 */
public record TeacherSettings(
    String kind,
    String model,
    String baseUrl,
    String api,
    Duration requestTimeout,
    int concurrency,
    int contextLength,
    int threads,
    String chatTemplate,
    TemplateInputs templateInputs)
    implements Serializable {

  /** Settings with the kind's defaults for what is run in this JVM. */
  public TeacherSettings(
      String kind,
      String model,
      String baseUrl,
      String api,
      Duration requestTimeout,
      int concurrency) {
    this(kind, model, baseUrl, api, requestTimeout, concurrency, 0, 0, "", TemplateInputs.NONE);
  }

  /** The same by another name or path. */
  public TeacherSettings withModel(String other) {
    return new TeacherSettings(
        kind,
        other,
        baseUrl,
        api,
        requestTimeout,
        concurrency,
        contextLength,
        threads,
        chatTemplate,
        templateInputs);
  }

  /** The same at another address. */
  public TeacherSettings withBaseUrl(String other) {
    return new TeacherSettings(
        kind,
        model,
        other,
        api,
        requestTimeout,
        concurrency,
        contextLength,
        threads,
        chatTemplate,
        templateInputs);
  }

  /** The same with another context length. */
  public TeacherSettings withContextLength(int tokens) {
    return new TeacherSettings(
        kind,
        model,
        baseUrl,
        api,
        requestTimeout,
        concurrency,
        tokens,
        threads,
        chatTemplate,
        templateInputs);
  }

  /** The same with another number of threads. */
  public TeacherSettings withThreads(int number) {
    return new TeacherSettings(
        kind,
        model,
        baseUrl,
        api,
        requestTimeout,
        concurrency,
        contextLength,
        number,
        chatTemplate,
        templateInputs);
  }

  /** The same with another chat template. */
  public TeacherSettings withChatTemplate(String name) {
    return new TeacherSettings(
        kind,
        model,
        baseUrl,
        api,
        requestTimeout,
        concurrency,
        contextLength,
        threads,
        name,
        templateInputs);
  }

  /** The same with what a student's own template is told beside the dialogue. */
  public TeacherSettings withTemplateInputs(TemplateInputs inputs) {
    return new TeacherSettings(
        kind,
        model,
        baseUrl,
        api,
        requestTimeout,
        concurrency,
        contextLength,
        threads,
        chatTemplate,
        inputs);
  }

  /** The base URL, where the kind has one. */
  public Optional<String> server() {
    return baseUrl.isEmpty() ? Optional.empty() : Optional.of(baseUrl);
  }
}
