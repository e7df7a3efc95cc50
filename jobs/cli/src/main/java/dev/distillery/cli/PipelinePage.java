package dev.distillery.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.core.page.LinePlot;
import dev.distillery.core.page.Page;
import dev.distillery.core.page.Series;
import dev.distillery.core.page.SideBySide;
import dev.distillery.core.run.StagedRecipe;
import dev.distillery.spark.warehouse.RunRecord;
import dev.distillery.spark.warehouse.RunRecords;
import java.io.BufferedReader;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.deploy.SparkHadoopUtil;

/**
 * One page of what a pipeline's stages came to: rows, rejects, figures, and of a model that was
 * trained its curves, its answers before and after, and the ways to its card. All of it comes from
 * the runs' records and the models' folders.
 */
final class PipelinePage {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String FILE = "pipeline.html";

  /** Metrics that are plotted, where a run has them. */
  private static final List<String> PLOTTED =
      List.of(
          "loss",
          "eval_loss",
          "accuracy",
          "eval_accuracy",
          "env/reward_mean",
          "objective/kl",
          "learning_rate");

  /** Points of one line at most. */
  private static final int POINTS = 1000;

  private static final int SAMPLES = 20;

  /** Characters of an answer that are shown. */
  private static final int SHOWN = 1000;

  private final Page page;
  private final Path root;
  private final FileSystem files;

  private PipelinePage(String title, Path root, FileSystem files) {
    this.page = new Page(title);
    this.root = root;
    this.files = files;
  }

  /**
   * Writes the page.
   *
   * @param folder local or by a Hadoop URI
   * @return where it lies
   */
  static String write(
      String folder,
      String title,
      StagedRecipe recipe,
      List<PipelineStage<?, ?>> stages,
      RunRecords records)
      throws IOException {
    Path root = new Path(folder);
    var pages = new PipelinePage(title, root, root.getFileSystem(SparkHadoopUtil.get().conf()));
    pages.head(recipe, stages, records);
    for (PipelineStage<?, ?> stage : stages) {
      pages.stage(stage, records.find(stage.runId()));
    }
    Path file = new Path(root, FILE);
    try (var out = pages.files.create(file, true)) {
      out.write(pages.page.html().getBytes(StandardCharsets.UTF_8));
    }
    return file.toString();
  }

  private void head(StagedRecipe recipe, List<PipelineStage<?, ?>> stages, RunRecords records) {
    recipe.about().lines().forEach(page::paragraph);
    var rows = new ArrayList<List<String>>();
    for (PipelineStage<?, ?> stage : stages) {
      Optional<RunRecord> record = records.find(stage.runId());
      JsonNode summary = record.map(RunRecord::summary).orElse(JSON.nullNode());
      JsonNode cost = summary.path("figures").path("cost_usd");
      rows.add(
          List.of(
              stage.name(),
              stage.job().name(),
              stage.runId(),
              record.map(RunRecord::status).orElse("not run"),
              summary.isNull()
                  ? ""
                  : String.format(Locale.ROOT, "%.1f", summary.path("seconds").asDouble()),
              cost.isMissingNode() ? "" : cost.asText()));
    }
    page.table(List.of("stage", "job", "run", "status", "seconds", "cost (USD)"), rows);
    var variables = new ArrayList<List<String>>();
    recipe.variables().forEach((name, value) -> variables.add(List.of(name, value)));
    page.heading("Variables").table(List.of("variable", "value"), variables);
    for (String what : recipe.notYet()) {
      page.paragraph("Not yet: " + what);
    }
  }

  private void stage(PipelineStage<?, ?> stage, Optional<RunRecord> record) throws IOException {
    page.heading(stage.name() + ": " + stage.job().name());
    if (record.isEmpty()) {
      page.paragraph("Not run.");
      return;
    }
    if (!record.get().message().isEmpty()) {
      page.paragraph(record.get().status() + ": " + record.get().message());
    }
    var rows = new ArrayList<List<String>>();
    new TreeMap<>(record.get().tables())
        .forEach((name, table) -> rows.add(List.of("rows of " + name, "" + table.rows())));
    each(record.get(), "rejects", (rule, value) -> rows.add(List.of("rejected: " + rule, value)));
    each(record.get(), "figures", (name, value) -> rows.add(List.of(name, value)));
    page.table(List.of("", ""), rows);
    results(record.get().summary().path("results"));
    for (String output : stage.outputs()) {
      model(new Path(output));
    }
  }

  /** Figures of evaluations, the models side by side. */
  private void results(JsonNode results) {
    var figures = new SideBySide(List.of("task", "metric"));
    for (JsonNode result : results) {
      JsonNode error = result.path("stderr");
      figures.set(
          List.of(result.path("task").asText(), result.path("metric").asText()),
          result.path("model").asText(),
          SideBySide.shown(
              result.path("value").asDouble(), error.isNumber() ? error.asDouble() : null));
    }
    figures.onto(page);
  }

  private interface Taking {
    void take(String name, String value);
  }

  private static void each(RunRecord record, String member, Taking taking) {
    record
        .summary()
        .path(member)
        .properties()
        .forEach(each -> taking.take(each.getKey(), each.getValue().asText()));
  }

  private void model(Path folder) throws IOException {
    for (LinePlot plot : plots(folder)) {
      page.plot(plot);
    }
    samples(folder);
    link("The model's card", new Path(folder, "README.md"));
    link("All curves", new Path(folder, "metrics.html"));
  }

  private void link(String text, Path file) throws IOException {
    if (files(file).exists(file)) {
      page.link(text + ": " + file, target(file));
    }
  }

  private static FileSystem files(Path path) throws IOException {
    return path.getFileSystem(SparkHadoopUtil.get().conf());
  }

  /** As the page reaches a file: from its own folder where it lies under that. */
  private String target(Path file) {
    String own = root + "/";
    boolean below = file.toString().startsWith(own);
    try {
      return below
          ? new URI(null, null, "./" + file.toString().substring(own.length()), null)
              .toASCIIString()
          : file.toUri().toASCIIString();
    } catch (URISyntaxException e) {
      return file.toString();
    }
  }

  private static List<FileStatus> list(Path folder) throws IOException {
    try {
      return Arrays.stream(files(folder).listStatus(folder))
          .filter(file -> file.getPath().getName().endsWith(".jsonl"))
          .sorted(Comparator.comparing(file -> file.getPath().getName()))
          .toList();
    } catch (FileNotFoundException e) {
      return List.of();
    }
  }

  private static List<LinePlot> plots(Path folder) throws IOException {
    Map<String, Series> series = new LinkedHashMap<>();
    for (FileStatus file : list(new Path(folder, "metrics"))) {
      for (JsonNode point : lines(file.getPath(), Integer.MAX_VALUE)) {
        String name = point.path("name").asText();
        if (PLOTTED.contains(name)) {
          series
              .computeIfAbsent(name, unknown -> new Series(POINTS))
              .add(point.path("step").asDouble(), point.path("value").asDouble(Double.NaN));
        }
      }
    }
    return PLOTTED.stream()
        .filter(series::containsKey)
        .map(name -> new LinePlot(name, false, List.of(series.get(name).line(name))))
        .toList();
  }

  /** The lines of a file, one of at most a hundred steps or a few samples. */
  private static List<JsonNode> lines(Path file, int most) throws IOException {
    var lines = new ArrayList<JsonNode>();
    try (var reader =
        new BufferedReader(new InputStreamReader(files(file).open(file), StandardCharsets.UTF_8))) {
      for (String line = reader.readLine();
          line != null && lines.size() < most;
          line = reader.readLine()) {
        lines.add(JSON.readTree(line));
      }
    }
    return lines;
  }

  private void samples(Path folder) throws IOException {
    List<FileStatus> taken = list(new Path(folder, "samples"));
    if (taken.isEmpty()) {
      return;
    }
    List<JsonNode> first = lines(taken.get(0).getPath(), SAMPLES);
    List<JsonNode> last = lines(taken.get(taken.size() - 1).getPath(), SAMPLES);
    var rows = new ArrayList<List<String>>();
    for (int i = 0; i < Math.min(first.size(), last.size()); i++) {
      rows.add(
          List.of(
              shown(last.get(i), "prompt"),
              shown(first.get(i), "answer"),
              shown(last.get(i), "answer"),
              shown(last.get(i), "expected")));
    }
    page.table(List.of("prompt", "answer before", "answer after", "expected"), rows);
  }

  private static String shown(JsonNode sample, String member) {
    String text = sample.path(member).asText();
    return text.length() > SHOWN ? text.substring(0, SHOWN) + "…" : text;
  }
}
