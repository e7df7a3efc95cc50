package dev.distillery.training.run;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.page.LinePlot;
import dev.distillery.core.page.LinePlot.Line;
import dev.distillery.core.page.Page;
import dev.distillery.core.page.Series;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;

/**
 * {@code metrics.html}, beside the metrics that it shows: losses, learning rate, gradient norm and
 * what else was logged, what was answered to held-out prompts, and for each layer the norms and the
 * ratio of update to weights, as Deeplearning4j's dashboard shows them. Of a long run every second,
 * fourth, ... value is shown.
 */
final class CurvesPage {
  static final String FILE = "metrics.html";

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Points of one line at most. */
  private static final int POINTS = 1000;

  /** What a plot of figures by layer is called, by their prefix. */
  private static final Map<String, String> BY_LAYER =
      new TreeMap<>(
          Map.of(
              "grad_norm", "Gradient norm by layer",
              "param_norm", "Parameter norm by layer",
              "update_ratio", "Update by parameter norm, by layer (about 0.001 is healthy)"));

  /** Figures that tell time. */
  private static final List<String> CLOCKS = List.of("num_tokens", "epoch");

  /** Evaluations whose answers are shown, prompts of each, and characters of one. */
  private static final int EVALUATIONS = 12;

  private static final int PROMPTS = 20;

  private static final int CHARACTERS = 2000;

  private final Map<String, Series> series = new TreeMap<>();

  /** By prompt, a row for each evaluation, its step first. */
  private final Map<String, List<JsonNode>> answers = new LinkedHashMap<>();

  private CurvesPage() {}

  /** Writes the page of what has been logged and flushed. */
  static void write(OutputFolder folder, String title) throws IOException {
    var page = new CurvesPage();
    for (FileStatus file : folder.list(folder.path("metrics"))) {
      if (!file.getPath().getName().endsWith(".jsonl")) {
        continue;
      }
      try (var reader =
          new BufferedReader(
              new InputStreamReader(folder.files().open(file.getPath()), StandardCharsets.UTF_8))) {
        for (String line = reader.readLine(); line != null; line = reader.readLine()) {
          JsonNode point = JSON.readTree(line);
          page.series
              .computeIfAbsent(point.path("name").asText(), name -> new Series(POINTS))
              .add(point.path("step").asDouble(), point.path("value").asDouble(Double.NaN));
        }
      }
    }
    page.readAnswers(folder);
    folder.writeWhole(folder.path(FILE), page.html(title).getBytes(StandardCharsets.UTF_8));
  }

  /** Of the first evaluation, the last, and some between, those to the first prompts. */
  private void readAnswers(OutputFolder folder) throws IOException {
    List<Path> files = Samples.files(folder);
    int shown = Math.min(EVALUATIONS, files.size());
    for (int i = 0; i < shown; i++) {
      Path file = files.get(shown == 1 ? 0 : i * (files.size() - 1) / (shown - 1));
      long step = Samples.step(file);
      try (var reader =
          new BufferedReader(
              new InputStreamReader(folder.files().open(file), StandardCharsets.UTF_8))) {
        String line = reader.readLine();
        for (int number = 1; line != null && number <= PROMPTS; number++) {
          ObjectNode answer = ((ObjectNode) JSON.readTree(line)).put("step", step);
          answers
              .computeIfAbsent(
                  number + ". " + cut(answer.path("prompt").asText()), prompt -> new ArrayList<>())
              .add(answer);
          line = reader.readLine();
        }
      }
    }
  }

  private static String cut(String text) {
    return text.length() > CHARACTERS ? text.substring(0, CHARACTERS) + "…" : text;
  }

  private void addAnswers(Page page) {
    if (!answers.isEmpty()) {
      page.heading("Held-out prompts");
    }
    answers.forEach(
        (prompt, rows) -> {
          Set<String> columns = new LinkedHashSet<>(List.of("step"));
          rows.forEach(row -> row.fieldNames().forEachRemaining(columns::add));
          columns.removeAll(List.of("prompt", "expected"));
          page.paragraph(prompt);
          String expected = rows.get(0).path("expected").asText();
          if (!expected.isEmpty()) {
            page.paragraph("Expected: " + cut(expected));
          }
          page.table(
              List.copyOf(columns),
              rows.stream()
                  .map(row -> columns.stream().map(name -> cell(row.path(name))).toList())
                  .toList());
        });
  }

  private static String cell(JsonNode value) {
    return value.isDouble()
        ? String.format(Locale.ROOT, "%.4f", value.asDouble())
        : cut(value.asText());
  }

  private String html(String title) {
    Page page = new Page(title);
    page.paragraph("By step, from the files in metrics/.");
    Map<String, List<String>> plots = new LinkedHashMap<>();
    for (String name : List.of("loss", "learning_rate", "grad_norm")) {
      plots.put(name, new ArrayList<>());
    }
    for (String name : series.keySet()) {
      if (!LayerNorms.isName(name) && !CLOCKS.contains(name)) {
        String shared = name.startsWith("eval_") ? name.substring("eval_".length()) : name;
        plots.computeIfAbsent(shared, plot -> new ArrayList<>()).add(name);
      }
    }
    plots.forEach(
        (name, lines) -> {
          if (!lines.isEmpty()) {
            page.plot(new LinePlot(name, false, lines(lines)));
          }
        });
    addAnswers(page);
    page.heading("By layer");
    for (Map.Entry<String, String> plot : BY_LAYER.entrySet()) {
      List<String> names =
          series.keySet().stream()
              .filter(name -> name.startsWith(plot.getKey() + "/"))
              .sorted((a, b) -> compareLayers(a, b))
              .toList();
      if (!names.isEmpty()) {
        page.plot(new LinePlot(plot.getValue(), true, lines(names)));
      }
    }
    return page.html();
  }

  /** Layer 2 stands before layer 10. */
  private static int compareLayers(String a, String b) {
    int byLength = a.contains("layer_") && b.contains("layer_") ? a.length() - b.length() : 0;
    return byLength != 0 ? byLength : a.compareTo(b);
  }

  private List<Line> lines(List<String> names) {
    return names.stream()
        .map(
            name -> {
              String shown = LayerNorms.isName(name) ? name.substring(name.indexOf('/') + 1) : name;
              return series.getOrDefault(name, new Series(POINTS)).line(shown);
            })
        .toList();
  }
}
