package dev.distillery.jobs.report;

import static dev.distillery.spark.warehouse.Columns.named;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.length;
import static org.apache.spark.sql.functions.substring;

import dev.distillery.core.page.BarPlot;
import dev.distillery.core.page.LinePlot;
import dev.distillery.core.page.Page;
import dev.distillery.core.page.Series;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Manual;
import dev.distillery.core.run.Nearest;
import dev.distillery.core.run.RunOptions;
import dev.distillery.spark.job.Job;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.job.Outcome;
import dev.distillery.spark.job.PageFile;
import dev.distillery.spark.job.RowAccount;
import dev.distillery.spark.warehouse.RunRecord;
import dev.distillery.spark.warehouse.Table;
import dev.distillery.spark.warehouse.TableRef;
import dev.distillery.spark.warehouse.Tables;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.NumericType;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.storage.StorageLevel;
import org.jspecify.annotations.Nullable;

/**
 * One page that shows a table and the run that wrote it. See {@link #manual}.
 *
 * <pre>{@code
 * ReportOptions options =
 *     ReportOptions.builder().input("instructions").output("report.html").build();
 * ReportSummary summary = new ReportJob().run(spark, options);
 * System.out.println(summary.rows() + " rows: " + summary.sections());
 * }</pre>
 */
public final class ReportJob implements Job<ReportOptions, ReportSummary> {
  private static final int SITE = 9;
  private static final int MOST_CURVES = 60;
  private static final int POINTS = 400;
  private static final int REJECTS = 20;

  /** Characters of a text that a page shows. */
  private static final int SHOWN = 2000;

  private static final Table ROWS =
      new Table("rows", "Rows of any table, with columns of their own.", new StructType());

  @Override
  public String name() {
    return "report";
  }

  @Override
  public String purpose() {
    return "Show a table and the run that wrote it on one page.";
  }

  @Override
  public Manual manual() {
    return Manual.of(
        """
        Counts, rejects by rule, sources and licenses, columns, lengths, languages, histograms of
        numbers such as similarities and scores, the verbs of instructions with their objects (as
        Self-Instruct draws them), nearest rows by ROUGE-L, samples, and curves of metrics. What
        a table does not have is left out. The page is one file: it loads nothing, runs no script
        and shows every text as text.
        """,
        "any table, or files of JSONL or Parquet with any columns.",
        "no table; the page at --output.",
        "distillery report --input instructions --output report.html");
  }

  @Override
  public Class<ReportOptions> optionsType() {
    return ReportOptions.class;
  }

  @Override
  public Class<ReportSummary> summaryType() {
    return ReportSummary.class;
  }

  @Override
  public RunOptions runOptions(ReportOptions options) {
    return options.run();
  }

  @Override
  public List<TableRef> inputs(ReportOptions options) {
    return List.of(TableRef.parse(options.input()));
  }

  @Override
  public Outcome<ReportSummary> perform(JobRun run, ReportOptions options) throws IOException {
    var file = new PageFile(options.output(), run, "Report " + run.id() + ": " + options.input());
    Page page = file.page();
    TableRef ref = TableRef.parse(options.input());
    Table table =
        ref instanceof TableRef.Named named ? Tables.byName(named.table()).orElse(ROWS) : ROWS;
    Dataset<Row> rows =
        run.inputsOfAnyLicense(List.of(options.input()), table)
            .persist(StorageLevel.MEMORY_AND_DISK());
    try {
      var profile = run.phase("Count " + options.input(), () -> new TableProfile(rows));
      List<TextColumn> texts = texts(profile, rows, options.texts());
      var sections = new Sections(page, run);
      Optional<RunRecord> record = run.writtenBy(options.input());
      record.ifPresent(found -> sections.add("Run", () -> RunSection.onto(page, found)));
      record
          .filter(found -> found.tables().containsKey(Tables.REJECTS.name()))
          .filter(found -> !table.equals(Tables.REJECTS))
          .ifPresent(found -> sections.add("Rejects", () -> rejects(page, run, found.runId())));
      sections.add("Columns", () -> profile.columns(page));
      if (profile.rows() > 0) {
        table(sections, run, page, rows, profile, texts, options);
      }
      curves(sections, page, run, record, rows);
      if (options.sampleRows() > 0 && profile.rows() > 0) {
        sections.add("Samples", () -> samples(page, rows, options));
      }
      if (!run.dryRun()) {
        file.write(page, run);
      }
      return Outcome.done(
          new ReportSummary(
              run.summary(),
              profile.rows(),
              texts.stream().map(TextColumn::name).toList(),
              sections.names),
          RowAccount.of("rows", profile.rows(), profile.rows()));
    } finally {
      rows.unpersist();
    }
  }

  /** Sections of a page, each told as it is made. */
  private static final class Sections {
    private final Page page;
    private final JobRun run;
    private final List<String> names = new ArrayList<>();

    Sections(Page page, JobRun run) {
      this.page = page;
      this.run = run;
    }

    /** A section of pictures; none where there are none. */
    void add(String name, List<BarPlot> plots) {
      if (!plots.isEmpty()) {
        add(name, () -> plots.forEach(page::plot));
      }
    }

    void add(String name, Runnable section) {
      page.heading(name);
      names.add(name);
      run.phase(
          name,
          () -> {
            section.run();
            return name;
          });
    }
  }

  private static List<TextColumn> texts(
      TableProfile profile, Dataset<Row> rows, List<String> wanted) {
    if (wanted.isEmpty()) {
      return profile.texts();
    }
    List<String> columns = List.of(rows.columns());
    List<String> violations = new ArrayList<>();
    List<TextColumn> texts = new ArrayList<>();
    for (String name : wanted) {
      if (!columns.contains(name)) {
        violations.add(
            "Option --texts: there is no column '"
                + name
                + "'; there are "
                + String.join(", ", columns)
                + Nearest.hint(name, columns));
        continue;
      }
      var field = rows.schema().apply(name);
      if (!TextColumn.isString(field) && !TextColumn.isMessages(field)) {
        violations.add(
            "Option --texts: '%s' holds %s, no texts"
                .formatted(name, field.dataType().simpleString()));
      }
      texts.add(new TextColumn(field));
    }
    if (!violations.isEmpty()) {
      throw JobException.invalid(violations);
    }
    return texts;
  }

  private static void table(
      Sections sections,
      JobRun run,
      Page page,
      Dataset<Row> rows,
      TableProfile profile,
      List<TextColumn> texts,
      ReportOptions options) {
    long seed = options.run().randomSeed();
    sections.add("Kinds", run.phase("Count kinds", profile::kinds));
    if (!isMetrics(rows)) {
      sections.add("Numbers", run.phase("Count numbers", profile::numbers));
    }
    if (texts.isEmpty()) {
      return;
    }
    sections.add("Lengths", () -> profile.lengths(page, texts));
    sections.add(
        "Languages",
        () -> {
          page.paragraph(
              String.format(
                  Locale.ROOT,
                  "Of %,d rows at most, drawn by the seed.",
                  TextFindings.LANGUAGE_ROWS));
          texts.forEach(column -> page.plot(TextFindings.languages(rows, column, seed)));
        });
    Optional<TextColumn> asked = TextFindings.asked(texts);
    asked.ifPresent(
        column ->
            sections.add(
                "Verbs",
                () -> {
                  page.paragraph(
                      "The first verb of each text and its direct object, told from parts of"
                          + " speech: the 20 most frequent verbs, the four most frequent objects"
                          + " of each.");
                  page.plot(TextFindings.verbs(rows, column));
                }));
    if (options.nearest() > 0) {
      TextColumn column = asked.orElse(texts.get(0));
      sections.add("Nearest rows", () -> nearest(page, rows, column, seed, options.nearest()));
    }
  }

  private static void nearest(
      Page page, Dataset<Row> rows, TextColumn column, long seed, int most) {
    page.paragraph(
        "Texts of " + column.name() + ", drawn by the seed, with the most similar of all others.");
    List<List<String>> lines = new ArrayList<>();
    for (TextFindings.Near near : TextFindings.nearest(rows, column, seed, most)) {
      String text = near.text();
      for (Map.Entry<String, Double> other : near.nearest()) {
        lines.add(
            List.of(
                cut(text),
                String.format(Locale.ROOT, "%.3f", other.getValue()),
                cut(other.getKey())));
        text = "";
      }
    }
    page.table(List.of("text", "ROUGE-L F", "nearest"), lines);
  }

  private static void rejects(Page page, JobRun run, String runId) {
    List<List<String>> lines =
        run
            .sideInputs(List.of(Tables.REJECTS.name() + "@" + runId), Tables.REJECTS)
            .orderBy("rule", "id", "row")
            .limit(REJECTS)
            .collectAsList()
            .stream()
            .map(
                row ->
                    List.of(
                        shown(row.getAs("rule")),
                        shown(row.getAs("id")),
                        shown(row.getAs("detail")),
                        shown(row.getAs("row"))))
            .toList();
    page.table(List.of("rule", "id", "detail", "row"), lines);
  }

  /** Whether rows are figures by step, as those of the table metrics. */
  private static boolean isMetrics(Dataset<Row> rows) {
    return List.of(rows.columns()).containsAll(List.of("step", "name", "value"))
        && rows.schema().apply("step").dataType() instanceof NumericType
        && TextColumn.isString(rows.schema().apply("name"))
        && rows.schema().apply("value").dataType() instanceof NumericType;
  }

  /** Of the rows themselves, or of the run that wrote them. */
  private static void curves(
      Sections sections, Page page, JobRun run, Optional<RunRecord> record, Dataset<Row> rows) {
    String metrics = Tables.METRICS.name();
    if (isMetrics(rows)) {
      sections.add("Curves", () -> curves(page, rows));
    } else if (record.filter(found -> found.tables().containsKey(metrics)).isPresent()) {
      Dataset<Row> own =
          run.sideInputs(List.of(metrics + "@" + record.get().runId()), Tables.METRICS);
      sections.add("Curves", () -> curves(page, own));
    }
  }

  private static void curves(Page page, Dataset<Row> metrics) {
    Map<String, Series> series = new LinkedHashMap<>();
    // A few rows at a time: a long run has millions.
    Iterator<Row> points =
        metrics
            .select(
                col("name").cast("string"), col("step").cast("long"), col("value").cast("double"))
            .na()
            .drop()
            .orderBy("name", "step", "value")
            .toLocalIterator();
    while (points.hasNext()) {
      Row point = points.next();
      if (series.size() < MOST_CURVES || series.containsKey(point.getString(0))) {
        series
            .computeIfAbsent(point.getString(0), name -> new Series(POINTS))
            .add((double) point.getLong(1), point.getDouble(2));
      }
    }
    series.forEach((name, line) -> page.plot(new LinePlot(name, false, List.of(line.line(name)))));
  }

  private static void samples(Page page, Dataset<Row> rows, ReportOptions options) {
    List<String> columns = List.of(rows.columns());
    List<Column> shown = new ArrayList<>();
    for (String name : columns) {
      Column text = named(name).cast("string");
      shown.add(substring(text, 1, SHOWN));
      shown.add(length(text));
    }
    List<List<String>> lines = new ArrayList<>();
    int number = 0;
    for (Row row :
        TextFindings.drawn(rows, shown, options.run().randomSeed(), SITE, options.sampleRows())
            .collectAsList()) {
      number++;
      for (int i = 0; i < columns.size(); i++) {
        if (!row.isNullAt(2 * i) && !row.getString(2 * i).isEmpty()) {
          int more = row.getInt(2 * i + 1) - SHOWN;
          lines.add(
              List.of(
                  "" + number,
                  columns.get(i),
                  row.getString(2 * i) + (more > 0 ? more(more) : "")));
        }
      }
    }
    page.table(List.of("row", "column", "value"), lines);
  }

  private static String shown(@Nullable Object value) {
    return value == null ? "" : cut(value.toString());
  }

  private static String cut(String text) {
    int characters = text.codePointCount(0, text.length());
    return characters <= SHOWN
        ? text
        : text.substring(0, text.offsetByCodePoints(0, SHOWN)) + more(characters - SHOWN);
  }

  private static String more(int characters) {
    return String.format(Locale.ROOT, "\u2026 (%,d more characters)", characters);
  }
}
