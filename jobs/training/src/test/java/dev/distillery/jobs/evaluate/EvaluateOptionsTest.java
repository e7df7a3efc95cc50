package dev.distillery.jobs.evaluate;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.distillery.core.dialogue.TemplateOptions;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.OptionsKit;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.teacher.TeacherAccessOptions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class EvaluateOptionsTest {
  @Test
  void everyOptionHasItsDefaultAndArrives() {
    OptionsKit.of(
            EvaluateOptions.class,
            RunOptions.class,
            TeacherAccessOptions.class,
            TemplateOptions.class)
        .defaults(
            """
            model (none)
            teacher student
            tasks (required)
            task-input (none)
            task-examples (none)
            num-fewshot (none)
            limit (none)
            apply-chat-template false
            fewshot-as-multiturn false
            template (none)
            samples 1
            temperature (none)
            repeats 1
            output (none)
            """)
        .arrive(
            """
            model m
            teacher openai
            tasks t
            task-input t=a.jsonl
            task-examples t=b.jsonl
            num-fewshot 2
            limit 3
            apply-chat-template true
            fewshot-as-multiturn true
            template chatml
            samples 4
            temperature 0.5
            repeats 3
            output p.html
            """);
  }

  private static void assertRefused(String message, Map<String, String> given) {
    var values = new HashMap<String, List<String>>();
    values.put("tasks", List.of("arithmetic-2da"));
    given.forEach((name, value) -> values.put(name, List.of(value)));
    assertThatThrownBy(() -> OptionsBinder.of(EvaluateOptions.class).bind(values))
        .isInstanceOf(JobException.class)
        .hasMessageContaining(message);
  }

  @Test
  void whatHasNoEffectWithAModelIsRefused() {
    assertRefused("Option --model is required: name a Hugging Face directory", Map.of());
    assertRefused("Option --model is required", Map.of("teacher", "openai"));
    assertRefused(
        "Option --api has no effect with --teacher student",
        Map.of("model", "m", "api", "completions"));
    assertRefused(
        "Option --apply-chat-template has no effect with --teacher openai",
        Map.of("model", "m", "teacher", "openai", "apply-chat-template", "true"));
    assertRefused(
        "Option --fewshot-as-multiturn has no effect with --api completions",
        Map.of(
            "model",
            "m",
            "teacher",
            "openai",
            "api",
            "completions",
            "fewshot-as-multiturn",
            "true"));
    assertRefused(
        "Option --fewshot-as-multiturn has no effect in plain text",
        Map.of("model", "m", "fewshot-as-multiturn", "true"));
    assertRefused(
        "'n' would make a request cost more than is accounted for; use --samples",
        Map.of("model", "m", "teacher", "openai", "extra-body", "{\"n\":2}"));
    assertRefused(
        "'max_tokens' would make a request cost more than is accounted for; use the task's"
            + " max_new_tokens",
        Map.of("model", "m", "teacher", "openai", "extra-body", "{\"max_tokens\":2}"));
    assertRefused(
        "Option --temperature: expected more than 0 with several --samples",
        Map.of("model", "m", "samples", "2", "temperature", "0"));
  }
}
