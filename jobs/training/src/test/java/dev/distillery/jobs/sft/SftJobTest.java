package dev.distillery.jobs.sft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.distillery.core.run.JobException;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.teacher.testing.FetchedModel;
import dev.distillery.model.sample.Student;
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
import java.util.Map;
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
        .containsEntry("longest_row", 64);
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
        .contains("| learning-rate | 0.02 |");
    assertThat(run(given).toJson().toString())
        .as("the same id again")
        .isEqualTo(summary.toJson().toString());
  }

  private void refused(Map<String, Object> given, String message) {
    assertThatThrownBy(() -> run(given))
        .isInstanceOf(JobException.class)
        .hasMessageContaining(message);
    assertThat(temp.resolve("out")).doesNotExist();
  }
}
