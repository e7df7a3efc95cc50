package dev.distillery.jobs.judge;

import dev.distillery.core.dialogue.Message;
import dev.distillery.core.dialogue.MessageJson;
import dev.distillery.core.prompt.PromptTemplate;
import dev.distillery.core.run.JobException;
import java.io.IOException;
import java.io.InputStream;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What the judge is shown: a text with places for the prompt and the answers, which are put in as
 * they are.
 */
record JudgePrompt(PromptTemplate template) implements Serializable {
  private static final String CRITERION = "criterion";
  private static final String AS_A_WHOLE =
      "the answer as a whole, that is whether it does what was asked, is right, clear and complete";

  /**
   * The packaged prompt of a form, or one's own.
   *
   * @param own text of a file of one's own
   * @throws JobException where one's own cannot be used; names every problem
   */
  static JudgePrompt of(JudgeOptions options, Optional<String> own) {
    if (own.isEmpty()) {
      return new JudgePrompt(new PromptTemplate(packaged(options.form())));
    }
    var template = new PromptTemplate(own.get());
    List<String> places = new ArrayList<>(options.form().places());
    if (!options.criteria().isEmpty() || template.text().contains("{{" + CRITERION + "}}")) {
      places.add(CRITERION);
    }
    List<String> problems = new ArrayList<>(template.problems(places));
    if (!template.text().contains("[[")) {
      problems.add("asks for no verdict; say that it is written " + options.form().wanted());
    }
    if (!problems.isEmpty()) {
      throw JobException.invalid(
          problems.stream()
              .map(
                  problem ->
                      "Option --judge-prompt: " + options.judgePrompt().get() + ": " + problem)
              .toList());
    }
    return new JudgePrompt(template);
  }

  private static String packaged(JudgeForm form) {
    String resource = "/judge/" + form.file();
    try (InputStream in = JudgePrompt.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IllegalStateException("The jar lacks the resource " + resource);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The prompt that shows two answers. */
  String comparing(String prompt, String first, String second, @Nullable String criterion) {
    return template.fill(
        Map.of(
            "prompt",
            readable(prompt),
            "first",
            first,
            "second",
            second,
            CRITERION,
            criterion == null ? AS_A_WHOLE : criterion));
  }

  /** The prompt that shows one answer. */
  String grading(String prompt, String answer, @Nullable String criterion) {
    return template.fill(
        Map.of(
            "prompt",
            readable(prompt),
            "answer",
            answer,
            CRITERION,
            criterion == null ? AS_A_WHOLE : criterion));
  }

  /**
   * A single question as it is; of a dialogue every turn under its role, with the calls it makes.
   */
  static String readable(String prompt) {
    List<Message> turns =
        MessageJson.dialogue(prompt).orElseGet(() -> List.of(new Message("user", prompt)));
    return turns.size() == 1
        ? turns.get(0).content()
        : turns.stream()
            .map(
                turn ->
                    turn.role().toUpperCase(Locale.ROOT)
                        + ":\n"
                        + turn.content()
                        + turn.toolCalls().orElse(""))
            .collect(Collectors.joining("\n\n"));
  }
}
