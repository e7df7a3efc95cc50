package dev.distillery.jobs.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.OptionsKit;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.teacher.TeacherOptions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class GenerateOptionsTest {
  private final OptionsBinder<GenerateOptions> binder = OptionsBinder.of(GenerateOptions.class);

  @Test
  void everyOptionHasItsDefaultAndArrives() {
    OptionsKit.of(GenerateOptions.class, RunOptions.class, TeacherOptions.class)
        .defaults(
            """
            recipe self-instruct
            seed-tasks (none)
            prompt-templates (none)
            num-instructions 100
            requests-per-round 64
            max-idle-rounds 3
            temperature (none)
            top-p (none)
            rouge-threshold 0.7
            tokenizer rouge
            strict-parity false
            output-license NOASSERTION
            reuse-completions (none)
            """)
        .arrive(
            """
            recipe alpaca
            seed-tasks s.jsonl
            prompt-templates t
            num-instructions 5
            requests-per-round 6
            max-idle-rounds 7
            temperature 0.3
            top-p 0.4
            rouge-threshold 0.6
            tokenizer unicode
            strict-parity true
            output-license MIT
            reuse-completions completions@a
            """);
  }

  @Test
  void limitsAndKeysDecideNothing() {
    assertThat(binder.decisive(binder.bind(Map.of())).keySet())
        .doesNotContain("concurrency", "max-requests", "api-key-env", "dry-run", "request-timeout")
        .contains("requests-per-round", "random-seed", "recipe");
  }

  @Test
  void aServersAddressHoldsNoSecret() {
    assertThatThrownBy(
            () ->
                binder.bind(
                    Map.of(
                        "teacher", List.of("openai"),
                        "model", List.of("m"),
                        "extra-body", List.of("[1]"),
                        "base-url", List.of("https://user:hush@host/v1"))))
        .hasMessageContaining("Option --base-url: expected http://host/path")
        .hasMessageContaining("Option --extra-body: expected a JSON object, found '[1]'")
        .hasMessageNotContaining("hush");
    assertThatThrownBy(() -> binder.bind(Map.of("teacher", List.of("ggf"))))
        .hasMessageContaining("found 'ggf'; did you mean gguf?");
  }

  @Test
  void everyViolationIsListedAtOnce() {
    assertThatThrownBy(
            () ->
                binder.bind(
                    Map.of(
                        "teacher", List.of("openai"),
                        "run-id", List.of("1:2"),
                        "num-instructions", List.of("0"),
                        "rouge-threshold", List.of("1.5"),
                        "top-p", List.of("0"),
                        "max-failure-ratio", List.of("2"))))
        .hasMessageContaining("6 problems")
        .hasMessageContaining("Option --model is required with --teacher openai")
        .hasMessageContaining("Option --run-id: expected what matches")
        .hasMessageContaining("Option --num-instructions: expected 1 or more, found 0")
        .hasMessageContaining("Option --rouge-threshold: expected 0 to 1, found 1.5")
        .hasMessageContaining("Option --top-p")
        .hasMessageContaining("Option --max-failure-ratio");
  }
}
