package dev.distillery.jobs.evaluate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.teacher.testing.FetchedModel;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.format.ModelTensors;
import dev.distillery.model.format.ModelWriter;
import dev.distillery.model.format.TensorType;
import dev.distillery.model.nn.KernelSets;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.Parameters;
import dev.distillery.model.nn.Weights;
import dev.distillery.spark.testing.LocalSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvaluationPageTest {
  private static final Path MODEL =
      FetchedModel.root().resolve("common/model/src/test/resources/golden/student");

  @TempDir Path temp;

  /** A model of the same tokenizer with half of the student's feed-forward layers. */
  private Path smaller() throws IOException {
    Path directory = temp.resolve("smaller");
    try (ModelFiles files = ModelFiles.open(MODEL);
        Kernels kernels = KernelSets.create(1)) {
      ModelConfig config = files.config().toBuilder().intermediateSize(24).build();
      try (Parameters parameters = Weights.fresh(config, kernels, 1)) {
        ModelWriter.write(
            directory,
            config,
            files.specialTokens(),
            Weights.source(parameters, ModelTensors.of(config)),
            TensorType.F32);
      }
    }
    for (String name : List.of("tokenizer.json", "tokenizer_config.json")) {
      Files.copy(MODEL.resolve(name), directory.resolve(name));
    }
    return directory;
  }

  private static String between(String text, String from, String to) {
    int begin = text.indexOf(from) + from.length();
    return text.substring(begin, text.indexOf(to, begin));
  }

  @Test
  void everyTaskOfTwoModelsIsInTheTableAndNamedInAPictureBySize() throws IOException {
    Files.writeString(
        temp.resolve("rows.jsonl"),
        """
        {"question": "The cat", "answer": "sat"}
        {"question": "A river", "answer": "runs"}
        """);
    List<String> names = new ArrayList<>();
    List<String> files = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      names.add("task-" + i);
      files.add(
          Files.writeString(
                  temp.resolve(i + ".yaml"),
                  String.format(
                      Locale.ROOT,
                      """
                      name: task-%d
                      input: rows.jsonl
                      prompt: "{question}"
                      answer: "{answer}"
                      metrics: [acc, perplexity]
                      published: {"A paper": "%d.5%%"}
                      """,
                      i,
                      i))
              .toString());
    }
    Path page = temp.resolve("page.html");
    EvaluateOptions options =
        OptionsBinder.of(EvaluateOptions.class)
            .bind(
                Map.of(
                    "model",
                    List.of(MODEL.toString(), smaller().toString()),
                    "tasks",
                    files,
                    "run-id",
                    List.of("page"),
                    "warehouse",
                    List.of(temp.resolve("warehouse").toString()),
                    "output",
                    List.of(page.toString())));
    EvaluateSummary summary = new EvaluateJob().run(LocalSpark.session(), options);
    assertThat(summary.results()).hasSize(2 * 2 * names.size());

    String html = Files.readString(page);
    String table = between(html, "<table>", "</table>");
    assertThat(between(table, "<tr>", "</tr>"))
        .contains(">student@")
        .contains(">smaller@")
        .endsWith(">published</th>");
    for (int i = 0; i < names.size(); i++) {
      String row = between(table, "<td>" + names.get(i) + "</td><td>acc</td>", "</tr>");
      assertThat(row.split("±", -1)).as(row).hasSize(3);
      assertThat(row).endsWith("<td>A paper: " + i + ".5%</td>");
    }
    String pictures = html.substring(html.indexOf("<h2>By size</h2>"));
    for (String metric : List.of("acc", "perplexity")) {
      for (int part = 1; part <= 2; part++) {
        String title =
            String.format(Locale.ROOT, "%s by log10 of the parameters, %d of 2", metric, part);
        String picture = between(pictures, "<figcaption>" + title + "</figcaption>", "</figure>");
        List<String> own = part == 1 ? names.subList(0, 8) : names.subList(8, 10);
        assertThat(picture.split("<polyline", -1)).hasSize(own.size() + 1);
        assertThat(own).allSatisfy(name -> assertThat(picture).contains(">" + name + "</text>"));
      }
    }
  }
}
