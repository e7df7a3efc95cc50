package dev.distillery.jobs.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.spark.testing.LocalSpark;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IngestJobTest {
  @TempDir Path folder;

  private Path write(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }

  private IngestSummary ingest(String source, Path input, String... more) {
    String[] arguments =
        Arrays.copyOf(
            new String[] {"--source", source, "--input", input.toString()}, 4 + more.length);
    System.arraycopy(more, 0, arguments, 4, more.length);
    return Ingests.run(folder.resolve("warehouse"), arguments);
  }

  @Test
  void keepsGoodRowsAndNamesBadOnesByLine() throws IOException {
    Path file =
        write(
            "rows.jsonl",
            """
            {"instruction": "Add.", "input": "1 2", "output": "3"}
            {"instruction": "Broken", "output": "\\q"}
            {"instruction": "Add.", "input": "1 2", "output": "3"}
            {"instruction": "Nothing", "input": "", "output": ""}
            {"instruction": "Half", "output": "\\ud800"}
            {"instruction": "Zero", "output": "a\\u0000b"}
            [1]
            """);
    IngestSummary summary = ingest("alpaca", file);
    assertThat(summary.rejects())
        .containsOnlyKeys(
            "invalid_json", "empty_output", "lone_surrogate", "nul_character", "not_an_object");
    assertThat(Ingests.figure(summary, "units_in")).isEqualTo(7);
    assertThat(Ingests.figure(summary, "units_kept")).isEqualTo(1);
    assertThat(Ingests.figure(summary, "units_duplicate")).isEqualTo(1);
    Row kept = Ingests.table(summary, "instructions").head();
    assertThat(kept.<String>getAs("license")).isEqualTo("CC-BY-NC-4.0");
    assertThat(kept.<String>getAs("source")).isEqualTo("alpaca");
    assertThat(
            Ingests.table(summary, "rejects")
                .filter("rule = 'invalid_json'")
                .head()
                .<String>getAs("id"))
        .endsWith("rows.jsonl: line 2, byte 55");
  }

  @Test
  void parquetIsReadAsTheSameRowsAreAsJson() throws IOException {
    Path json =
        write(
            "rows.jsonl",
            """
            {"instruction": "Add.", "input": "1 2", "output": "3", "odd": 1, "id": 7}
            {"instruction": "Name a lake.", "output": "Baikal"}
            """);
    Path other = folder.resolve("more [1] {a}.parquet");
    LocalSpark.session().read().json(json.toString()).coalesce(1).write().parquet(other.toString());
    IngestSummary fromJson = ingest("alpaca", json);
    IngestSummary fromParquet = ingest("alpaca", other);
    assertThat(fromJson.unreadFields()).containsExactly("odd=1");
    assertThat(fromParquet.unreadFields()).containsExactly("odd=1");
    assertThat(Ingests.table(fromParquet, "instructions").sort("id").collectAsList().toString())
        .isEqualTo(Ingests.table(fromJson, "instructions").sort("id").collectAsList().toString());
  }

  @Test
  void pairsAnswersOfADumpWhateverTheSplits() throws IOException {
    StringBuilder dump =
        new StringBuilder("\uFEFF<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<posts>\n");
    for (int question = 1; question <= 40; question++) {
      int id = question * 10;
      dump.append(
          post(
              id,
              "PostTypeId=\"1\" AcceptedAnswerId=\"" + (id + 1) + "\" Title=\"T" + id + "\"",
              3));
      for (int answer = 1; answer <= 6; answer++) {
        dump.append(
            post(id + answer, "PostTypeId=\"2\" ParentId=\"" + id + "\"", answer * answer - 2));
      }
    }
    dump.append(post(7, "PostTypeId=\"4\"", 0))
        .append(post(8, "PostTypeId=\"2\" ParentId=\"999\"", 0));
    Path file = write("Posts.xml", dump.append("</posts>").toString());
    IngestSummary whole = ingest("stackexchange", file, "--site", "x.stackexchange.com");
    IngestSummary split =
        ingest("stackexchange", file, "--site", "x.stackexchange.com", "--split-bytes", "2000");
    assertThat(whole.rejects())
        .containsEntry("no_question_or_answer", 1L)
        .containsEntry("orphan", 1L);
    Row orphan = Ingests.table(whole, "rejects").filter("rule = 'orphan'").head();
    assertThat(orphan.<String>getAs("row")).contains("Post 8", "int *a_b;");
    assertThat(whole.figures().get("rows")).isEqualTo(400L);
    assertThat(whole.figures().get("left_over").longValue()).isGreaterThan(0);
    assertThat(sorted(split)).isEqualTo(sorted(whole));
    Row pair = Ingests.table(whole, "preferences").head();
    assertThat(pair.<String>getAs("license")).isEqualTo("CC-BY-SA-3.0");
    assertThat(pair.getList(pair.fieldIndex("attribution"))).hasSize(3);
    assertThat(pair.<String>getAs("chosen")).contains("```\nint *a_b;\n\n```");
  }

  @Test
  void commentsOfADumpArePassedOverWhereverTheyStand() throws IOException {
    String pair =
        post(1, "PostTypeId=\"1\"", 3)
            + "<!-- between --> "
            + post(2, "PostTypeId=\"2\" ParentId=\"1\"", 9).strip()
            + "\n"
            + post(3, "PostTypeId=\"2\" ParentId=\"1\"", 0);
    Path plain = write("plain.xml", "<?xml version=\"1.0\"?>\n<posts>\n" + pair + "</posts>\n");
    Path commented =
        write(
            "commented.xml",
            "<?xml version=\"1.0\"?>\n<!-- A dump of\n  <row Id=\"9\" PostTypeId=\"1\" />\n  2026"
                + " -->\n<!-- and more --><posts>\n<row broken\n"
                + pair
                + "</posts>\n<!-- the end -->\n");
    IngestSummary without = ingest("stackexchange", plain, "--site", "x.stackexchange.com");
    IngestSummary with = ingest("stackexchange", commented, "--site", "x.stackexchange.com");
    assertThat(without.rejects()).isEmpty();
    assertThat(with.rejects()).containsExactly(Map.entry("invalid_xml", 1L));
    assertThat(Ingests.table(with, "rejects").head().<String>getAs("id")).contains("line 6,");
    assertThat(sorted(with)).hasSize(1).isEqualTo(sorted(without));
  }

  @Test
  void rowsThatCarriageReturnsAloneDivideAreRefusedWithWhatToDo() throws IOException {
    String row = "{\"instruction\": \"Add.\", \"output\": \"3\"}";
    Path file = write("returns.jsonl", row + "\r" + row + "\r");
    assertThatThrownBy(() -> ingest("alpaca", file))
        .hasMessageContaining("returns.jsonl: Its lines end in carriage returns alone")
        .hasMessageContaining("tr '\\r' '\\n'");
  }

  private static List<String> sorted(IngestSummary summary) {
    return Ingests.table(summary, "preferences").toJSON().collectAsList().stream()
        .sorted()
        .toList();
  }

  private static String post(int id, String attributes, int votes) {
    return "  <row Id=\""
        + id
        + "\" "
        + attributes
        + " CreationDate=\"2015-01-27T20:09:32.720\" Score=\""
        + votes
        + "\" OwnerUserId=\"4\" Body=\"&lt;p&gt;Post "
        + id
        + "&lt;/p&gt;&lt;pre&gt;&lt;code&gt;int *a_b;&#xA;&lt;/code&gt;&lt;/pre&gt;\" />\n";
  }

  @Test
  void keepsOfDuplicatesTheFirstInTheFiles() throws IOException {
    Path file =
        write(
            "dialogues.json",
            """
            [{"id": "a", "conversations": [{"from": "human", "value": "How do I bake bread?"}, {"from": "gpt", "value": "With flour."}]},
             {"id": "b", "items": [{"from": "human", "value": "How do I bake bread?"}, {"from": "gpt", "value": "With flour."}, {"from": "human", "value": "More"}, {"from": "gpt", "value": "And water."}]},
             {"id": "b", "conversation": [{"human": "Another question", "assistant": "Another answer"}]},
             {"id": "a", "human_0": "Flat question", "gpt_1": "Flat answer, long enough"}]
            """);
    IngestSummary summary = ingest("sharegpt", file, "--split-bytes", "1024");
    assertThat(Ingests.figure(summary, "units_kept")).isEqualTo(2);
    assertThat(
            Ingests.table(summary, "duplicates").select("rule").collectAsList().stream()
                .map(row -> row.getString(0)))
        .containsExactlyInAnyOrder("duplicate_first_round", "duplicate_id");
  }

  @Test
  void refusesFilesThatAreNotWhatTheyAreNamed() throws IOException {
    Path lfs =
        write("a.json", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
    write("b.json", "<!DOCTYPE html><html>Not found</html>");
    Files.write(folder.resolve("c.json"), "[{}]".getBytes(StandardCharsets.UTF_16));
    write("d.json", "PK\u0003\u0004");
    assertThatThrownBy(() -> ingest("alpaca", lfs.resolveSibling("*.json")))
        .isInstanceOfSatisfying(
            JobException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.INVALID))
        .hasMessageContaining("a.json: It is a Git LFS pointer")
        .hasMessageContaining("b.json: It is an HTML page")
        .hasMessageContaining("c.json: It is UTF-16")
        .hasMessageContaining("d.json: It is a zip");
  }

  @Test
  void keepsWhatATruncatedFileHolds() throws IOException {
    Path file = folder.resolve("rows.jsonl.gz");
    try (var out = new GZIPOutputStream(Files.newOutputStream(file))) {
      for (int i = 0; i < 2000; i++) {
        out.write(
            ("{\"instruction\": \"Do "
                    + i
                    + "\", \"output\": \""
                    + Integer.toHexString(i * 7919)
                    + "\"}\n")
                .getBytes(StandardCharsets.UTF_8));
      }
    }
    byte[] bytes = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(bytes, bytes.length - 2000));
    IngestSummary summary = ingest("alpaca", file);
    assertThat(summary.rejects()).containsEntry("damaged_file", 1L);
    assertThat(Ingests.figure(summary, "units_kept")).isGreaterThan(100);
  }

  @Test
  void refusesForCommercialUseWhatItsLicenseForbids() throws IOException {
    Path file = write("a.jsonl", "{\"instruction\": \"Do\", \"output\": \"Done\"}\n");
    assertThatThrownBy(() -> ingest("alpaca", file, "--use", "commercial"))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("CC-BY-NC-4.0 forbids commercial use");
    assertThat(Ingests.figure(ingest("alpaca", file, "--use", "research"), "rows")).isEqualTo(1);
  }

  @Test
  void readsNamesWithColonsAndRecordsManyFilesInBoundedForm() throws IOException {
    Files.createDirectories(folder.resolve("in/2024-01-01T10:30"));
    for (int i = 0; i < 60; i++) {
      write(
          "in/2024-01-01T10:30/" + i + ":x.jsonl",
          "{\"instruction\": \"Do " + i + "\", \"output\": \"Done\"}\n");
    }
    Path glob = folder.resolve("in/*/*.jsonl");
    assertThat(Ingests.figure(ingest("alpaca", glob, "--run-id", "r"), "rows")).isEqualTo(60);
    String record = Files.readString(folder.resolve("warehouse/_runs/r.json"));
    assertThat(record).contains("\"files\" : 60,").contains("0:x.jsonl").hasSizeLessThan(20_000);
    assertThat(record.split(":x.jsonl", -1)).hasSize(21);
  }

  @Test
  void aDumpOfAnUnknownSiteIsRefusedBeforeItIsRead() throws IOException {
    Path file = write("Posts.xml", "<posts>\n</posts>\n");
    assertThatThrownBy(() -> ingest("stackexchange", file))
        .isInstanceOf(JobException.class)
        .hasMessageStartingWith("Option --site: neither it nor the folder of ");
    assertThat(folder.resolve("warehouse")).doesNotExist();
  }

  @Test
  void saysWhatIsWrongWhereNothingCanBeUsed() throws IOException {
    Path file = write("a.jsonl", "{\"question\": \"Which?\"}\n");
    assertThatThrownBy(() -> ingest("hh-rlhf", file))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("is --source hh-rlhf what the files hold?")
        .hasMessageContaining("found the fields [question]");
  }
}
