package dev.distillery.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.core.teacher.testing.FetchedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Packaged pipelines by the real command line, with a tiny student and rows of our own. */
class PipelineIT {
  private static final Path TINY =
      FetchedModel.root().resolve("common/model/src/test/resources/golden/student");

  @TempDir Path folder;

  private Path dialogues;
  private Path answers;

  @BeforeEach
  void rows() throws IOException {
    var shared = new StringBuilder();
    var compared = new StringBuilder();
    for (int i = 0; i < 24; i++) {
      shared.append(
          String.format(
              Locale.ROOT,
              "{\"id\": \"d%d\", \"conversations\": [{\"from\": \"human\", \"value\": \"What"
                  + " stands on shelf %d of the pantry?\"}, {\"from\": \"gpt\", \"value\": \"On"
                  + " shelf %d there are %d jars of plum jam.\"}]}\n",
              i,
              i,
              i,
              3 * i));
      compared.append(
          String.format(
              Locale.ROOT,
              "{\"question\": \"How deep is well %d?\", \"human_answers\": [\"Some %d fathoms,"
                  + " they say.\"], \"chatgpt_answers\": [\"Well %d is %d metres deep.\"]}\n",
              i,
              i,
              i,
              2 * i));
    }
    dialogues = Files.writeString(folder.resolve("dialogues.jsonl"), shared);
    answers = Files.writeString(folder.resolve("answers.jsonl"), compared);
  }

  private List<String> koala(int length, String... more) {
    var args =
        new ArrayList<>(
            List.of(
                "pipeline",
                "--recipe",
                "koala-distill",
                "--warehouse",
                folder.resolve("warehouse").toString(),
                "--run-id",
                "k",
                "--set",
                "out=" + folder.resolve("out"),
                "--set",
                "length=" + length,
                "--set",
                "model=" + TINY,
                "--set",
                "sharegpt=" + dialogues,
                "--set",
                "hc3=" + answers));
    args.addAll(List.of(more));
    return args;
  }

  private Launched run(String name, List<String> args) {
    return Launched.run(folder.resolve(name), Map.of(), args.toArray(String[]::new));
  }

  private static List<String> passedOver(Launched launched) {
    var names = new ArrayList<String>();
    for (JsonNode stage : launched.summary().path("stages")) {
      if (stage.path("passed_over").asBoolean()) {
        names.add(stage.path("stage").asText());
      }
    }
    return names;
  }

  @Test
  void aPipelineIsPlannedKilledGoneOnWithAndMadeAgain() throws Exception {
    Launched plan = run("plan", koala(64, "--set", "steps=6", "--dry-run"));
    assertThat(plan.succeeded().err())
        .contains("sharegpt: ingest, to run", "not yet: the comparison with koala-all")
        .contains("student: can be planned when what it reads is there");
    assertThat(folder.resolve("out")).doesNotExist();
    assertThat(folder.resolve("warehouse/conversations")).doesNotExist();

    // Killed while the student learns.
    Process killed =
        Launched.start(
            folder.resolve("killed"),
            Map.of(),
            koala(64, "--set", "steps=6").toArray(String[]::new));
    Launched.await(
        () -> said("killed", "student: sft, run k.student"), killed, "the stage student");
    killed.destroyForcibly().waitFor();

    Launched whole = run("whole", koala(64, "--set", "steps=6"));
    assertThat(whole.succeeded().summary().at("/figures/stages_run").asInt()).isEqualTo(2);
    assertThat(passedOver(whole)).containsExactly("sharegpt", "hc3", "kept", "clean", "held");
    String page = Files.readString(Path.of(whole.summary().path("page").asText()));
    assertThat(page)
        .contains("koala-distill, run k", "rows of conversations", "<polyline", "answer before")
        .contains("href=\"./student/README.md\"");
    assertThat(folder.resolve("out/model/config.json")).exists();

    Launched again = run("again", koala(64, "--set", "steps=6"));
    assertThat(again.succeeded().summary().at("/figures/stages_run").asInt()).isZero();

    Launched other = run("other", koala(64, "--set", "steps=6", "--set", "training=vicuna-sft"));
    assertThat(other.exitCode()).isEqualTo(3);
    assertThat(other.err()).contains("Stage student: The run 'k.student' (done) had other options");

    Launched over = run("over", koala(63, "--set", "steps=6", "--only", "student", "--overwrite"));
    assertThat(over.succeeded().summary().at("/figures/stages_run").asInt()).isEqualTo(1);
    Launched behind = run("behind", koala(63, "--set", "steps=6", "--from", "student"));
    assertThat(behind.exitCode()).as("what stands on the stage that was made again").isEqualTo(3);
    assertThat(behind.err()).contains("Stage model:");
  }

  private boolean said(String name, String text) {
    try {
      return Files.readString(folder.resolve(name).resolve("err")).contains(text);
    } catch (IOException e) {
      return false;
    }
  }

  @Test
  void allThatIsWrongIsSaidBeforeAnythingStarts() throws IOException {
    Path recipe =
        Files.writeString(
            folder.resolve("wrong.yaml"),
            """
            stages:
              one:
                job: inqest
              two:
                job: ingest
                options: {source: sharegpt, inpuut: x, input: /nowhere/x.jsonl, run-id: y}
              three:
                job: sft
                options: {model: /nowhere, input: conversations@two, learning-rate: fast}
            """);
    Launched wrong =
        run(
            "wrong",
            List.of(
                "pipeline",
                "--recipe",
                recipe.toString(),
                "--warehouse",
                folder.resolve("warehouse").toString()));
    assertThat(wrong.exitCode()).isEqualTo(3);
    assertThat(wrong.err())
        .contains("Stage one: no job 'inqest'; did you mean ingest?")
        .contains("Stage two: Unknown option 'inpuut' of ingest; did you mean input?")
        .contains("Stage two: Option 'run-id' is the whole pipeline's")
        .contains("Stage three: Option --learning-rate")
        .contains("Stage three: Option --output-dir");
    assertThat(folder.resolve("warehouse")).doesNotExist();
  }

  @Test
  void aStageHasSparkSettingsOfItsOwnAndAMissingFileIsSaidAtOnce() throws IOException {
    String text =
        """
        stages:
          first:
            job: ingest
            options: {source: sharegpt, input: %s}
          again:
            job: dedup
            options: {input: conversations@first, metric: exact}
            spark: {spark.sql.shuffle.partitions: 3}
          kept:
            job: curate
            options: {input: conversations@again, export: "${out}/set"}
          last:
            job: curate
            options: {input: [%s], table: conversations}
        """;
    Path recipe = folder.resolve("settings.yaml");
    List<String> command =
        List.of(
            "pipeline",
            "--recipe",
            recipe.toString(),
            "--run-id",
            "s",
            "--set",
            "out=" + folder.resolve("set out"),
            "--warehouse",
            folder.resolve("warehouse").toString());
    Files.writeString(recipe, text.formatted(dialogues, "\"${out}/set\", /nowhere/rows.jsonl"));
    Launched missing = run("missing", command);
    assertThat(missing.exitCode()).isEqualTo(3);
    assertThat(missing.err()).contains("Stage last: No file at /nowhere/rows.jsonl");
    assertThat(folder.resolve("warehouse/conversations")).doesNotExist();

    Files.writeString(recipe, text.formatted(dialogues, "\"${out}/set/data\""));
    Launched whole = run("whole", command);
    assertThat(whole.succeeded().summary().at("/figures/stages_run").asInt()).isEqualTo(4);
    assertThat(whole.summary().at("/tables/last.conversations/rows").asInt()).isEqualTo(24);
  }
}
