package dev.distillery.jobs.sft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.distillery.core.run.JobException;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.teacher.testing.FetchedModel;
import dev.distillery.model.format.AdapterFiles;
import dev.distillery.model.format.ClassNames;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.nn.Batch;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.FrozenForm;
import dev.distillery.model.nn.KernelSets;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.Parameters;
import dev.distillery.model.nn.Trainable;
import dev.distillery.model.nn.Weights;
import dev.distillery.model.sample.Student;
import dev.distillery.model.tokenizer.Tokenizers;
import dev.distillery.model.train.ClassifierLoss;
import dev.distillery.spark.testing.LocalSpark;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On the tiny model of common/model's golden/student: ChatML, a context of 64. */
class SftJobTest {
  private static final Path MODEL =
      FetchedModel.root().resolve("common/model/src/test/resources/golden/student");

  private static final String ROWS =
      """
      {"messages": [{"role": "user", "content": "one"}, {"role": "assistant", "content": "uno"}]}
      {"messages": [{"role": "user", "content": "two"}, {"role": "assistant", "content": "dos"}]}
      {"messages": [{"role": "user", "content": "three"}]}
      {"messages": [{"role": "user", "content": "four"}, {"role": "assistant", "content": "four four four four four four four four four four four four four four four four four four four"}]}
      """;

  @TempDir Path temp;

  private SftSummary run(Map<String, Object> given) {
    var values = new HashMap<String, List<String>>();
    values.put("model", List.of(MODEL.toString()));
    values.put("warehouse", List.of(temp.resolve("warehouse").toString()));
    values.put("output-dir", List.of(temp.resolve("out").toString()));
    for (var entry : given.entrySet()) {
      List<String> texts = new ArrayList<>();
      if (entry.getValue() instanceof List<?> list) {
        list.forEach(value -> texts.add(value.toString()));
      } else {
        texts.add(entry.getValue().toString());
      }
      values.put(entry.getKey(), texts);
    }
    return new SftJob().run(LocalSpark.session(), OptionsBinder.of(SftOptions.class).bind(values));
  }

  private Path file(String name, String lines) throws IOException {
    return Files.writeString(temp.resolve(name), lines);
  }

  @Test
  void aDryRunCountsAndShowsAndWritesNothing() throws IOException {
    Path rows = file("rows.jsonl", ROWS);
    PrintStream before = System.out;
    var printed = new ByteArrayOutputStream();
    SftSummary summary;
    try {
      System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
      summary = run(Map.of("input", rows, "dry-run", true, "show", 1, "batch-size", 2));
    } finally {
      System.setOut(before);
    }

    assertThat(summary.status()).isEqualTo("dry-run");
    assertThat(summary.rejects()).containsExactly(Map.entry("no_label", 1L));
    assertThat(summary.figures())
        .containsEntry("rows_read", 4L)
        .containsEntry("rows_kept", 3L)
        .containsEntry("rows_cut", 1L)
        .containsEntry("rows_without_stop", 1L)
        .containsEntry("rows_per_epoch", 3L)
        .containsEntry("longest_row", 64)
        .containsEntry("total_tokens", 3 * summary.figures().get("tokens_per_epoch").longValue())
        .containsKeys("hours_here", "fitting_batch_size");
    String text = printed.toString(StandardCharsets.UTF_8);
    assertThat(text)
        .contains("rows.jsonl: weight 1, 4 rows read, 3 kept, 1 cut")
        .contains("rejected {no_label=1}")
        .contains("Row 1: ")
        .containsPattern("'<\\|im_end\\|>' +\\*\\R")
        .doesNotContain("Row 2: ");
    assertThat(temp.resolve("warehouse")).doesNotExist();
    assertThat(temp.resolve("out")).doesNotExist();
  }

  @Test
  void aMixIsPassesOverEachInput() throws IOException {
    Path rows = file("rows.jsonl", ROWS);
    Path tasks =
        file(
            "tasks.jsonl",
            """
            {"instruction": "add", "input": "1 2", "output": "3"}
            {"instruction": "name", "input": "", "output": "x"}
            """);

    SftSummary summary =
        run(Map.of("input", List.of(rows + "=2", tasks + "=0.5"), "dry-run", true));

    assertThat(summary.figures()).containsEntry("rows_per_epoch", 7L);
    assertThat(summary.toJson().get("inputs").get(1).get("rows_per_epoch").asLong()).isEqualTo(1);
  }

  @Test
  void whatCannotBeTrainedOnIsRefusedBeforeTheFirstStep() throws IOException {
    Path rows = file("rows.jsonl", ROWS);
    refused(Map.of("input", rows, "template", "llama3"), "needs <|begin_of_text|>");
    refused(Map.of("input", rows, "template", "none-such"), "No chat template is called none-such");
    refused(Map.of("input", rows, "max-length", 65), "a context of 64 tokens, found 65");
    refused(Map.of("input", rows + "=0"), "expected a weight over 0");
    refused(Map.of("input", rows, "use", "commercial"), "names no license");
    refused(Map.of("input", rows, "show", 2), "--show");
    refused(
        Map.of("input", rows, "packing", "constant-length", "over-length", "cut"),
        "--over-length has no effect");
    refused(Map.of("input", file("empty.jsonl", "")), "empty");
    refused(
        Map.of("input", file("text.jsonl", "{\"text\": \"a\"}\n")),
        "have the columns [text] and are none of conversations, instructions");
    refused(
        Map.of(
            "input",
            file("users.jsonl", "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}]}\n")),
        "nothing is left to learn of its 1 rows");
  }

  @Test
  void theLossFallsAndTheResultIsAModelWithACard() throws IOException {
    Path rows = file("rows.jsonl", ROWS);
    Map<String, Object> given =
        Map.of(
            "input",
            rows,
            "eval-input",
            rows,
            "batch-size",
            3,
            "max-steps",
            25,
            "learning-rate",
            "2e-2",
            "warmup-steps",
            0,
            "packing",
            "isolated",
            "eval-steps",
            5,
            "run-id",
            "first");

    SftSummary summary = run(given);

    assertThat(summary.status()).isEqualTo("done");
    List<Row> losses =
        LocalSpark.session()
            .read()
            .parquet(summary.tables().get("metrics").path())
            .where("name = 'loss'")
            .sort("step")
            .select("value")
            .collectAsList();
    assertThat(losses).hasSize(25);
    assertThat(losses.get(24).getDouble(0)).isLessThan(losses.get(0).getDouble(0) / 2);
    assertThat(summary.tables().get("rejects").rows()).isEqualTo(1);
    Path out = temp.resolve("out");
    try (Student student = Student.open(out, 1)) {
      assertThat(student.chatTemplate("").answerEnd()).isEqualTo("<|im_end|>");
    }
    assertThat(out.resolve("README.md"))
        .content()
        .contains("| rows.jsonl | NOASSERTION | 4 |")
        .contains("## eval_loss")
        .contains("| learning-rate | 0.02 |")
        .contains("## Samples")
        .contains("    uno");
    assertThat(out.resolve("metrics.html")).content().contains("<svg", "eval_loss", "layer_0");
    assertThat(out.resolve("samples/samples-0000000000.jsonl"))
        .as("before training")
        .content()
        .contains("\"expected\":\"uno<|im_end|>\"")
        .doesNotContain("\"answer\":\"uno\"");
    assertThat(out.resolve("samples/samples-0000000025.jsonl"))
        .content()
        .contains("\"answer\":\"uno\"");
    assertThat(run(given).toJson().toString())
        .as("the same id again")
        .isEqualTo(summary.toJson().toString());
  }

  @Test
  void aFinishedRunIsMadeAgainOfOtherRowsOnRequest() throws IOException {
    Path rows = file("rows.jsonl", ROWS);
    Map<String, Object> given =
        new HashMap<>(Map.of("input", rows, "batch-size", 3, "max-steps", 3, "run-id", "first"));
    run(given);
    Files.writeString(rows, ROWS.lines().skip(1).collect(Collectors.joining("\n")));
    assertThatThrownBy(() -> run(given))
        .hasMessageContaining("The run 'first' (done) read other inputs")
        .hasMessageContaining("rows.jsonl had 1 files of ");
    given.put("overwrite", true);
    given.put("max-steps", 2);
    SftSummary replaced = run(given);
    assertThat(
            LocalSpark.session()
                .read()
                .parquet(replaced.tables().get("metrics").path())
                .where("name = 'loss'")
                .count())
        .isEqualTo(2);
    Path out = temp.resolve("out");
    assertThat(out.resolve("checkpoint-3")).doesNotExist();
    assertThat(out.resolve("README.md")).content().contains("| rows.jsonl | NOASSERTION | 3 |");
  }

  @Test
  void aStudentLearnsATeachersProbabilities() throws IOException {
    Path rows = file("rows.jsonl", ROWS);
    run(
        Map.of(
            "input",
            rows,
            "max-steps",
            2,
            "learning-rate",
            "2e-2",
            "output-dir",
            temp.resolve("teacher")));
    Map<String, Object> given = new HashMap<>();
    given.put("input", rows);
    given.put("eval-input", rows);
    given.put("eval-steps", 1);
    given.put("distill", temp.resolve("teacher"));
    given.put("max-steps", 4);
    given.put("batch-size", 3);
    given.put("learning-rate", "5e-3");
    given.put("warmup-steps", 0);

    SftSummary summary = run(given);

    List<Double> losses = values(summary, "loss");
    List<Double> evaluated = values(summary, "eval_loss");
    assertThat(losses.get(0)).isPositive();
    assertThat(losses.get(3)).isLessThan(losses.get(0));
    assertThat(losses.get(1))
        .as("a step's loss is the evaluation of the weights before it: all rows are in both")
        .isCloseTo(evaluated.get(0), within(1e-6));
    assertThat(temp.resolve("out/README.md")).content().contains("Learned the probabilities of");
    SftSummary same =
        run(with(given, "distill", MODEL, "max-steps", 1, "output-dir", temp.resolve("same")));
    assertThat(values(same, "loss").get(0)).as("of itself").isCloseTo(0, within(1e-9));
  }

  private static List<Double> values(SftSummary summary, String name) {
    return LocalSpark.session()
        .read()
        .parquet(summary.tables().get("metrics").path())
        .where("name = '" + name + "'")
        .sort("step")
        .select("value")
        .collectAsList()
        .stream()
        .map(row -> row.getDouble(0))
        .toList();
  }

  @Test
  void aTeacherOfAnotherVocabularyIsRefused() throws IOException {
    Path rows = file("rows.jsonl", ROWS);
    Path other = Files.createDirectory(temp.resolve("other"));
    for (String name : List.of("config.json", "model.safetensors", "generation_config.json")) {
      if (Files.exists(MODEL.resolve(name))) {
        Files.copy(MODEL.resolve(name), other.resolve(name));
      }
    }
    String tokenizer = Files.readString(MODEL.resolve("tokenizer.json"));
    Files.writeString(
        other.resolve("tokenizer.json"), tokenizer.replace("<|im_start|>", "<|other|>"));
    refused(Map.of("input", rows, "distill", other), "theirs are two vocabularies");
    refused(Map.of("input", rows, "distill", temp.resolve("none")), "Option --distill");
    refused(Map.of("input", rows, "distill-beta", "0.5"), "--distill-beta");
    refused(
        Map.of("input", rows, "distill", MODEL, "train-on", "label"),
        "a classifier has no next token");
  }

  @Test
  void oneRecipeOnGrowingNumbersOfRows() throws IOException {
    Path rows = file("rows.jsonl", ROWS);
    Map<String, Object> given = new HashMap<>();
    given.put("input", rows);
    given.put("eval-input", rows);
    given.put("max-rows", "1,2,3");
    given.put("max-steps", 3);
    given.put("learning-rate", "1e-2");
    given.put("sample-prompts", 0);

    SftSummary summary = run(given);

    assertThat(summary.qualityByRows())
        .extracting(SftSummary.Quality::rows)
        .containsExactly(1L, 2L, 3L);
    List<Double> quality =
        summary.qualityByRows().stream()
            .map(at -> at.figures().get("eval_loss").doubleValue())
            .toList();
    assertThat(quality.get(2)).as("evaluated on what was learned").isLessThan(quality.get(0));
    assertThat(values(summary, "rows-1/eval_loss").get(2)).isEqualTo(quality.get(0));
    assertThat(values(summary, "eval_loss").get(2)).isEqualTo(quality.get(2));
    Path out = temp.resolve("out");
    assertThat(out.resolve("rows-2/config.json")).exists();
    assertThat(out.resolve("README.md")).content().contains("## Quality by rows", "| 2 | ");
    assertThat(out.resolve("quality-by-rows.html")).content().contains("eval_loss by rows");
    refusedAsTold(
        with(given, "max-rows", "1,4", "output-dir", temp.resolve("more")),
        "an epoch has 3 rows, found 4");
    given.remove("eval-input");
    refusedAsTold(given, "give --eval-input");
    refusedAsTold(with(given, "max-rows", "3,2"), "each over the one before it");
  }

  private void refusedAsTold(Map<String, Object> given, String message) {
    assertThatThrownBy(() -> run(given))
        .isInstanceOf(JobException.class)
        .hasMessageContaining(message);
  }

  private static String labelled(int rows) {
    var lines = new StringBuilder();
    for (int i = 0; i < rows; i++) {
      boolean up = i % 2 == 0;
      lines.append(
          String.format(
              Locale.ROOT,
              "{\"instruction\": \"%s %d\", \"input\": \"\", \"output\": \"%s\"}\n",
              up ? "yes yes" : "no",
              i,
              up ? "good " : "bad"));
    }
    return lines.toString();
  }

  @Test
  void aClassifierIsTrainedAndLoadsAgainWithItsClasses() throws IOException {
    Path rows = file("labels.jsonl", labelled(24));
    Map<String, Object> given = new HashMap<>();
    given.put("input", rows);
    given.put("eval-input", rows);
    given.put("train-on", "label");
    given.put("num-epochs", 4);
    given.put("eval-steps", 12);
    given.put("learning-rate", "1e-2");
    given.put("warmup-steps", 0);
    given.put("best-by", "eval_accuracy");

    SftSummary summary = run(given);

    assertThat(summary.figures().get("eval_accuracy").doubleValue()).isEqualTo(1);
    assertThat(summary.figures().get("best_eval_accuracy").doubleValue()).isEqualTo(1);
    assertThat(summary.figures()).containsKeys("lm_loss", "label_loss", "eval_label_loss");
    Path out = temp.resolve("out");
    assertThat(ClassNames.read(out)).containsExactly("bad", "good");
    try (ModelFiles files = ModelFiles.open(out);
        Kernels kernels = KernelSets.create(1);
        Parameters parameters =
            Weights.open(
                files.config(),
                kernels,
                files.weights(),
                Trainable.NONE,
                Optional.empty(),
                FrozenForm.FLOAT32,
                0);
        Decoder decoder =
            new Decoder(files.config(), kernels, parameters, Optional.empty(), false);
        ClassifierLoss classifier = new ClassifierLoss(decoder, 0)) {
      assertThat(files.config().labels()).isEqualTo(2);
      int[] text = Tokenizers.of(files).encodeOrdinary("yes yes 4");
      float[] probabilities = classifier.probabilities(Batch.of(List.of(text), new long[] {0}));
      assertThat(probabilities[1]).isGreaterThan(0.5f);
    }
    given.put("model", out);
    given.put("output-dir", temp.resolve("more"));
    given.put("max-steps", 1);
    given.put("learning-rate", "1e-6");
    assertThat(run(given).figures().get("eval_accuracy").doubleValue())
        .as("goes on with the head that it has")
        .isEqualTo(1);
  }

  @Test
  void aHeadAloneAndAnAdapterWithAHeadAreTrainedToo() throws IOException {
    Path rows = file("labels.jsonl", labelled(12));
    SftSummary head =
        run(
            Map.of(
                "input",
                rows,
                "train-on",
                "label",
                "trainable",
                "head",
                "num-epochs",
                "12",
                "learning-rate",
                "2e-1"));
    assertThat(head.figures()).doesNotContainKey("lm_loss");
    assertThat(head.figures().get("accuracy").doubleValue()).isGreaterThan(0.9);

    SftSummary lora =
        run(
            Map.of(
                "input",
                rows,
                "train-on",
                "label",
                "trainable",
                "lora",
                "max-steps",
                2,
                "output-dir",
                temp.resolve("lora")));
    assertThat(lora.figures()).containsKey("lm_loss");
    assertThat(ClassNames.read(temp.resolve("lora"))).containsExactly("bad", "good");
    try (var weights = AdapterFiles.read(temp.resolve("lora")).weights()) {
      assertThat(weights.weights()).containsKey("score.weight");
    }
  }

  @Test
  void labelsThatAreNoneAreRefused() throws IOException {
    Map<String, Object> given = new HashMap<>();
    given.put("train-on", "label");
    given.put("input", file("labels.jsonl", labelled(4)));
    refused(with(given, "template", "chatml"), "--template has no effect");
    refused(with(given, "packing", "isolated"), "--packing: a row with a label stands alone");
    refused(with(given, "over-length", "split"), "expected cut or reject");
    refused(with(given, "train-on", "all-turns", "aux-lm-weight", 1), "--aux-lm-weight");
    refused(
        with(given, "input", file("none.jsonl", "{\"instruction\": \"a\", \"output\": \" \"}\n")),
        "outputs are all empty");
    refused(
        with(given, "input", file("one.jsonl", "{\"instruction\": \"a\", \"output\": \"x\"}\n")),
        "outputs are all x");
    refused(
        with(
            given,
            "max-classes",
            2,
            "input",
            file(
                "many.jsonl",
                """
                {"instruction": "a", "output": "x"}
                {"instruction": "b", "output": "y"}
                {"instruction": "c", "output": "z"}
                """)),
        "more than 2 distinct outputs, such as x, y, z");
    refused(
        with(
            given,
            "eval-input",
            file("other.jsonl", labelled(2) + "{\"instruction\": \"a\", \"output\": \"other\"}\n")),
        "1 rows have an output that no row of --input has");
    refused(with(given, "input", file("talk.jsonl", ROWS)), "instruction");
  }

  private static Map<String, Object> with(Map<String, Object> given, Object... more) {
    Map<String, Object> all = new HashMap<>(given);
    for (int i = 0; i < more.length; i += 2) {
      all.put(more[i].toString(), more[i + 1]);
    }
    return all;
  }

  private void refused(Map<String, Object> given, String message) {
    assertThatThrownBy(() -> run(given))
        .isInstanceOf(JobException.class)
        .hasMessageContaining(message);
    assertThat(temp.resolve("out")).doesNotExist();
  }
}
