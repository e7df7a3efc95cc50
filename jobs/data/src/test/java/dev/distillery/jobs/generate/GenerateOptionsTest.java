package dev.distillery.jobs.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.distillery.core.run.OptionsBinder;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class GenerateOptionsTest {
  private final OptionsBinder<GenerateOptions> binder = OptionsBinder.of(GenerateOptions.class);

  @Test
  void defaultsAreThese() {
    assertThat(binder.effective(binder.bind(Map.of())))
        .containsExactlyInAnyOrderEntriesOf(
            Map.ofEntries(
                Map.entry("warehouse", "warehouse"),
                Map.entry("random-seed", "42"),
                Map.entry("dry-run", "false"),
                Map.entry("teacher", "gguf"),
                Map.entry("base-url", "https://api.openai.com/v1"),
                Map.entry("api", "chat"),
                Map.entry("api-key-env", "OPENAI_API_KEY"),
                Map.entry("concurrency", "16"),
                Map.entry("extra-body", "{}"),
                Map.entry("request-timeout", "600s"),
                Map.entry("max-attempts", "6"),
                Map.entry("max-wait", "3600s"),
                Map.entry("max-failure-ratio", "0.1"),
                Map.entry("recipe", "self-instruct"),
                Map.entry("num-instructions", "100"),
                Map.entry("requests-per-round", "64"),
                Map.entry("max-idle-rounds", "3"),
                Map.entry("rouge-threshold", "0.7"),
                Map.entry("tokenizer", "rouge"),
                Map.entry("strict-parity", "false"),
                Map.entry("output-license", "NOASSERTION")));
  }

  @Test
  void everyOptionArrives() {
    Map<String, String> others =
        Map.ofEntries(
            Map.entry("warehouse", "/w"),
            Map.entry("run-id", "r1"),
            Map.entry("config", "c.yaml"),
            Map.entry("random-seed", "7"),
            Map.entry("dry-run", "true"),
            Map.entry("use", "commercial"),
            Map.entry("teacher", "openai"),
            Map.entry("model", "m"),
            Map.entry("base-url", "http://localhost:1/v1"),
            Map.entry("api", "completions"),
            Map.entry("api-key-env", "KEY"),
            Map.entry("api-key-file", "key"),
            Map.entry("concurrency", "3"),
            Map.entry("requests-per-minute", "60"),
            Map.entry("tokens-per-minute", "1000"),
            Map.entry("max-cost-usd", "1.50"),
            Map.entry("prices", "p.yaml"),
            Map.entry("max-requests", "9"),
            Map.entry("max-total-tokens", "99"),
            Map.entry("max-new-tokens", "17"),
            Map.entry("extra-body", "{\"a\":1}"),
            Map.entry("request-timeout", "5s"),
            Map.entry("max-attempts", "2"),
            Map.entry("max-wait", "30s"),
            Map.entry("max-failure-ratio", "0.5"),
            Map.entry("recipe", "alpaca"),
            Map.entry("seed-tasks", "s.jsonl"),
            Map.entry("prompt-templates", "t"),
            Map.entry("num-instructions", "5"),
            Map.entry("requests-per-round", "6"),
            Map.entry("max-idle-rounds", "7"),
            Map.entry("temperature", "0.3"),
            Map.entry("top-p", "0.4"),
            Map.entry("rouge-threshold", "0.6"),
            Map.entry("tokenizer", "unicode"),
            Map.entry("strict-parity", "true"),
            Map.entry("output-license", "MIT"));
    // A chat template is a student's, which is not on this class path.
    assertThat(binder.names())
        .containsAll(others.keySet())
        .hasSize(others.size() + 1)
        .contains("chat-template");
    var given = new HashMap<String, List<String>>();
    others.forEach((name, value) -> given.put(name, List.of(value)));
    assertThat(binder.effective(binder.bind(given))).isEqualTo(others);
  }

  @Test
  void limitsAndKeysDecideNothing() {
    assertThat(binder.decisive(binder.bind(Map.of())).keySet())
        .doesNotContain("concurrency", "max-requests", "api-key-env", "dry-run", "request-timeout")
        .contains("requests-per-round", "random-seed", "recipe", "num-instructions");
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
