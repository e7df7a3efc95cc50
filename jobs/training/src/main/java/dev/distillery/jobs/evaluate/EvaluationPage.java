package dev.distillery.jobs.evaluate;

import dev.distillery.core.page.LinePlot;
import dev.distillery.core.page.Page;
import dev.distillery.core.page.SideBySide;
import dev.distillery.jobs.evaluate.EvaluateSummary.Result;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.job.PageFile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One page of a run: the models' figures side by side, what papers publish of such tasks beside
 * them, and of models of several sizes the picture of score by size that the papers show.
 */
final class EvaluationPage {
  private static final String PUBLISHED = "published";

  private final Page page;
  private final List<PlannedTask> tasks;
  private final List<Result> results;

  private EvaluationPage(Page page, List<PlannedTask> tasks, List<Result> results) {
    this.page = page;
    this.tasks = tasks;
    this.results = results;
  }

  /** The file of a run's page. */
  static PageFile file(String file, JobRun run) throws IOException {
    return new PageFile(file, run, "Evaluation " + run.id());
  }

  /**
   * Writes the page.
   *
   * @param students paths by their names in tables
   */
  static void write(
      PageFile file,
      JobRun run,
      List<PlannedTask> tasks,
      List<Result> results,
      Map<String, String> students)
      throws IOException {
    var made = new EvaluationPage(file.page(), tasks, results);
    made.figures();
    made.bySize(sizes(students));
    file.write(made.page, run);
  }

  private static Map<String, Double> sizes(Map<String, String> models) throws IOException {
    Map<String, Double> sizes = new LinkedHashMap<>();
    for (var model : models.entrySet()) {
      try (ModelFiles files = ModelFiles.open(java.nio.file.Path.of(model.getValue()))) {
        sizes.put(model.getKey(), (double) files.config().parameterCount());
      }
    }
    return sizes;
  }

  private void figures() {
    page.paragraph(
        "Figures with their standard errors, of several repeats their standard deviation, and the"
            + " number of items. What papers publish was"
            + " measured on other items, and by other rules where docs/evaluate.md says so.");
    var figures = new SideBySide(List.of("task", "metric"));
    for (Result result : results) {
      figures.set(
          List.of(result.task(), result.metric()),
          result.model(),
          SideBySide.shown(result.value(), result.stderr())
              + apart(result)
              + " ("
              + result.items()
              + ")");
    }
    // Behind the models' columns.
    for (Result result : results) {
      Map<String, String> published =
          tasks.stream()
              .filter(planned -> planned.task().name().equals(result.task()))
              .findFirst()
              .map(planned -> planned.task().published())
              .orElse(Map.of());
      List<String> texts = new ArrayList<>();
      published.forEach((of, figure) -> texts.add(of + ": " + figure));
      figures.set(List.of(result.task(), result.metric()), PUBLISHED, String.join("\n", texts));
    }
    figures.onto(page);
  }

  private static String apart(Result result) {
    @Nullable Double stdev = result.repeatStdev();
    return stdev == null ? "" : String.format(Locale.ROOT, ", repeats differ by %.4f", stdev);
  }

  private void bySize(Map<String, Double> sizes) {
    if (sizes.values().stream().distinct().count() < 2) {
      return;
    }
    page.heading("By size");
    Map<String, List<LinePlot.Line>> lines = new LinkedHashMap<>();
    for (PlannedTask planned : tasks) {
      planned
          .task()
          .metrics()
          .forEach(
              metric -> {
                List<Result> own =
                    results.stream()
                        .filter(result -> result.task().equals(planned.task().name()))
                        .filter(result -> result.metric().equals(metric.word()))
                        .sorted(Comparator.comparing(result -> sizes.get(result.model())))
                        .toList();
                lines
                    .computeIfAbsent(metric.word(), unknown -> new ArrayList<>())
                    .add(
                        new LinePlot.Line(
                            planned.task().name(),
                            own.stream()
                                .mapToDouble(result -> Math.log10(sizes.get(result.model())))
                                .toArray(),
                            own.stream().mapToDouble(Result::value).toArray()));
              });
    }
    lines.forEach((metric, each) -> plots(metric + " by log10 of the parameters", each));
  }

  /** As many pictures as it takes that each names all its lines. */
  private void plots(String title, List<LinePlot.Line> lines) {
    int most = LinePlot.MOST_NAMED;
    int pictures = (lines.size() + most - 1) / most;
    for (int i = 0; i < pictures; i++) {
      String part = pictures == 1 ? "" : ", %s of %s".formatted(i + 1, pictures);
      List<LinePlot.Line> own = lines.subList(i * most, Math.min(lines.size(), (i + 1) * most));
      page.plot(new LinePlot(title + part, false, own));
    }
  }
}
