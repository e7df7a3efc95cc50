package dev.distillery.jobs.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.teacher.testing.FetchedModel;
import dev.distillery.jobs.evaluate.EvaluateSummary.Result;
import dev.distillery.spark.testing.LocalSpark;
import dev.distillery.spark.warehouse.Tables;
import dev.distillery.training.evaluate.EvalTask;
import dev.distillery.training.evaluate.TaskFile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;

/**
 * Against golden/evaluate/standard-errors.json, which make_standard_error_goldens.py made with
 * numpy and scipy. Figures themselves are compared in {@link EvaluateJobTest}.
 */
class TaskFiguresTest {
  /** The delta method and a bootstrap of 400 items. */
  private static final double ABOUT = 0.03;

  private static final ObjectMapper JSON = new ObjectMapper();

  private static EvalTask task(String text) {
    return new TaskFile("task.yaml", text).task();
  }

  private static String line(String task, int id, ObjectNode metrics) {
    ObjectNode line = JSON.createObjectNode();
    line.put("task", task).put("id", "i" + id).put("model", "m").put("repeat", 1);
    line.set("metrics", metrics);
    return line.toString();
  }

  private static List<Result> results() throws IOException {
    List<String> lines = new ArrayList<>();
    for (JsonNode item : golden().path("items")) {
      int id = lines.size();
      double answer = item.path("answer").doubleValue();
      lines.add(
          line(
              "answers",
              id,
              JSON.createObjectNode()
                  .put("acc", item.path("acc").doubleValue())
                  .put("logprob", answer)
                  .put("tokens", 3.0)));
      ObjectNode counts = JSON.createObjectNode();
      Stream.of("logprob", "tokens", "words", "bytes")
          .forEach(name -> counts.put(name, item.path(name).doubleValue()));
      lines.add(line("documents", id, counts));
    }
    Dataset<Row> rows =
        LocalSpark.session()
            .read()
            .schema(Tables.EVALUATIONS.schema())
            .json(LocalSpark.session().createDataset(lines, Encoders.STRING()));
    EvalTask answers =
        task("{name: answers, prompt: '{q}', answer: '{a}', metrics: [acc, perplexity]}");
    EvalTask documents =
        task(
            "{name: documents, text: '{t}', metrics: [perplexity, word_perplexity,"
                + " byte_perplexity, bits_per_byte]}");
    return TaskFigures.of(rows, List.of(answers, documents), 1);
  }

  private static JsonNode golden() throws IOException {
    return JSON.readTree(
        FetchedModel.root()
            .resolve("jobs/training/src/test/resources/golden/evaluate/standard-errors.json")
            .toFile());
  }

  @Test
  void standardErrorsAreThoseOfScipyAndOfABootstrap() throws IOException {
    JsonNode expected = golden().path("expected");
    List<Result> results = results();
    assertThat(results)
        .extracting(Result::metric)
        .containsExactly(
            "acc",
            "perplexity",
            "perplexity",
            "word_perplexity",
            "byte_perplexity",
            "bits_per_byte");
    for (Result result : results) {
      JsonNode of = result.task().equals("documents") ? expected.path("document") : expected;
      double value = of.path(result.metric()).path("value").doubleValue();
      double error = of.path(result.metric()).path("stderr").doubleValue();
      double about = result.metric().equals("acc") ? 1e-9 : ABOUT;
      assertThat(result.items()).isEqualTo(400);
      assertThat(result.value()).as("%s", result).isCloseTo(value, within(1e-9 * value));
      assertThat(result.stderr()).as("%s", result).isCloseTo(error, within(about * error));
    }
  }
}
