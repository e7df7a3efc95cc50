package dev.distillery.training.student;

import dev.distillery.core.dialogue.TemplateOptions;
import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.Required;
import dev.distillery.core.run.WithBuilder;
import dev.distillery.model.sample.EngineSettings;
import dev.distillery.model.sample.Student;
import dev.distillery.model.sample.StudentEngine;
import dev.distillery.training.tokens.AdapterTokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.util.Optional;
import picocli.CommandLine.Option;

/**
 * A student that is asked, and in which form. Its test is {@code ServeOptionsTest}.
 *
 * @param model a model's directory or file
 * @param contextLength tokens of a prompt and its answer together
 * @param chatTemplate chat template of dialogues; by default the model's own
 * @param template what a chat template is told beside the dialogue
 * @param threads that compute
 */
@WithBuilder
public record AskedOptions(
    @Required("name a directory or a file")
        @Option(
            names = "--model",
            paramLabel = "PATH",
            description = "Hugging Face directory or GGUF file.")
        String model,
    @Bounds(atLeast = 1)
        @Option(
            names = "--context-length",
            paramLabel = "N",
            description =
                "Tokens of a prompt and its answer together. Default: the model's, up to 4096.")
        Optional<Integer> contextLength,
    @Option(
            names = "--chat-template",
            paramLabel = "NAME",
            description = "Chat template of dialogues. Default: the model's own.")
        Optional<String> chatTemplate,
    TemplateOptions template,
    @Bounds(atLeast = 1)
        @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Threads that compute. Default: one a processor.")
        Optional<Integer> threads) {
  /** Named setters over the declared defaults. */
  public static AskedOptionsBuilder builder() {
    return AskedOptionsBuilder.builder(OptionsBinder.defaults(AskedOptions.class));
  }

  /**
   * Settings of one of several students that are asked by people, each of which has room for the
   * whole context from the start.
   *
   * @param day of the run
   * @param concurrency answers that are written at the same time
   * @param timeout of an answer
   * @param students that share this machine's memory
   * @param promptTokens as {@link EngineSettings} has them
   */
  public EngineSettings settings(
      LocalDate day, int concurrency, Duration timeout, int students, int promptTokens) {
    return new EngineSettings(
        contextLength.orElse(0),
        concurrency,
        chatTemplate.orElse(""),
        template.on(day),
        timeout,
        students * StudentEngine.MEMORY_SHARE,
        promptTokens,
        true);
  }

  /**
   * Opens a student and reads its weights.
   *
   * @param option that names it, for messages
   * @param from its directory or file
   * @param adapter that is merged into it as it is read: all its matrices lie in memory then, in
   *     float32
   * @throws JobException where it cannot be read, or the adapter has other tokens or another chat
   *     template than what it stands on
   */
  public StudentEngine open(
      String option, Path from, Optional<Path> adapter, EngineSettings settings) {
    try {
      if (adapter.isPresent()) {
        AdapterTokenizer.check(adapter.get(), from, settings.chatTemplate());
      }
      var engine = new StudentEngine(Student.open(from, adapter, threads.orElse(0)), settings);
      try {
        engine.load();
        return engine;
      } catch (IOException | RuntimeException e) {
        engine.close();
        throw e;
      }
    } catch (IOException | IllegalArgumentException e) {
      throw JobException.invalid("Option " + option + ": " + e.getMessage());
    }
  }
}
