package dev.distillery.training.card;

import dev.distillery.spark.license.Licenses;
import dev.distillery.spark.license.SourceLicense;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * A trained model's README.md: what it began from, what it was trained on and whose that is, how,
 * and what came of it.
 */
public final class ModelCard {
  /** Points of a curve that are shown. */
  private static final int POINTS = 20;

  private final String title;
  private final String base;
  private final Optional<String> baseLicense;
  private final List<Source> sources;
  private final Map<String, String> options;
  private final Map<String, Number> figures;
  private String teacher = "";
  private final StringBuilder tables = new StringBuilder();
  private final Map<String, List<Point>> curves = new LinkedHashMap<>();
  private final List<Sample> samples = new ArrayList<>();

  /**
   * Rows of one source.
   *
   * @param license SPDX expression
   */
  public record Source(String name, String license, long rows) {}

  /** The sources of some inputs with their licenses, input by input. */
  public static List<Source> sources(List<Dataset<Row>> inputs) {
    List<Source> all = new ArrayList<>();
    for (Dataset<Row> rows : inputs) {
      for (Row row :
          rows.groupBy("source", "license").count().sort("source", "license").collectAsList()) {
        all.add(new Source(row.getString(0), row.getString(1), row.getLong(2)));
      }
    }
    return all;
  }

  /** A figure at a step. */
  public record Point(long step, double value) {}

  /** What was answered to a prompt before training, and after. */
  public record Sample(String prompt, String before, String after) {}

  /**
   * @param title what was done, as a heading
   * @param base model that training began from
   * @param baseLicense as it says itself
   * @param options all effective ones
   * @param figures of the run
   */
  public ModelCard(
      String title,
      String base,
      Optional<String> baseLicense,
      List<Source> sources,
      Map<String, String> options,
      Map<String, Number> figures) {
    this.title = title;
    this.base = base;
    this.baseLicense = baseLicense;
    this.sources = List.copyOf(sources);
    this.options = new LinkedHashMap<>(options);
    this.figures = new LinkedHashMap<>(figures);
  }

  /**
   * Names the model whose probabilities were learned.
   *
   * @param license as it says itself
   */
  public void setTeacher(String model, Optional<String> license) {
    teacher =
        "Learned the probabilities of `%s` (license: %s), whose terms may hold for what was learned from it."
            .formatted(model, license.map(ModelCard::escaped).orElse("not stated"));
  }

  /** Adds a curve; of a long one some points are shown, the first and the last among them. */
  public void addCurve(String name, List<Point> points) {
    if (!points.isEmpty()) {
      curves.put(name, List.copyOf(points));
    }
  }

  /** Adds a table. */
  public void addTable(String heading, List<String> columns, List<List<String>> rows) {
    tables.append("## ").append(escaped(heading)).append("\n\n").append(line(columns));
    tables.append("|---".repeat(columns.size())).append("|\n");
    rows.forEach(row -> tables.append(line(row)));
    tables.append('\n');
  }

  private static String line(List<String> cells) {
    return "| "
        + cells.stream().map(ModelCard::escaped).collect(Collectors.joining(" | "))
        + " |\n";
  }

  /** Adds a sample. */
  public void addSample(Sample sample) {
    samples.add(sample);
  }

  /** The card as Markdown. */
  public String toMarkdown() {
    var text = new StringBuilder();
    text.append("---\nbase_model: ").append(quoted(base)).append('\n');
    text.append("library_name: transformers\ntags:\n- distillery\n---\n\n");
    text.append("# ").append(escaped(title)).append("\n\n");
    text.append("Began from `").append(base).append("` (license: ");
    text.append(baseLicense.map(ModelCard::escaped).orElse("not stated")).append(").\n\n");
    if (!teacher.isEmpty()) {
      text.append(teacher).append("\n\n");
    }
    data(text);
    table(text, "Hyperparameters", "Option", options);
    table(text, "Figures", "Figure", figures);
    text.append(tables);
    curves.forEach((name, points) -> curve(text, name, points));
    if (!samples.isEmpty()) {
      text.append("## Samples\n\n");
      for (Sample sample : samples) {
        text.append("Prompt:\n\n").append(block(sample.prompt()));
        text.append("Before:\n\n").append(block(sample.before()));
        text.append("After:\n\n").append(block(sample.after()));
      }
    }
    return text.toString();
  }

  private void data(StringBuilder text) {
    text.append("## Data\n\n| Source | License | Rows | Terms |\n|---|---|---:|---|\n");
    var naming = new TreeSet<String>();
    for (Source source : sources) {
      Optional<SourceLicense> known = Licenses.of(source.name());
      String terms = known.map(SourceLicense::terms).orElse("not in the registry of sources");
      known
          .filter(license -> !license.providerTerms().isEmpty())
          .ifPresent(license -> naming.add(license.source() + ": " + license.providerTerms()));
      text.append("| ").append(escaped(source.name()));
      text.append(" | ").append(escaped(source.license()));
      text.append(" | ").append(source.rows());
      text.append(" | ").append(escaped(terms)).append(" |\n");
    }
    text.append("\nWho is to be named stands in the column `attribution` of the inputs' rows.\n");
    for (String line : naming) {
      text.append("\n- ").append(escaped(line)).append('\n');
    }
    text.append('\n');
  }

  private static void table(
      StringBuilder text, String heading, String column, Map<String, ?> values) {
    text.append("## ").append(heading).append("\n\n| ").append(column).append(" | Value |\n");
    text.append("|---|---|\n");
    values.forEach(
        (name, value) ->
            text.append("| ")
                .append(name)
                .append(" | ")
                .append(escaped(String.valueOf(value)))
                .append(" |\n"));
    text.append('\n');
  }

  private static void curve(StringBuilder text, String name, List<Point> points) {
    text.append("## ")
        .append(name)
        .append("\n\n| Step | ")
        .append(name)
        .append(" |\n|---:|---:|\n");
    int shown = Math.min(POINTS, points.size());
    for (int i = 0; i < shown; i++) {
      int at = shown == 1 ? 0 : (int) ((long) i * (points.size() - 1) / (shown - 1));
      Point point = points.get(at);
      text.append("| ").append(point.step()).append(" | ").append(point.value()).append(" |\n");
    }
    text.append('\n');
  }

  /** Text of others stands as it is: indented, so that nothing in it is markup. */
  private static String block(String given) {
    return "    " + given.strip().replace("\n", "\n    ") + "\n\n";
  }

  private static String escaped(String given) {
    return given.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ");
  }

  private static String quoted(String given) {
    return "\"" + given.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
  }

  /** Writes the card as a folder's README.md, in place of one that is there. */
  public void write(Path folder, Configuration hadoop) throws IOException {
    FileSystem files = folder.getFileSystem(hadoop);
    try (var out = files.create(new Path(folder, "README.md"), true)) {
      out.write(toMarkdown().getBytes(StandardCharsets.UTF_8));
    }
  }
}
