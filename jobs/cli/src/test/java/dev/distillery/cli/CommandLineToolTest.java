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
        .contains("--num-instructions=N", "(default: 100)", "--max-cost-usd=USD")
        .contains("Example:", "submit/distillery generate --recipe alpaca");
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
        .contains("Option --extra-body: --teacher student takes none")
        .contains("Option --response-format: --teacher student has no structured outputs");
  }

  @Test
  void aChatTemplateIsTheStudents() {
    assertThat(run("complete", "--prompt", "Why?", "--chat-template", "chatml")).isEqualTo(3);
    assertThat(err()).contains("Option --chat-template is for --teacher student; gguf has a form");
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
    assertThat(run("show")).isEqualTo(2);
  }

  @Test
  void queriesCanBePasted() {
    var local = new org.apache.hadoop.fs.Path("file:/w/it's/instructions/run_id=r1");
    assertThat(ShowCommand.query(ShowCommand.Engine.DUCKDB, local))
        .isEqualTo("SELECT * FROM read_parquet('/w/it''s/instructions/run_id=r1/*.parquet');");
    var bucket = new org.apache.hadoop.fs.Path("s3a://b/w/instructions/run_id=r1");
    assertThat(ShowCommand.query(ShowCommand.Engine.DUCKDB, bucket))
        .contains("'s3://b/w/instructions/run_id=r1/*.parquet'");
    assertThat(ShowCommand.query(ShowCommand.Engine.SPARK, bucket))
        .isEqualTo("SELECT * FROM parquet.`s3a://b/w/instructions/run_id=r1`;");
  }

  @Test
  void whatCouldSteerATerminalIsNotPrinted() {
    assertThat(PrintedValue.of("text", "a\u001b[2Jb\nc"))
        .isEqualTo("  text               a\u00b7[2Jb\n" + " ".repeat(21) + "c");
  }
}
