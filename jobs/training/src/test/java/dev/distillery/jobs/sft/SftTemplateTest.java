package dev.distillery.jobs.sft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.teacher.testing.FetchedModel;
import dev.distillery.spark.testing.LocalSpark;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a model's own template is told beside the dialogue: a day, and arguments. */
class SftTemplateTest {
  private static final Path MODEL =
      FetchedModel.root().resolve("common/model/src/test/resources/golden/student");

  private static final String DATED =
      """
      {% for m in messages %}<|im_start|>{{ m.role }}
      {% if m.role == 'user' %}{{ strftime_now('%Y-%m-%d') }}{{ mood | default('') }} {% endif %}\
      {{ m.content }}<|im_end|>
      {% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
      {% endif %}\
      """;

  private static final Pattern SPELLING = Pattern.compile("(?m)^ *\\d+ +\\d+ '(.*?)' *\\*? *$");

  @TempDir Path temp;

  private Path rows;
  private Path model;

  @BeforeEach
  void writeModel() throws IOException {
    rows =
        Files.writeString(
            temp.resolve("rows.jsonl"),
            """
            {"messages": [{"role": "user", "content": "one"}, {"role": "assistant", "content": "uno"}]}
            """);
    model = Files.createDirectory(temp.resolve("model"));
    try (var files = Files.list(MODEL)) {
      for (Path file : files.toList()) {
        Files.copy(file, model.resolve(file.getFileName().toString()));
      }
    }
    Files.writeString(model.resolve("chat_template.jinja"), DATED);
  }

  /** What the run prints, its tokens put together again. */
  private String run(Map<String, Object> given) {
    var values = new HashMap<String, List<String>>();
    values.put("model", List.of(model.toString()));
    values.put("input", List.of(rows.toString()));
    values.put("warehouse", List.of(temp.resolve("warehouse").toString()));
    values.put("output-dir", List.of(temp.resolve("out").toString()));
    given.forEach((name, value) -> values.put(name, List.of(value.toString())));
    SftOptions options = OptionsBinder.of(SftOptions.class).bind(values);
    PrintStream before = System.out;
    var printed = new ByteArrayOutputStream();
    try {
      System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
      var unused = new SftJob().run(LocalSpark.session(), options);
    } finally {
      System.setOut(before);
    }
    return SPELLING
        .matcher(printed.toString(StandardCharsets.UTF_8))
        .results()
        .map(found -> found.group(1))
        .collect(Collectors.joining());
  }

  @Test
  void aResumedRunWritesTheDayThatItBegan() throws IOException {
    String today = LocalDate.now(ZoneOffset.UTC).toString();
    run(Map.of("run-id", "a", "max-steps", 1));
    Path record = temp.resolve("warehouse/_runs/a.json");
    String text = Files.readString(record);
    assertThat(text).containsPattern("\"day\" ?: ?\"\\d{4}-\\d\\d-\\d\\d\"");
    Files.writeString(record, text.replaceAll("(\"day\" ?: ?\")[0-9-]*", "$12001-02-03"));

    Map<String, Object> look = Map.of("dry-run", true, "show", 1, "max-steps", 2);
    assertThat(run(with(look, "run-id", "a"))).contains("2001-02-03", "one");
    assertThat(run(with(look, "run-id", "b")).substring(0, 80))
        .as("from " + today + " on")
        .doesNotContain("2001");
    assertThat(run(with(look, "template-date", "1999-12-31"))).contains("1999-12-31");
  }

  /** The day that a run was given is one of its options, which a resumed run must have too. */
  @Test
  void aResumedRunIsNotOfAnotherDayThanItWasGiven() {
    Map<String, Object> given = Map.of("run-id", "a", "max-steps", 1);
    run(with(given, "template-date", "1999-12-31"));
    Map<String, Object> more = Map.of("run-id", "a", "max-steps", 2);
    assertThatThrownBy(() -> run(with(more, "template-date", "1999-12-30")))
        .hasMessageContaining("template-date")
        .hasMessageContaining("1999-12-31");
    assertThatThrownBy(() -> run(more)).hasMessageContaining("template-date");
  }

  @Test
  void namedTemplatesStandInTheResult() throws IOException {
    Path named = Files.createDirectory(model.resolve("additional_chat_templates"));
    Files.writeString(named.resolve("tool_use.jinja"), "{{ tools }}");
    run(Map.of("run-id", "a", "max-steps", 1, "template-date", "1999-12-31"));
    // Once more into the same folder.
    run(Map.of("run-id", "a", "max-steps", 2, "template-date", "1999-12-31"));
    Path result = temp.resolve("out");
    assertThat(result.resolve("chat_template.jinja")).hasContent(DATED);
    try (var files = Files.list(result.resolve("additional_chat_templates"))) {
      assertThat(files.map(file -> file.getFileName().toString()).filter(n -> !n.startsWith(".")))
          .containsExactly("tool_use.jinja");
    }
    assertThat(result.resolve("additional_chat_templates/tool_use.jinja"))
        .hasContent("{{ tools }}");
  }

  @Test
  void argumentsReachTheTemplate() {
    Map<String, Object> look = Map.of("dry-run", true, "show", 1, "template-date", "1999-12-31");

    assertThat(run(with(look, "template-args", "{\"mood\": \"!loud\"}")))
        .contains("1999-12-31!loud");
    assertThat(run(look)).contains("1999-12-31").doesNotContain("loud");
  }

  @Test
  void whatHasNoEffectIsRefused() throws IOException {
    assertThatThrownBy(() -> run(Map.of("template", "chatml", "template-args", "{\"mood\": 1}")))
        .hasMessageContaining("--template-args: the template chatml takes no arguments");
    assertThatThrownBy(() -> run(Map.of("template", "chatml", "template-date", "1999-12-31")))
        .hasMessageContaining("--template-date: the template chatml writes no date");
    Files.writeString(
        model.resolve("chat_template.jinja"), DATED.replace("strftime_now('%Y-%m-%d')", "'then'"));
    assertThatThrownBy(() -> run(Map.of("template-date", "1999-12-31")))
        .hasMessageContaining("--template-date: the model's own template writes no date");
    assertThatThrownBy(() -> run(Map.of("template-args", "{\"mood\": 1")))
        .hasMessageContaining("--template-args: expected a JSON object");
    assertThatThrownBy(() -> run(Map.of("train-on", "label", "template-args", "{\"mood\": 1}")))
        .hasMessageContaining("--template has no effect with --train-on label");
  }

  private static Map<String, Object> with(Map<String, Object> given, String name, String value) {
    var more = new HashMap<>(given);
    more.put(name, value);
    return more;
  }
}
