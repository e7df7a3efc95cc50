package dev.distillery.jobs.sft;

import dev.distillery.core.page.LinePlot;
import dev.distillery.core.page.Page;
import dev.distillery.core.run.JobException;
import dev.distillery.spark.job.JobRun;
import dev.distillery.training.run.TrainingResult;
import dev.distillery.training.run.TrainingRun;
import dev.distillery.training.tokens.SomeRows;
import dev.distillery.training.tokens.TokenRows;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/** One recipe on growing numbers of rows: how little data is enough. */
final class QualityByRows {
  private static final String FILE = "quality-by-rows.html";

  private QualityByRows() {}

  /** What all runs came to. The last is the result; an interrupted one is the last. */
  record Trained(TrainingResult last, List<SftSummary.Quality> quality) {}

  /**
   * Trains on each number of rows; of none, on all.
   *
   * @param training over all rows
   * @param seed of the draw
   */
  static Trained train(
      JobRun run, TrainingRun training, TokenRows rows, List<Long> maxRows, long seed) {
    if (maxRows.isEmpty()) {
      return new Trained(training.train(), List.of());
    }
    long most = maxRows.get(maxRows.size() - 1);
    if (most > rows.size()) {
      throw JobException.invalid(
          "Option --max-rows: an epoch has %s rows, found %s".formatted(rows.size(), most));
    }
    List<SftSummary.Quality> quality = new ArrayList<>();
    List<String> folders = new ArrayList<>();
    for (long count : maxRows) {
      run.progress().say("Trains on %s of %s rows".formatted(count, rows.size()));
      TokenRows some = new SomeRows(rows, count, seed);
      String folder = "rows-" + count;
      TrainingRun part =
          count < most ? training.part(folder, some) : training.over(some).after(folders);
      TrainingResult result = part.identifiedBy("max-rows", "" + count).train();
      folders.add(folder);
      quality.add(
          new SftSummary.Quality(
              count,
              result.figures().entrySet().stream()
                  .filter(figure -> figure.getKey().startsWith("eval_") || isSize(figure.getKey()))
                  .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue))));
      if (result.interrupted().isPresent() || count == most) {
        return new Trained(result, maxRows.size() == 1 ? List.of() : quality);
      }
    }
    throw new IllegalStateException("The last number of rows is the largest");
  }

  private static boolean isSize(String figure) {
    return List.of("steps", "num_tokens", "loss").contains(figure);
  }

  /** The figures as columns of a table, rows first. */
  static List<String> columns(List<SftSummary.Quality> quality) {
    var names = new TreeSet<String>();
    quality.forEach(at -> names.addAll(at.figures().keySet()));
    List<String> columns = new ArrayList<>(List.of("rows"));
    columns.addAll(names);
    return columns;
  }

  /** The cells below {@link #columns}. */
  static List<List<String>> cells(List<SftSummary.Quality> quality) {
    List<String> columns = columns(quality);
    return quality.stream()
        .map(
            at ->
                columns.stream()
                    .map(
                        column ->
                            column.equals("rows")
                                ? "" + at.rows()
                                : String.valueOf(at.figures().getOrDefault(column, Double.NaN)))
                    .toList())
        .toList();
  }

  /** Draws quality by rows, beside the result. */
  static void draw(JobRun run, String output, List<SftSummary.Quality> quality) throws IOException {
    Page page = new Page("Quality by rows");
    page.paragraph("One recipe, trained on growing numbers of rows, evaluated on the same others.");
    Map<String, List<Double>> lines = new TreeMap<>();
    for (String name : columns(quality)) {
      if (name.startsWith("eval_")) {
        lines.put(
            name,
            quality.stream()
                .map(at -> at.figures().getOrDefault(name, Double.NaN).doubleValue())
                .toList());
      }
    }
    double[] rows = quality.stream().mapToDouble(SftSummary.Quality::rows).toArray();
    lines.forEach(
        (name, values) ->
            page.plot(
                new LinePlot(
                    name + " by rows",
                    false,
                    List.of(
                        new LinePlot.Line(
                            name,
                            rows,
                            values.stream().mapToDouble(Double::doubleValue).toArray())))));
    page.table(columns(quality), cells(quality));
    Path file = new Path(output, FILE);
    FileSystem files = file.getFileSystem(run.warehouse().hadoop());
    try (var out = files.create(file, true)) {
      out.write(page.html().getBytes(StandardCharsets.UTF_8));
    }
  }
}
