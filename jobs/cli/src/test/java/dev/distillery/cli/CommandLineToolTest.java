package dev.distillery.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.run.ProgressListener;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.Instant;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the command line says and how it ends before any Spark is started. */
class CommandLineToolTest {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  private int run(String... args) {
    return new CommandLineTool(
            stream(out), stream(err), ProgressListener.on(stream(err)), Clock.systemUTC())
        .run(args);
  }

  private static PrintStream stream(ByteArrayOutputStream bytes) {
    return new PrintStream(bytes, true, StandardCharsets.UTF_8);
  }

  private String out() {
    return out.toString(StandardCharsets.UTF_8);
  }

  private String err() {
    return err.toString(StandardCharsets.UTF_8);
  }

  @Test
  void listsTheJobsEachWithItsPurpose() {
    assertThat(run("list")).isZero();
    assertThat(out()).contains("generate ").contains("dedup ").contains("show ");
  }

  @Test
  void helpTellsEveryOptionWithItsDefaultAndAnExample() {
    assertThat(run("generate", "--help")).isZero();
    assertThat(out().replaceAll("\\s+", " "))
        .contains("--num-instructions=N", "1 or more; default: 100)", "--max-cost-usd=USD")
        .contains("Example:", "distillery generate --recipe alpaca");
  }

  @Test
  void anUnknownJobIsAUsageErrorThatNamesTheNearest() {
    assertThat(run("generat")).isEqualTo(2);
    assertThat(err()).contains("Unknown job 'generat'; did you mean generate?");
  }

  @Test
  void everyUnknownOptionIsNamedWithItsNearest() {
    assertThat(run("generate", "--recipee", "alpaca", "--num-instruction=3", "stray")).isEqualTo(2);
    assertThat(err())
        .contains("Unknown option '--recipee'; did you mean --recipe?")
        .contains("Unknown option '--num-instruction'; did you mean --num-instructions?")
        .contains("Unexpected word 'stray'");
    assertThat(out()).isEmpty();
  }

  @Test
  void wrongValuesAreListedBesideUnknownOptions() {
    assertThat(run("generate", "--recipee", "alpaca", "--num-instructions", "many")).isEqualTo(2);
    assertThat(err()).contains("3 problems", "'--recipee'", "found 'many'");
  }

  @Test
  void aSeedFileIsReadBeforeSparkStarts(@TempDir Path folder) throws IOException {
    Path seeds = folder.resolve("seeds.jsonl");
    Files.writeString(seeds, "{\"id\": 7}\n");
    assertThat(run("generate", "--seed-tasks", seeds.toString())).isEqualTo(3);
    assertThat(err()).contains(seeds + ":1:").contains("instruction");
    assertThat(run("generate", "--seed-tasks", folder.resolve("none").toString())).isEqualTo(3);
    assertThat(err()).contains("Option --seed-tasks: no file at");
  }

  @Test
  void everyWrongValueIsListedBeforeSparkStarts() {
    assertThat(run("generate", "--num-instructions", "many", "--recipe", "alpacca")).isEqualTo(3);
    assertThat(err())
        .contains("2 problems")
        .contains("Option --num-instructions: expected a whole number, found 'many'")
        .contains("found 'alpacca'; did you mean alpaca?");
  }

  @Test
  void theDataAssemblySaysWhereTheStudentIs() {
    assertThat(
            run(
                "complete",
                "--teacher",
                "student",
                "--model",
                "out/sft",
                "--prompt",
                "Why?",
                "--extra-body",
                "{\"min_p\": 0.1}",
                "--response-format",
                "{}",
                "--api",
                "completions"))
        .isEqualTo(3);
    assertThat(err())
        .contains("3 problems")
        .contains("distillery-data.jar does not carry; submit distillery-training.jar")
        .contains("Option --extra-body: expected only with --teacher openai or gguf or replay")
        .contains(
            "Option --response-format: expected only with --api chat where --teacher is student");
  }

  @Test
  void aChatTemplateIsTheStudents() {
    assertThat(run("complete", "--prompt", "Why?", "--chat-template", "chatml")).isEqualTo(3);
    assertThat(err())
        .contains(
            "Option --chat-template: expected only with --teacher student, found --teacher gguf");
  }

  @ParameterizedTest
  @ValueSource(strings = {"generate", "complete", "ingest --source=oig", "dedup", "curate"})
  void everyJobChecksWhatAllJobsAreTold(String call) {
    assertThat(run((call + " --run-id 7+seas").split(" ", -1))).isEqualTo(3);
    assertThat(err()).contains("Option --run-id: expected what matches");
  }

  @Test
  void aRecipesUnknownKeyIsRefused(@TempDir Path folder) throws IOException {
    Path recipe = folder.resolve("r.yaml");
    Files.writeString(recipe, "generate:\n  num-instuctions: 3\n");
    assertThat(run("generate", "--config", recipe.toString())).isEqualTo(3);
    assertThat(err())
        .contains(recipe + ": Unknown option 'num-instuctions'; did you mean num-instructions?");
    assertThat(run("generate", "--config", folder.resolve("none.yaml").toString())).isEqualTo(3);
    assertThat(err()).contains("Option --config: no file at");
  }

  @Test
  void showSaysWhatIsNotThere(@TempDir Path folder) {
    assertThat(run("show", "instructions", "--warehouse", folder.toString())).isEqualTo(3);
    assertThat(err()).contains("has a table 'instructions'; the warehouse has no finished run");
    assertThat(run("show", "--sql", "duckdb")).isEqualTo(3);
    assertThat(err()).contains("Option --sql: expected only with --ref");
    assertThat(run("show", "--warehouse", folder.toString())).isZero();
    assertThat(out()).contains("No such run in file:" + folder);
  }

  @Test
  void runsTellsStatesSizesAndWhatWentIn(@TempDir Path folder) throws IOException {
    Files.createDirectories(folder.resolve("_runs"));
    record(
        folder, "r1", 1, "done", "complete", "\"completions\": {\"rows\": 1200, \"bytes\": 34567}");
    record(folder, "r2", 2, "done", "dedup", "\"documents\": {\"rows\": 1, \"bytes\": 9}");
    record(folder, "r3", 3, "partial", "complete", "");
    Files.writeString(folder.resolve("_runs/r0.json"), "{");
    // A driver of this very machine that is no more, and one that is this process.
    var self = ProcessHandle.current();
    mark(folder, "r4", 1L << 40, 1);
    mark(folder, "r3", self.pid(), self.info().startInstant().orElseThrow().toEpochMilli());

    String warehouse = folder.toString();
    assertThat(run("show", "--warehouse", warehouse)).isZero();
    String host = "@here";
    assertThat(out().lines().filter(line -> line.startsWith("r")))
        .containsExactly(
            "r4  died  driver " + (1L << 40) + host,
            "r3  complete  running  driver " + self.pid() + host + "; before: partial  2026-01-03",
            "r2  dedup  done  2026-01-02",
            "r1  complete  done  2026-01-01");
    assertThat(out())
        .contains("  The budget is spent\n")
        .contains("  completions              1,200 rows     34.6 kB\n")
        .contains("  from prompts.jsonl\n");

    out.reset();
    assertThat(run("runs", "completions", "--json", "--warehouse", warehouse)).isZero();
    assertThat(out())
        .startsWith("{\"run_id\":\"r1\",\"state\":\"done\",\"job\":\"complete\"")
        .contains("\"tables\":{\"completions\":{\"path\":\"\",\"rows\":1200,\"bytes\":34567}}")
        .contains("\"inputs\":[\"prompts.jsonl\"]")
        .hasLineCount(1);
    out.reset();
    assertThat(run("runs", "--limit", "1", "--job", "complete", "--warehouse", warehouse)).isZero();
    assertThat(out()).startsWith("r3  ").contains("There are older ones").doesNotContain("r1");
    out.reset();
    assertThat(run("runs", "--state", "died", "--json", "--warehouse", warehouse)).isZero();
    assertThat(out()).startsWith("{\"run_id\":\"r4\",\"state\":\"died\"").hasLineCount(1);
  }

  private static void record(
      Path folder, String id, int day, String status, String job, String tables)
      throws IOException {
    Path file = folder.resolve("_runs/" + id + ".json");
    Files.writeString(
        file,
        String.format(
            Locale.ROOT,
            """
            {"run_id": "%s", "job": "%s", "status": "%s", "finished_at": "2026-01-0%d", %s
             "tables": {%s}, "inputs": [{"ref": "prompts.jsonl"}]}
            """,
            id,
            job,
            status,
            day,
            status.equals("done") ? "" : "\"message\": \"The budget is spent\",",
            tables));
    Files.setLastModifiedTime(file, FileTime.from(Instant.ofEpochSecond(day)));
  }

  private static void mark(Path folder, String run, long pid, long start) throws IOException {
    Path file = folder.resolve("_leases/" + run + "/000001");
    Files.createDirectories(file.getParent());
    Files.writeString(
        file,
        String.format(
            Locale.ROOT,
            """
            {"host": "here", "boot": "%s", "namespace": "%s", "pid": %d, "process_started_at": %d}
            """,
            Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip(),
            Files.readSymbolicLink(Path.of("/proc/self/ns/pid")),
            pid,
            start));
  }

  @Test
  void generateForCommerceNeedsALicenseThatAllowsIt() {
    assertThat(run("generate", "--use", "commercial")).isEqualTo(3);
    assertThat(err())
        .contains("NOASSERTION does not clearly allow commercial use")
        .contains("by --output-license");
  }

  @Test
  void theCardTellsSourcesLicensesAndWhoIsToBeNamed(@TempDir Path folder) throws IOException {
    Files.createDirectory(folder.resolve("_runs"));
    Files.writeString(
        folder.resolve("_runs/c1.json"),
        """
        {"run_id": "c1", "job": "curate", "status": "done", "finished_at": "2026-01-02T03:04:05Z",
         "tables": {"documents": {"path": "documents/run_id=c1", "rows": 1200, "bytes": 34567,
           "schema": "id STRING COMMENT 'An id',tags ARRAY<STRUCT<a: STRING>> COMMENT 'x | y'"}},
         "licenses": {"documents": {"CC-BY-SA-4.0": 1000, "MIT": 200}},
         "origins": [
           {"table": "documents", "source": "stackexchange", "license": "CC-BY-SA-4.0", "rows": 1000,
            "terms": "Share alike", "url": "https://example.org/terms", "attribution": "each_author",
            "commercial_use": "yes", "provider_terms": ""},
           {"table": "documents", "source": "ours", "license": "MIT", "rows": 200},
           {"table": "rejects", "source": "elsewhere", "license": "MIT", "rows": 1}],
         "decisive_options": {"use": "commercial"}, "inputs": [{"ref": "documents@a"}],
         "versions": {"distillery": "0.1"},
         "summary": {"figures": {"in": 1300, "kept": 1200}, "rejects": {"license": 100},
           "unread_fields": ["mood=7", "messages[].odd=2"]}}
        """);
    assertThat(run("show", "documents", "--card", "--warehouse", folder.toString())).isZero();
    assertThat(out())
        .startsWith("---\npretty_name: documents\nlicense: other\n---\n# documents, run c1\n")
        .contains("1,200 rows, 34,567 bytes of Parquet.")
        .contains("| `tags` | array<struct<a:string>> | x \\| y |")
        .contains(
            "| [stackexchange](https://example.org/terms) | CC-BY-SA-4.0 | 1,000 | yes | the author"
                + " of each row, with its link (column `attribution`) | Share alike |")
        .contains("| ours | MIT | 200 | not known | not known |  |")
        .contains("- use: `commercial`", "- read: documents@a", "`{\"license\":100}`")
        .contains("Fields that no reader knows", "- `mood=7`\n- `messages[].odd=2`\n")
        .doesNotContain("elsewhere");
    assertThat(run("show", "rows.parquet", "--card")).isEqualTo(3);
    assertThat(err()).contains("Option --card: only a table of the warehouse has a card");
  }

  @Test
  void queriesCanBePasted() {
    var local = new org.apache.hadoop.fs.Path("file:/w/it's/instructions/run_id=r1");
    assertThat(ShowCommand.query(ShowOptions.Engine.DUCKDB, local))
        .isEqualTo("SELECT * FROM read_parquet('/w/it''s/instructions/run_id=r1/*.parquet');");
    var bucket = new org.apache.hadoop.fs.Path("s3a://b/w/instructions/run_id=r1");
    assertThat(ShowCommand.query(ShowOptions.Engine.DUCKDB, bucket))
        .contains("'s3://b/w/instructions/run_id=r1/*.parquet'");
    assertThat(ShowCommand.query(ShowOptions.Engine.SPARK, bucket))
        .isEqualTo("SELECT * FROM parquet.`s3a://b/w/instructions/run_id=r1`;");
  }

  @Test
  void whatCouldSteerATerminalIsNotPrinted() {
    assertThat(PrintedValue.of("text", "a\u001b[2Jb\nc"))
        .isEqualTo("  text               a\u00b7[2Jb\n" + " ".repeat(21) + "c");
  }
}
