package dev.distillery.jobs.sft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.teacher.testing.FetchedModel;
import dev.distillery.model.format.ArrayWeights;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.format.ModelWriter;
import dev.distillery.model.format.TensorType;
import dev.distillery.model.format.WeightSource;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.Ids;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.Tensor;
import dev.distillery.model.sample.Student;
import dev.distillery.model.tokenizer.Tokenizer;
import dev.distillery.model.tokenizer.Tokenizers;
import dev.distillery.spark.testing.LocalSpark;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

  /** The lines of a run's progress. */
  private String said(Map<String, Object> given) {
    List<String> lines = new ArrayList<>();
    var unused =
        new SftJob().run(LocalSpark.session(), options(given), update -> lines.add(update.line()));
    return String.join("\n", lines);
  }

  private SftOptions options(Map<String, Object> given) {
    var values = new HashMap<String, List<String>>();
    values.put("model", List.of(model.toString()));
    values.put("input", List.of(rows.toString()));
    values.put("warehouse", List.of(temp.resolve("warehouse").toString()));
    values.put("output-dir", List.of(temp.resolve("out").toString()));
    given.forEach((name, value) -> values.put(name, List.of(value.toString())));
    return OptionsBinder.of(SftOptions.class).bind(values);
  }

  /** What the run prints, its tokens put together again. */
  private String run(Map<String, Object> given) {
    SftOptions options = options(given);
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

  /** Both marks' rows are zero in embedding and head: of a frozen one they never are likelier. */
  @Test
  void marksThatNobodyTrainedAreLearntBesideTheAdapter() throws IOException {
    Path untrained = withoutMarks();
    Map<String, Object> given =
        new HashMap<>(
            Map.of("model", untrained, "trainable", "lora", "template", "chatml", "run-id", "a"));
    given.put("dry-run", true);
    assertThat(said(given))
        .contains("needs [<|im_start|>, <|im_end|>]", "never trained", "--train-tokens auto");
    given.put("train-tokens", "auto");
    assertThat(said(given))
        .contains("the rows of 2 tokens (<|im_start|>, <|im_end|>) of model.embed_tokens")
        .doesNotContain("never trained");
    given.put("dry-run", false);
    given.put("max-steps", 40);
    given.put("learning-rate", 0.05);
    run(given);
    assertThat(rates(untrained, Optional.empty())).isLessThan(-3);
    assertThat(rates(untrained, Optional.of(temp.resolve("out")))).isGreaterThan(-0.5);
    given.put("run-id", "b");
    given.put("model", model);
    given.put("dry-run", true);
    assertThat(said(given)).contains("auto adds none");
  }

  /** A copy of the model whose marks' rows are zero. */
  private Path withoutMarks() throws IOException {
    Path copy = Files.createDirectory(temp.resolve("untrained"));
    try (ModelFiles files = ModelFiles.open(model)) {
      Tokenizer tokenizer = Tokenizers.of(files);
      int width = files.config().hiddenSize();
      ArrayWeights weights = new ArrayWeights();
      for (WeightSource.Weight weight : files.weights().weights().values()) {
        float[] values = files.weights().read(weight.spec().name());
        if (weight.spec().rows() == files.config().vocabSize()) {
          for (String mark : List.of("<|im_start|>", "<|im_end|>")) {
            int from = tokenizer.id(mark).getAsInt() * width;
            Arrays.fill(values, from, from + width, 0);
          }
        }
        weights.put(weight.spec(), values);
      }
      ModelWriter.write(copy, files.config(), files.specialTokens(), weights, TensorType.F32);
      for (String name : List.of("tokenizer.json", "tokenizer_config.json")) {
        Files.copy(model.resolve(name), copy.resolve(name));
      }
    }
    return copy;
  }

  /** The log-probability that the row's answer ends where it does. */
  private static double rates(Path model, Optional<Path> adapter) throws IOException {
    try (Student student = Student.open(model, adapter, 1)) {
      Decoder decoder = student.decoder();
      int end = student.tokenizer().id("<|im_end|>").getAsInt();
      int[] ids =
          student.tokenizer().encode("<|im_start|>user\none<|im_end|>\n<|im_start|>assistant\nuno");
      Kernels kernels = decoder.kernels();
      Tensor logits = kernels.tensor(ids.length, student.config().vocabSize());
      Tensor scores = kernels.tensor(1, Kernels.SCORE_COLUMNS);
      try (var cache = decoder.cache(1, ids.length);
          Ids target = kernels.ids(new int[] {end})) {
        Tensor hidden = decoder.extend(cache, new int[] {0}, new int[][] {ids}, decoder.pack());
        decoder.logits(logits, hidden, decoder.pack());
        kernels.logProbs(scores, logits.rows(ids.length - 1, 1), target);
        return scores.toArray()[0];
      } finally {
        logits.memory().close();
        scores.memory().close();
      }
    }
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
