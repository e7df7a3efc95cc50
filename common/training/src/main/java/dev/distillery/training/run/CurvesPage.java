package dev.distillery.training.run;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
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
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.hadoop.fs.FileStatus;

/**
 * {@code metrics.html}, beside the metrics that it shows: losses, learning rate, gradient norm and
 * what else was logged, and for each layer the norms and the ratio of update to weights, as
 * Deeplearning4j's dashboard shows them. Of a long run every second, fourth, ... value is shown.
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

  private final Map<String, Series> series = new TreeMap<>();

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
    folder.writeWhole(folder.path(FILE), page.html(title).getBytes(StandardCharsets.UTF_8));
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
