package dev.distillery.spark.job;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.run.OptionsBinder;
import dev.distillery.spark.job.JobRunTest.Counts;
import dev.distillery.spark.testing.LocalSpark;
import dev.distillery.spark.warehouse.Tables;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Rows of an input whose messages cannot be read: no job sees them, and the run rejects them. */
class UnreadableRowsTest {
  @TempDir Path folder;

  private String rows() throws IOException {
    return Files.writeString(
            folder.resolve("rows.jsonl"),
            """
            {"id": "1", "messages": [{"role": "user", "content": "a"}]}
            {"id": "2", "messages": [{"role": "user", "content": [{"type": "image_url"}]}]}
            {"id": "3", "messages": [{"role": "user", "content": "c"}]}
            """)
        .toString();
  }

  private Counts run(JobRunTest.Body body, Map<String, List<String>> more) {
    var given = new HashMap<String, List<String>>();
    given.put("warehouse", List.of(folder.resolve("wh").toString()));
    given.put("run-id", List.of("a1"));
    given.put("rows", List.of("0"));
    given.putAll(more);
    return new JobRunTest.Example("example", null, body)
        .run(LocalSpark.session(), OptionsBinder.of(JobRunTest.Options.class).bind(given));
  }

  /** A job with a row of its own, that reads beside it. */
  private static JobRunTest.Body beside(String main, String side) {
    return run -> {
      Dataset<Row> read = run.inputs(List.of(main), Tables.CONVERSATIONS);
      long others = run.sideInputs(List.of(side), Tables.CONVERSATIONS).count();
      long rows = read.count();
      long kept = run.dryRun() ? rows : run.write(Tables.CONVERSATIONS, read);
      return Outcome.done(new Counts(run, others), RowAccount.of("rows", rows, kept));
    };
  }

  private static Dataset<Row> table(Counts summary, String name) {
    return LocalSpark.session().read().parquet(summary.tables().get(name).path());
  }

  @Test
  void aJobThatRejectsNothingItselfHasThemInItsRejects() throws IOException {
    String input = rows();
    Counts summary =
        run(
            run -> {
              Dataset<Row> read = run.inputs(List.of(input), Tables.CONVERSATIONS);
              long kept = run.write(Tables.CONVERSATIONS, read);
              return Outcome.done(new Counts(run, kept), RowAccount.of("rows", read.count(), kept));
            },
            Map.of());
    assertThat(table(summary, "conversations").count()).isEqualTo(2);
    assertThat(summary.rejects()).containsExactly(Map.entry("unsupported_content", 1L));
    Row rejected = table(summary, "rejects").head();
    assertThat(rejected.toString())
        .startsWith(
            "[example,2,unsupported_content,Message 1 has a part that is no text: image_url,{");
    assertThat(rejected.<String>getAs("row")).contains("image_url");
  }

  @Test
  void theyStandBesideTheJobsOwnRejectsAndDoNotReachADryRunsTables() throws IOException {
    String input = rows();
    JobRunTest.Body body =
        run -> {
          // Asked for twice, and counted once.
          Dataset<Row> read = run.inputs(List.of(input), Tables.CONVERSATIONS);
          Dataset<Row> again = run.inputs(List.of(input), Tables.CONVERSATIONS);
          assertThat(again.count()).isEqualTo(2);
          if (run.dryRun()) {
            return Outcome.done(
                new Counts(run, 2), RowAccount.of("rows", 2, 1).rejects(Map.of("own", 1L)));
          }
          long kept = run.write(Tables.CONVERSATIONS, read.where("id <> '3'"));
          Map<String, Long> rejects =
              run.reject(read.where("id = '3'"), functions.lit("own"), functions.lit("Mine"));
          return Outcome.done(
              new Counts(run, kept), RowAccount.of("rows", 2, kept).rejects(rejects));
        };
    assertThat(run(body, Map.of("dry-run", List.of("true"))).rejects())
        .containsOnly(Map.entry("own", 1L), Map.entry("unsupported_content", 1L));
    Counts summary = run(body, Map.of());
    assertThat(summary.rejects())
        .containsOnly(Map.entry("own", 1L), Map.entry("unsupported_content", 1L));
    assertThat(table(summary, "rejects").select("rule").collectAsList())
        .extracting(row -> row.getString(0))
        .containsExactlyInAnyOrder("own", "unsupported_content");
  }

  @Test
  void rowsOfWhatIsReadBesideTheInputAreRejectsAndNoneOfItsUnits() throws IOException {
    String side = rows();
    String main =
        Files.writeString(
                folder.resolve("main.jsonl"),
                """
                {"id": "7", "messages": [{"role": "user", "content": "g"}]}
                {"id": "8", "messages": [{"role": "narrator", "content": "h"}]}
                """)
            .toString();
    Counts summary = run(beside(main, side), Map.of());
    assertThat(summary.rejects())
        .containsOnly(Map.entry("unknown_role", 1L), Map.entry("unsupported_content", 1L));
    assertThat(table(summary, "rejects").sort("id").select("id", "detail").collectAsList())
        .extracting(Row::toString)
        .containsExactly(
            "[2," + side + ": Message 1 has a part that is no text: image_url]",
            "[8,Message 1: no role of a dialogue: 'narrator']");
    // Of one file that is both, the rows are units.
    Counts both = run(beside(side, side), Map.of("run-id", List.of("a2")));
    assertThat(both.rejects()).containsExactly(Map.entry("unsupported_content", 1L));
    assertThat(table(both, "rejects").select("detail").head().getString(0)).startsWith("Message");
  }

  /** What a run rejects is kept when it is found: a run may last longer than its input. */
  @Test
  void anInputThatIsGoneWhenTheJobEndsIsNotReadAgain() throws IOException {
    String input = rows();
    Counts summary =
        run(
            run -> {
              Dataset<Row> read = run.inputs(List.of(input), Tables.CONVERSATIONS);
              long kept = run.write(Tables.CONVERSATIONS, read);
              Files.delete(Path.of(input));
              return Outcome.done(new Counts(run, kept), RowAccount.of("rows", 2, kept));
            },
            Map.of());
    assertThat(table(summary, "rejects").select("id").head().getString(0)).isEqualTo("2");
  }
}
