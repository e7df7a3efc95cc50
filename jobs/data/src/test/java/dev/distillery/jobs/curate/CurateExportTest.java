package dev.distillery.jobs.curate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.spark.testing.LocalSpark;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
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
          """
          {"id":"q%1$d","group_id":"q%1$d","margin":1.5,"prompt":[{"role":"user","content":"Ünï \\"%1$d\\"?"}],\
          "chosen":"Yes.","rejected":"No.","source":"stackexchange","license":"CC-BY-SA-4.0",\
          "attribution":[{"author":"ann","url":"https://x.org/%1$d","date":"2020-01-01","license":"CC-BY-SA-4.0"}]}
          """
              .formatted(i));
      tasks.append(
          """
          {"id":"t%1$d","task_id":"t%1$d","instruction":"Say %1$d.","output":"%1$d","source":"%2$s",\
          "license":"%3$s","created_at":"2024-05-01T12:00:00Z"}
          """
              .formatted(i, i % 2 == 0 ? "dolly" : "our-own", i % 2 == 0 ? "CC-BY-SA-3.0" : "MIT"));
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
    curate(instructions, "instructions", "out", "run-id", "e2", "overwrite", "true");
    assertThat(Files.readString(folder.resolve("out/README.md"))).contains("Run: `e2`");
    try (Stream<Path> left = Files.list(folder)) {
      assertThat(left).noneMatch(path -> path.getFileName().toString().endsWith(".part"));
    }
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
    List<JsonNode> loaded = load(python, "parquet", "jsonl", "dialogues", "tasks");
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
