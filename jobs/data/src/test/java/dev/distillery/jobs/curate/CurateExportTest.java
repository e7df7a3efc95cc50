package dev.distillery.jobs.curate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.spark.job.RowAccount;
import dev.distillery.spark.testing.LocalSpark;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The folder that {@code --export} writes, by its files and by what datasets makes of it. */
class CurateExportTest {
  @TempDir Path folder;
  private Path preferences;
  private Path instructions;

  @BeforeEach
  void write() throws IOException {
    var pairs = new StringBuilder();
    var tasks = new StringBuilder();
    for (int i = 10; i < 50; i++) {
      pairs.append(
          String.format(
              Locale.ROOT,
              """
              {"id":"q%1$d","group_id":"q%1$d","margin":1.5,"prompt":[{"role":"user","content":"Ünï \\"%1$d\\"?"}],\
              "chosen":"Yes.","rejected":"No.","source":"stackexchange","license":"CC-BY-SA-4.0",\
              "attribution":[{"author":"ann","url":"https://x.org/%1$d","date":"2020-01-01","license":"CC-BY-SA-4.0"}]}
              """,
              i));
      tasks.append(
          String.format(
              Locale.ROOT,
              """
              {"id":"t%1$d","task_id":"t%1$d","instruction":"Say %1$d.","output":"%1$d","source":"%2$s",\
              "license":"%3$s","created_at":"2024-05-01T12:00:00Z"}
              """,
              i,
              i % 2 == 0 ? "dolly" : "our-own",
              i % 2 == 0 ? "CC-BY-SA-3.0" : "MIT"));
    }
    preferences = Files.writeString(folder.resolve("pairs.jsonl"), pairs);
    instructions = Files.writeString(folder.resolve("tasks.jsonl"), tasks);
  }

  private CurateSummary curate(Path input, String table, String export, String... more) {
    Map<String, List<String>> given = new LinkedHashMap<>();
    given.put("warehouse", List.of(folder.resolve("wh").toString()));
    given.put("input", List.of(input.toString()));
    given.put("table", List.of(table));
    given.put("export", List.of(folder.resolve(export).toString()));
    for (int i = 0; i < more.length; i += 2) {
      given.put(more[i], List.of(more[i + 1]));
    }
    return new CurateJob()
        .run(LocalSpark.session(), OptionsBinder.of(CurateOptions.class).bind(given));
  }

  private List<String> files(String export) throws IOException {
    Path root = folder.resolve(export);
    try (Stream<Path> files = Files.walk(root)) {
      return files
          .filter(Files::isRegularFile)
          .map(file -> root.relativize(file).toString().replaceFirst("part-.*?\\.", "part."))
          .sorted()
          .distinct()
          .toList();
    }
  }

  @Test
  void theCardSaysWhatLiesWhereUnderWhichLicenses() throws IOException {
    curate(instructions, "instructions", "out", "split", "train=0.8,test=0.2", "run-id", "e1");
    assertThat(files("out"))
        .containsExactly(
            "README.md", "data/test/part.zstd.parquet", "data/train/part.zstd.parquet");
    String card = Files.readString(folder.resolve("out/README.md"));
    assertThat(card)
        .contains("license: other\n")
        .contains("  - split: test\n    path: data/test/*.parquet\n")
        .contains("  - name: \"created_at\"\n    dtype: string\n")
        .contains("| dolly | CC-BY-SA-3.0 | 20 | Name the source and share alike | https://")
        .contains("| our-own | MIT | 20 | Not known to the registry |  |")
        .contains("To be named where rows are passed on: dolly.")
        .contains("Run: `e1`");
  }

  @Test
  void whatIsThereIsReplacedOnlyByItsOwnRunOrWhenAsked() throws IOException {
    curate(instructions, "instructions", "out", "run-id", "e1");
    // The run is done: its summary again.
    curate(instructions, "instructions", "out", "run-id", "e1");
    assertThatThrownBy(() -> curate(instructions, "instructions", "out", "run-id", "e2"))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("Option --export: there is something at");
    // A run that was stopped between its two moves has left this.
    Files.move(folder.resolve("out"), folder.resolve(".out.e2.aside"));
    Files.createDirectories(folder.resolve(".out.e2.part/data/train"));
    curate(instructions, "instructions", "out", "run-id", "e2");
    assertThat(Files.readString(folder.resolve("out/README.md"))).contains("Run: `e2`");
    curate(instructions, "instructions", "out", "run-id", "e3", "overwrite", "true");
    assertThat(Files.readString(folder.resolve("out/README.md"))).contains("Run: `e3`");
    try (Stream<Path> left = Files.list(folder)) {
      assertThat(left).noneMatch(path -> path.getFileName().toString().startsWith(".out"));
    }
  }

  /** What a run that was stopped has left may hold the only copy of what was there. */
  @Test
  void whatAnotherRunHasLeftIsNamedAndStays() throws IOException {
    for (String left :
        List.of(".out.e0.aside", ".out.e0.part", ".out.e1.part", ".outer.e0.aside")) {
      Files.createDirectories(folder.resolve(left));
    }
    List<String> told = new ArrayList<>();
    new CurateJob()
        .run(
            LocalSpark.session(),
            OptionsBinder.of(CurateOptions.class)
                .bind(
                    Map.of(
                        "warehouse", List.of(folder.resolve("wh").toString()),
                        "input", List.of(instructions.toString()),
                        "table", List.of("instructions"),
                        "export", List.of(folder.resolve("out").toString()),
                        "run-id", List.of("e1"))),
            update -> told.add(update.line()));
    assertThat(told)
        .filteredOn(line -> line.contains("has left"))
        .singleElement()
        .asString()
        .contains("[.out.e0.aside, .out.e0.part]", "what the folder held before");
    assertThat(folder.resolve(".out.e0.aside")).exists();
    assertThat(folder.resolve(".out.e1.part")).doesNotExist();
  }

  @Test
  void overwriteReplacesNothingButAnExport() throws IOException {
    Path notes = Files.createDirectories(folder.resolve("home/notes"));
    Files.writeString(notes.resolve("work.txt"), "mine");
    refuses("home", "was written by no export, and --overwrite does not replace it");
    Files.writeString(folder.resolve("home/README.md"), "# Mine\n\nRun: `e1`\n\nMore.\n");
    refuses("home", "was written by no export");
    refuses("tasks.jsonl", "the input");
    Files.writeString(folder.resolve("letter"), "mine");
    refuses("letter", "was written by no export");

    Files.createDirectories(folder.resolve("out"));
    curate(instructions, "instructions", "out", "run-id", "e1");
    for (String name : List.of("model.bin", "data/notes.txt", "data/train/notes.txt", ".git/x")) {
      Path own = folder.resolve("out").resolve(name);
      Files.createDirectories(own.getParent());
      Files.writeString(own, "mine");
      refuses("out", "was written by an export, but also holds [" + name + "]");
      Files.delete(own);
    }
    assertThat(notes.resolve("work.txt")).hasContent("mine");
    assertThat(folder.resolve("letter")).hasContent("mine");
    assertThat(Files.readString(folder.resolve("out/README.md"))).contains("Run: `e1`");
  }

  private void refuses(String export, String why) {
    assertThatThrownBy(
            () -> curate(instructions, "instructions", export, "run-id", "no", "overwrite", "true"))
        .isInstanceOf(JobException.class)
        .hasMessageStartingWith("Option --export: ")
        .hasMessageContaining(why);
  }

  @Test
  void whatIsReadAndTheWarehouseAreNeverExportedOver() throws IOException {
    Path inputs = Files.createDirectories(folder.resolve("in/deep"));
    Path rows = Files.copy(instructions, inputs.resolve("rows.jsonl"));
    Path phrases = Files.writeString(folder.resolve("in/phrases.txt"), "a phrase\n");
    Files.createSymbolicLink(folder.resolve("link"), folder.resolve("in"));
    Map<String, String> refused = new LinkedHashMap<>();
    refused.put("wh", " is the warehouse");
    refused.put("wh/tables", " lies in the warehouse");
    refused.put("in/../wh/x", " lies in the warehouse");
    refused.put("", " holds the warehouse");
    refused.put("in", " holds the input " + rows);
    refused.put("link/deep", " holds the input " + rows);
    refused.put("in/deep/rows.jsonl/x", " lies in the input " + rows);
    refused.put("in/phrases.txt", " is the input " + phrases);
    refused.forEach(
        (export, why) ->
            assertThatThrownBy(
                    () ->
                        curate(
                            rows,
                            "instructions",
                            export,
                            "filter",
                            "blocked:file=" + phrases,
                            "overwrite",
                            "true"))
                .as(export)
                .isInstanceOf(JobException.class)
                .hasMessageContaining("Option --export: ")
                .hasMessageContaining(why));
    assertThat(folder.resolve("wh")).doesNotExist();
    assertThat(rows).exists();
  }

  @Test
  void rowsThatDoNotAddUpAreNotMoved() {
    var account = RowAccount.of("rows", 10, 5).duplicates(2).leftOver(1);
    Map<String, Long> dropped = Map.of("refusal", 2L);
    CurateJob.checkSums(account.rejects(dropped), dropped, 2);
    for (long duplicates : List.of(1L, 2L)) {
      Map<String, Long> rejects = Map.of("refusal", duplicates == 1 ? 2L : 1L);
      assertThatThrownBy(() -> CurateJob.checkSums(account.rejects(rejects), dropped, duplicates))
          .isInstanceOf(JobException.class)
          .hasMessageContaining("The rows do not add up, and are not exported: ");
    }
  }

  /** A task with further columns, as Parquet. */
  private Path task(String name, String columns) {
    Path path = folder.resolve(name);
    LocalSpark.session()
        .sql(
            "select 'a' id, 'a' task_id, 'Say a.' instruction, '' input, 'a' output, 'x' source,"
                + " 'MIT' license, "
                + columns)
        .write()
        .parquet(path.toString());
    return path;
  }

  @Test
  void columnsAndSplitsThatDatasetsDoesNotTakeAreRefusedBeforeAnythingIsWritten() {
    Path maps = task("maps", "map('k', 1) tags, array(map('k', 2)) lists");
    assertThatThrownBy(() -> curate(maps, "instructions", "out"))
        .isInstanceOf(JobException.class)
        .hasMessageContaining(
            "a data set of parquet files cannot have these columns: tags (map<string,int>),"
                + " lists (map<string,int>)");
    Path split = task("split", "'two words' split");
    assertThatThrownBy(() -> curate(split, "instructions", "out"))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("no names of splits to datasets")
        .hasMessageContaining("[two words]; draw splits with --split");
    assertThat(folder.resolve("out")).doesNotExist();
    assertThat(folder.resolve("wh/instructions")).doesNotExist();
  }

  /** Where the environment that load_exported.py names is not there, this test is skipped. */
  @Test
  void datasetsLoadsItAsItIs() throws Exception {
    Path python =
        Path.of(System.getProperty("user.home"), ".cache/distillery/test/datasets-venv/bin/python");
    assumeTrue(
        Files.exists(python), "No " + python + ": see src/test/golden/load_exported.py for it");
    curate(preferences, "preferences", "parquet", "split", "train=0.7,test=0.3");
    curate(
        preferences,
        "preferences",
        "jsonl",
        "split",
        "train=0.7,test=0.3",
        "export-format",
        "jsonl");
    curate(preferences, "preferences", "dialogues", "as", "conversations");
    curate(instructions, "instructions", "tasks");
    curate(
        task(
            "typed",
            "1Y tiny, 2S small, 1.5F single, date'2020-01-01' day, 1.25BD price, x'00ff' bytes,"
                + " array(array(1)) deep, named_struct('a', array(1L)) within, true flag"),
        "instructions",
        "types");
    List<JsonNode> loaded = load(python, "parquet", "jsonl", "dialogues", "tasks", "types");
    // A column of JSON that holds nothing but dates is one of times to datasets' reader.
    String jsonl = loaded.get(1).toString().replace("2020-01-01 00:00:00", "2020-01-01");
    assertThat(jsonl).isEqualTo(loaded.get(0).toString());
    assertThat(loaded.get(0).path("train").path("rows").asInt())
        .isEqualTo(40 - loaded.get(0).path("test").path("rows").asInt());
    JsonNode first = loaded.get(2).path("train").path("first");
    assertThat(loaded.get(2).path("train").path("rows").asInt()).isEqualTo(40);
    assertThat(first.path("messages").get(0).path("content").asText()).isEqualTo("Ünï \"10\"?");
    assertThat(first.path("messages").get(1).path("content").asText()).isEqualTo("Yes.");
    assertThat(first.path("attribution").get(0).path("author").asText()).isEqualTo("ann");
    assertThat(loaded.get(3).path("train").path("first").path("created_at").asText())
        .isEqualTo("2024-05-01T12:00:00Z");
    assertThat(loaded.get(4).path("train").path("types").toString())
        .contains("Value('int8')", "Value('int16')", "Value('float32')", "Value('date32')")
        .contains("Value('decimal128(3, 2)')", "Value('binary')", "List(List(Value('int32')))")
        .contains("{'a': List(Value('int64'))}", "Value('bool')");
  }

  private List<JsonNode> load(Path python, String... exports) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(python.toString());
    command.add(Path.of("src/test/golden/load_exported.py").toAbsolutePath().toString());
    for (String export : exports) {
      command.add(folder.resolve(export).toString());
    }
    var builder = new ProcessBuilder(command);
    builder.environment().put("HF_HUB_OFFLINE", "1");
    builder.redirectError(folder.resolve("python.log").toFile());
    Process process = builder.start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(Files.readString(folder.resolve("python.log"))).isZero();
    List<JsonNode> loaded = new ArrayList<>();
    for (String line : out.lines().toList()) {
      loaded.add(new ObjectMapper().readTree(line));
    }
    return loaded;
  }
}
