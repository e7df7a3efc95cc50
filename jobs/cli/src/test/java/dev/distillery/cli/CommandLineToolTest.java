package dev.distillery.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the command line says and how it ends before any Spark is started. */
class CommandLineToolTest {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  private int run(String... args) {
    return new CommandLineTool(stream(out), stream(err), Clock.systemUTC()).run(args);
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
    assertThat(out())
        .contains("--num-instructions=N", "more; default: 100)", "--max-cost-usd=USD")
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
                "{}"))
        .isEqualTo(3);
    assertThat(err())
        .contains("3 problems")
        .contains("distillery-data.jar does not carry; submit distillery-training.jar")
        .contains("Option --extra-body: expected only with --teacher openai or gguf or replay")
        .contains(
            "Option --response-format: expected only with --teacher openai or gguf or replay");
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
    assertThat(run("show")).isEqualTo(3);
    assertThat(err()).contains("Option --ref is required: name a table");
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
         "summary": {"figures": {"in": 1300, "kept": 1200}, "rejects": {"license": 100}}}
        """);
    assertThat(run("show", "documents", "--card", "--warehouse", folder.toString())).isZero();
    assertThat(out())
        .startsWith("---\npretty_name: documents\nlicense: other\n---\n# documents, run c1\n")
        .contains("1,200 rows, 34,567 bytes of Parquet.")
        .contains("| `tags` | array<struct<a:string>> | x \\| y |")
        .contains(
            "| [stackexchange](https://example.org/terms) | CC-BY-SA-4.0 | 1,000 | yes | the author of"
                + " each row, with its link (column `attribution`) | Share alike |")
        .contains("| ours | MIT | 200 | not known | not known |  |")
        .contains("- use: `commercial`", "- read: documents@a", "`{\"license\":100}`")
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
