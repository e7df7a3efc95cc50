package dev.distillery.jobs.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.distillery.core.run.JobException;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.teacher.testing.FakeLlmServer;
import dev.distillery.core.teacher.testing.ScriptedTeacher;
import dev.distillery.core.text.RougeL;
import dev.distillery.core.text.RougeTokenizer;
import dev.distillery.jobs.dedup.DedupJob;
import dev.distillery.jobs.dedup.DedupOptions;
import dev.distillery.jobs.generate.GenerateJob;
import dev.distillery.jobs.generate.GenerateOptions;
import dev.distillery.jobs.generate.GenerateSummary;
import dev.distillery.spark.testing.LocalSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReportJobTest {
  private final SparkSession spark = LocalSpark.session();

  @TempDir Path temp;

  private ReportSummary run(Map<String, String> given) {
    var values = new HashMap<String, List<String>>();
    values.put("run-id", List.of("shown"));
    values.put("warehouse", List.of(temp.resolve("warehouse").toString()));
    values.put("output", List.of(temp.resolve("report.html").toString()));
    given.forEach((name, value) -> values.put(name, List.of(value)));
    return new ReportJob().run(spark, OptionsBinder.of(ReportOptions.class).bind(values));
  }

  private String page() throws IOException {
    return Files.readString(temp.resolve("report.html"));
  }

  private Path instructions() throws IOException {
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      String text =
          i % 4 == 0 ? "Write a poem about river %d." : "Name the capital of country %d, please.";
      lines.add(
          String.format(
              Locale.ROOT,
              "{\"id\": \"i%d\", \"instruction\": \"%s\", \"output\": \"%s\", \"source\": \"%s\","
                  + " \"license\": \"MIT\"}",
              i,
              text.formatted(i),
              "word ".repeat(i + 1),
              i < 30 ? "a" : "b"));
    }
    lines.add(
        "{\"id\": \"x\", \"instruction\": \"Explain </table><script>alert(1)</script> \\u2028\\u202e now\", \"output\": \"%s\", \"source\": \"a\", \"license\": \"MIT\"}"
            .formatted("long ".repeat(1000)));
    return Files.write(temp.resolve("rows.jsonl"), lines);
  }

  @Test
  void aTableOfInstructionsIsShownWithItsRun() throws IOException {
    DedupOptions dedup =
        OptionsBinder.of(DedupOptions.class)
            .bind(
                Map.of(
                    "input", List.of(instructions().toString()),
                    "run-id", List.of("made"),
                    "threshold", List.of("0.99"),
                    "warehouse", List.of(temp.resolve("warehouse").toString())));
    new DedupJob().run(spark, dedup);
    ReportSummary summary = run(Map.of("input", "instructions@made", "sample-rows", "41"));
    assertThat(summary.rows()).isEqualTo(41);
    assertThat(summary.texts()).containsExactly("instruction", "output");
    assertThat(summary.sections())
        .containsExactly(
            "Run", "Columns", "Kinds", "Lengths", "Languages", "Verbs", "Nearest rows", "Samples");
    String page = page();
    assertThat(page)
        // The run's record, and what it was told.
        .contains("<td>made</td><td>dedup</td><td>done</td>")
        .contains("<td>threshold</td><td>0.99</td>")
        // 31 rows of a and 10 of b.
        .containsPattern(">a<title>a</title></text><rect[^>]*/><text[^>]*>31</text>")
        .containsPattern(">b<title>b</title></text><rect[^>]*/><text[^>]*>10</text>")
        // Outputs of 1 to 40 words, and one of 1,000.
        .containsPattern(">512 to 1023<title>[^<]*</title></text><rect[^>]*/><text[^>]*>1</text>")
        .containsPattern(">16 to 31<title>[^<]*</title></text><rect[^>]*/><text[^>]*>16</text>")
        // The wheel.
        .contains("<title>name: 30</title>", "<title>capital: 30</title>")
        .contains("<title>write: 10</title>", "<title>poem: 10</title>");
    assertThat(page)
        .doesNotContain("<script>")
        .contains("&lt;/table&gt;&lt;script&gt;alert(1)&lt;/script&gt;")
        .contains("more characters)");
  }

  /**
   * What a run dropped by which rule, where its rows come from, how similar they are, its curves.
   */
  @Test
  void whatARunDroppedItsSourcesSimilaritiesAndCurvesAreShown() throws IOException {
    GenerateSummary made;
    try (FakeLlmServer server = FakeLlmServer.start(new ScriptedTeacher())) {
      made =
          new GenerateJob()
              .run(
                  spark,
                  OptionsBinder.of(GenerateOptions.class)
                      .bind(
                          Map.of(
                              "run-id", List.of("made"),
                              "num-instructions", List.of("12"),
                              "requests-per-round", List.of("8"),
                              "warehouse", List.of(temp.resolve("warehouse").toString()),
                              "teacher", List.of("openai"),
                              "model", List.of("fake-model"),
                              "base-url", List.of(server.baseUrl()))));
    }
    ReportSummary summary = run(Map.of("input", "instructions@made"));
    assertThat(summary.sections()).contains("Run", "Rejects", "Numbers", "Curves");
    String page = page();
    assertThat(made.rejects()).isNotEmpty();
    made.rejects()
        .forEach(
            (rule, rows) ->
                assertThat(page)
                    .containsPattern(
                        String.format(
                            Locale.ROOT,
                            ">%1$s<title>%1$s</title></text><rect[^>]*/><text[^>]*>%2$d</text>",
                            rule,
                            rows))
                    .contains("<tr><td>" + rule + "</td>"));
    List<Row> rows =
        spark
            .read()
            .parquet(made.tables().get("instructions").path())
            .selectExpr("source", "license", "max_similarity")
            .collectAsList();
    assertThat(page)
        .contains(
            String.format(
                Locale.ROOT,
                "<tr><td>instructions</td><td>%s</td><td>%s</td><td>%d</td>",
                rows.get(0).get(0),
                rows.get(0).get(1),
                rows.size()));
    // Twenty bars of similarities, which hold each row once.
    String bars = page.substring(page.indexOf("<figcaption>max_similarity"));
    long counted = 0;
    int drawn = 0;
    Matcher bar =
        Pattern.compile("<rect[^>]*/><text[^>]*>([0-9,]+)</text>")
            .matcher(bars.substring(0, bars.indexOf("</figure>")));
    while (bar.find()) {
      counted += Long.parseLong(bar.group(1).replace(",", ""));
      drawn++;
    }
    assertThat(drawn).isEqualTo(20);
    assertThat(counted)
        .isEqualTo(rows.stream().filter(row -> !row.isNullAt(2)).count())
        .isPositive();
    String curves = page.substring(page.indexOf(">Curves<"));
    List<String> names =
        spark
            .read()
            .parquet(made.tables().get("metrics").path())
            .select("name")
            .distinct()
            .as(Encoders.STRING())
            .collectAsList();
    assertThat(names)
        .isNotEmpty()
        .allSatisfy(name -> assertThat(curves).contains("<figcaption>" + name + "</figcaption>"));
  }

  @Test
  void nearestRowsAreThoseOfAllRows() throws IOException {
    run(Map.of("input", instructions().toString(), "nearest", "40", "sample-rows", "0"));
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      texts.add(
          (i % 4 == 0 ? "Write a poem about river %d." : "Name the capital of country %d, please.")
              .formatted(i));
    }
    var tokenizer = new RougeTokenizer();
    String own = "Write a poem about river 8.";
    double best =
        texts.stream()
            .filter(text -> !text.equals(own))
            .mapToDouble(text -> RougeL.score(tokenizer.tokenize(own), tokenizer.tokenize(text)))
            .max()
            .orElseThrow();
    assertThat(page())
        .contains(
            String.format(
                Locale.ROOT,
                "<tr><td>%s</td><td>%.3f</td><td>Write a poem about river 0.</td></tr>",
                own,
                best));
  }

  @Test
  void figuresByStepAreDrawnAsCurves() throws IOException {
    List<String> lines = new ArrayList<>();
    for (int step = 1; step <= 900; step++) {
      lines.add(
          String.format(
              Locale.ROOT, "{\"step\": %d, \"name\": \"loss\", \"value\": %s}", step, 9.0 / step));
      lines.add(
          String.format(
              Locale.ROOT, "{\"step\": %d, \"name\": \"grad_norm\", \"value\": 1.5}", step));
    }
    ReportSummary summary =
        run(Map.of("input", Files.write(temp.resolve("m.jsonl"), lines).toString()));
    assertThat(summary.sections()).containsExactly("Columns", "Kinds", "Curves", "Samples");
    assertThat(page())
        .contains("<figcaption>loss</figcaption>", "<figcaption>grad_norm</figcaption>")
        .containsPattern(">loss<title>loss</title></text><rect[^>]*/><text[^>]*>900</text>");
  }

  @Test
  void wordsArePartedByWhateverWhiteSpaceAndBlankTextsHaveNone() throws IOException {
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      lines.add(String.format(Locale.ROOT, "{\"text\": \"print(%d)\\n\"}", i));
    }
    lines.add("{\"text\": \"\\n\\n\"}");
    run(Map.of("input", Files.write(temp.resolve("code.jsonl"), lines).toString()));
    assertThat(page())
        .containsPattern(">1<title>1</title></text><rect[^>]*/><text[^>]*>60</text>")
        .containsPattern(">none<title>none</title></text><rect[^>]*/><text[^>]*>1</text>");
  }

  @Test
  void columnsThatOnlyAreCalledAsFiguresAreNone() throws IOException {
    Path file =
        Files.writeString(
            temp.resolve("algebra.jsonl"),
            "{\"step\": \"Factor x\", \"name\": \"p1\", \"value\": \"x=2\"}\n");
    assertThat(run(Map.of("input", file.toString())).sections()).doesNotContain("Curves");
  }

  /** As a kill leaves it, and as no run of ours wrote it. */
  @Test
  void aPageThatWasBegunIsReplacedAndOnlyPagesOfOursAre() throws IOException {
    Map<String, String> given = Map.of("input", instructions().toString(), "nearest", "0");
    Files.writeString(temp.resolve("report.html"), "<!DOCTYPE html>\n<html lang");
    run(given);
    String page = page();
    Files.writeString(temp.resolve("report.html"), "<!DOCTYPE html>\n<html><title>mine</title>");
    assertThatThrownBy(
            () -> run(Map.of("input", given.get("input"), "run-id", "other", "overwrite", "true")))
        .hasMessageContaining("is no page of ours");
    Files.writeString(temp.resolve("report.html"), page.replace("</main>", "edited</main>"));
    run(Map.of("input", given.get("input"), "run-id", "other", "overwrite", "true"));
    assertThat(page()).contains("Report other").doesNotContain("edited");
    try (var files = Files.list(temp)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .noneMatch(name -> name.endsWith(".part") || name.equals(".report.html.crc"));
    }
  }

  /** The same page, but for its run's own facts, on any number of partitions. */
  @Test
  void thePageDependsOnNoPartition() throws IOException {
    Map<String, String> given = Map.of("input", instructions().toString());
    run(given);
    String one = page();
    String before = spark.conf().get("spark.sql.shuffle.partitions");
    spark.conf().set("spark.sql.shuffle.partitions", "7");
    spark.conf().set("spark.sql.files.maxPartitionBytes", "700");
    try {
      Files.delete(temp.resolve("report.html"));
      run(Map.of("input", given.get("input"), "run-id", "again"));
      assertThat(page().replace("again", "shown")).isEqualTo(one);
    } finally {
      spark.conf().set("spark.sql.shuffle.partitions", before);
      spark.conf().unset("spark.sql.files.maxPartitionBytes");
    }
  }

  @Test
  void anyFilesAreShownAndNothingOfThemIsRunOrLost() throws IOException {
    Path files = temp.resolve("odd.jsonl");
    Files.write(
        files,
        List.of(
            "{\"a b\": 1.5, \"c.d\": [1, 2], \"e\": null, \"f\": {\"g\": \"<b>\"}, \"h`i\":"
                + " \"one\"}",
            "{\"a b\": -3, \"c.d\": [], \"e\": null, \"f\": null, \"h`i\": \"one\"}"));
    ReportSummary summary = run(Map.of("input", files.toString()));
    assertThat(summary.rows()).isEqualTo(2);
    assertThat(summary.sections()).containsExactly("Columns", "Kinds", "Numbers", "Samples");
    assertThat(page())
        .containsPattern(">one<title>one</title></text><rect[^>]*/><text[^>]*>2</text>")
        .contains("<td>a b</td><td>double</td><td>100.0%</td>")
        .doesNotContain("<b>");
    assertThatThrownBy(() -> run(Map.of("input", files.toString(), "run-id", "second")))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("give --overwrite");
    assertThatThrownBy(
            () -> run(Map.of("input", files.toString(), "texts", "g", "overwrite", "true")))
        .hasMessageContaining(
            "Option --texts: there is no column 'g'; there are a b, c.d, e, f, h`i");
  }
}
