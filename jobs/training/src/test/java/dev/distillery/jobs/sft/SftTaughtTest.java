package dev.distillery.jobs.sft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.core.dialogue.Message;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.teacher.Sampling;
import dev.distillery.core.teacher.Secret;
import dev.distillery.core.teacher.Teacher;
import dev.distillery.core.teacher.TeacherReply;
import dev.distillery.core.teacher.TeacherRequest;
import dev.distillery.core.teacher.TeacherSettings;
import dev.distillery.core.teacher.Teachers;
import dev.distillery.core.teacher.TokenLogprob;
import dev.distillery.core.teacher.testing.FetchedModel;
import dev.distillery.spark.testing.LocalSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code sft --distill} of completions that a teacher wrote with its log-probabilities. */
class SftTaughtTest {
  private static final Path MODEL =
      FetchedModel.root().resolve("common/model/src/test/resources/golden/student");

  @TempDir Path temp;

  /** Rows as {@code complete --logprobs} writes them: two dialogues, a text, and one of no use. */
  private Path completions(Path model, String name) throws IOException {
    var json = new ObjectMapper();
    var lines = new StringBuilder();
    var settings =
        new TeacherSettings("student", model.toString(), "", "chat", Duration.ofMinutes(5), 1);
    try (Teacher teacher = Teachers.open(settings, Secret.NONE)) {
      for (String question : List.of("one", "two", "The sea")) {
        boolean text = question.startsWith("The");
        var request =
            new TeacherRequest(
                question,
                Optional.empty(),
                "student",
                text ? Optional.of(question) : Optional.empty(),
                text ? List.of() : List.of(new Message("user", question)),
                Sampling.of(12),
                TokenLogprob.ask("{}", !text, 8));
        TeacherReply reply = teacher.send(request).join();
        var row = json.createObjectNode();
        row.put("request_id", question).put("id", question).put("model", "tiny-teacher");
        row.put("prompt", request.promptText()).put("status", "ok").put("text", reply.text());
        row.set("logprobs", TokenLogprob.toJson(reply.logprobs()));
        lines.append(row).append('\n');
      }
      var bare = json.createObjectNode();
      bare.put("request_id", "x").put("model", "m").put("status", "ok").put("prompt", "three");
      lines.append(bare).append('\n');
    }
    return Files.writeString(temp.resolve(name), lines);
  }

  private SftSummary run(Map<String, Object> given) {
    var values = new HashMap<String, List<String>>();
    values.put("model", List.of(MODEL.toString()));
    values.put("warehouse", List.of(temp.resolve("warehouse").toString()));
    given.forEach((name, value) -> values.put(name, List.of(value.toString())));
    return new SftJob().run(LocalSpark.session(), OptionsBinder.of(SftOptions.class).bind(values));
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
  void aStudentLearnsWhatATeacherFoundLikely() throws IOException {
    Path own = completions(MODEL, "own.jsonl");
    SftSummary same =
        run(
            Map.of(
                "input",
                own,
                "distill",
                own,
                "max-steps",
                1,
                "batch-size",
                4,
                "output-dir",
                temp.resolve("same")));
    assertThat(values(same, "loss").get(0)).as("from itself").isCloseTo(0, within(1e-6));
    assertThat(same.rejects()).isEqualTo(Map.of("no_logprobs", 1L));
    assertThat(same.figures()).containsEntry("rows_kept", 3L);

    Path rows =
        Files.writeString(
            temp.resolve("rows.jsonl"),
            """
            {"instruction": "one", "output": "uno uno"}
            {"instruction": "two", "output": "dos"}
            """);
    Path teacher = temp.resolve("teacher");
    run(Map.of("input", rows, "max-steps", 3, "learning-rate", "2e-2", "output-dir", teacher));
    Path told = completions(teacher, "told.jsonl");
    var given = new HashMap<String, Object>();
    given.put("input", told);
    given.put("distill", told);
    given.put("eval-input", told);
    given.put("eval-steps", 1);
    given.put("packing", "isolated");
    given.put("max-steps", 4);
    given.put("warmup-steps", 0);
    given.put("learning-rate", "5e-3");
    given.put("output-dir", temp.resolve("out"));
    SftSummary summary = run(given);
    List<Double> losses = values(summary, "loss");
    assertThat(losses.get(0)).isGreaterThan(0.01);
    assertThat(losses.get(3)).isLessThan(losses.get(0));
    assertThat(losses.get(1))
        .as("a step's loss is the evaluation of the weights before it")
        .isCloseTo(values(summary, "eval_loss").get(0), within(1e-6));
    assertThat(temp.resolve("out/README.md"))
        .content()
        .contains("probabilities of `m`, `tiny-teacher` (");
  }

  @Test
  void whatCannotTeachIsRefusedByName() throws IOException {
    Path own = completions(MODEL, "own.jsonl");
    String lines = Files.readString(own);
    Path other =
        Files.writeString(
            temp.resolve("other.jsonl"),
            lines.replaceAll("\"token\":\"[^\"]*\",\"id\":(\\d+)", "\"token\":\"QQ\",\"id\":$1"));
    refused(
        Map.of("input", other, "distill", other), " is 'QQ' of the teacher and '", "must be one");
    Path bare =
        Files.writeString(
            temp.resolve("bare.jsonl"), lines.replaceFirst("\"id\":\\d+,\"logprob", "\"logprob"));
    SftSummary without =
        run(
            Map.of(
                "input",
                bare,
                "distill",
                bare,
                "max-steps",
                1,
                "output-dir",
                temp.resolve("bare")));
    assertThat(without.rejects()).isEqualTo(Map.of("no_token_ids", 1L, "no_logprobs", 1L));
    refused(Map.of("input", own, "distill", own, "distill-temperature", 2), "leave it out");
    refused(Map.of("input", own, "distill", own, "packing", "constant-length"), "isolated or not");
    refused(Map.of("input", own, "distill", own, "train-on", "last-turn"), "the reply is learned");
    refused(Map.of("input", own, "distill", own, "over-length", "split"), "cut or reject, found");
    Path light =
        Files.writeString(
            temp.resolve("light.jsonl"),
            lines.replace("{\"request_id\"", "{\"weight\":0,\"request_id\""));
    refused(Map.of("input", light, "distill", light), "rejected: {no_label=4}");
    refused(Map.of("input", own), "are none of conversations, instructions");
  }

  private void refused(Map<String, Object> given, String... messages) {
    var all = new HashMap<>(given);
    all.put("output-dir", temp.resolve("refused"));
    var thrown = assertThatThrownBy(() -> run(all)).isInstanceOf(JobException.class);
    for (String message : messages) {
      thrown.hasMessageContaining(message);
    }
  }
}
