package dev.distillery.datasets.read;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.datasets.RejectedRowException;
import dev.distillery.datasets.RowContext;
import dev.distillery.datasets.RowParser;
import dev.distillery.datasets.Source;
import dev.distillery.datasets.registry.Sources;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.From;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Input that somebody made to hurt: it is rejected or refused, and costs no more than its size. */
class HostileInputTest {
  @TempDir Path folder;

  @Test
  void aHundredMegabytesInOneStringAreOneRejectWithItsOffset() throws IOException {
    Path file = folder.resolve("long.json");
    byte[] megabyte = "x".repeat(1 << 20).getBytes(StandardCharsets.US_ASCII);
    try (OutputStream out = Files.newOutputStream(file)) {
      out.write("[{\"a\": 1}, {\"a\": \"".getBytes(StandardCharsets.US_ASCII));
      for (int i = 0; i < 100; i++) {
        out.write(megabyte);
      }
      out.write("\"}, {\"a\": 3}]".getBytes(StandardCharsets.US_ASCII));
    }
    for (int splitBytes : new int[] {7 << 20, 1 << 30}) {
      List<RawRow> rows = SplitFiles.rows(SplitFiles.file(file), splitBytes, ReadLimits.DEFAULT);
      assertThat(rows).hasSize(3);
      RawRow.Problem problem = rows.get(1).problem();
      assertThat(problem).isNotNull();
      assertThat(problem.rule()).isEqualTo("row_too_long");
      assertThat(rows.get(1).position().offset()).isEqualTo(11);
      assertThat(rows.get(2).problem()).isNull();
    }
  }

  @Test
  void aBombIsCutOff() throws IOException {
    Path file = folder.resolve("bomb.gz");
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
      out.write("{\"a\": 1}\n{\"a\": \"".getBytes(StandardCharsets.US_ASCII));
      byte[] zeros = new byte[1 << 20];
      for (int i = 0; i < 200; i++) {
        out.write(zeros);
      }
    }
    List<RawRow> rows =
        SplitFiles.rows(SplitFiles.file(file), 1 << 20, new ReadLimits(16 << 20, 100));
    assertThat(rows).hasSize(2);
    RawRow.Problem problem = rows.get(1).problem();
    assertThat(problem).isNotNull();
    assertThat(problem.detail()).contains("grows by more than 100 times");
  }

  @Test
  void deepNestingIsRejected() throws IOException {
    Path file = folder.resolve("deep.jsonl");
    String deep = "{\"a\": " + "[".repeat(10_000) + "]".repeat(10_000) + "}";
    Files.writeString(file, deep + "\n{\"a\": 1}\n");
    List<RawRow> rows = SplitFiles.rows(SplitFiles.file(file), 1 << 20, ReadLimits.DEFAULT);
    assertThat(rule(rows.get(0))).isEqualTo("too_deep");
    assertThat(rule(rows.get(1))).isEmpty();
  }

  @Test
  void anXmlFileWithEntitiesIsRefused() throws IOException {
    Path file = folder.resolve("Posts.xml");
    Files.writeString(
        file, "<?xml version=\"1.0\"?>\n<!DOCTYPE p [<!ENTITY a \"&b;&b;\">]>\n<posts></posts>");
    InputFiles found =
        InputFiles.find(
            List.of(file.toString()), InputFiles.Expected.XML_OR_JSON, new Configuration());
    assertThat(found.files()).isEmpty();
    assertThat(found.refusals()).hasSize(1);
    assertThat(found.refusals().get(0)).contains("an XML dump without document type");
  }

  @Test
  void badReferencesAndTextOfXmlAreRejected() {
    for (String row :
        List.of(
            "<row A=\"&bomb;\" />",
            "<row A=\"&#0;\" />",
            "<row A=\"&#xD800;\" />",
            "<row A=\"1\" A=\"2\" />",
            "<row A=\"<b>\" />",
            "<row A=\"1\">",
            "<row A='1",
            "<!ENTITY a \"b\">")) {
      assertThat(rule(row, Layout.XML_ROWS)).as(row).isEqualTo("invalid_xml");
    }
    assertThat(rule("<row A=\"&lt;&#xA;&amp;\" B='' />", Layout.XML_ROWS)).isEmpty();
  }

  @Test
  void aRowThatGrowsInMemoryOrSaysAThingTwiceIsRejected() {
    assertThat(rule("{\"a\": [" + "{},".repeat(600_000) + "{}]}", Layout.JSON_LINES))
        .isEqualTo("too_many_values");
    assertThat(rule("{\"a\": 1, \"a\": 2}", Layout.JSON_LINES)).isEqualTo("invalid_json");
  }

  @Test
  void aReferenceToAControlCharacterCostsTheCharacterAndNotThePost() throws Exception {
    RawRow row =
        RawRow.of(
            new RawRow.Position(0, 0, 0, 1),
            "<row A=\"a&#xB;b&#x1F;c\" />".getBytes(StandardCharsets.UTF_8),
            null);
    assertThat(new RowParser(1 << 20).parse(row, Layout.XML_ROWS).orElseThrow().path("A").asText())
        .isEqualTo("abc");
    RawRow comment =
        RawRow.of(
            new RawRow.Position(0, 0, 0, 1),
            "<!-- a dump -->".getBytes(StandardCharsets.UTF_8),
            null);
    assertThat(new RowParser(1 << 20).parse(comment, Layout.XML_ROWS)).isEmpty();
  }

  @Test
  void textThatCannotBeStoredIsRejected() {
    assertThat(rule("{\"a\": \"\\ud83d\"}", Layout.JSON_LINES)).isEqualTo("lone_surrogate");
    assertThat(rule("{\"a\": [{\"b\": \"\\u0000\"}]}", Layout.JSON_LINES))
        .isEqualTo("nul_character");
    assertThat(rule("{\"a\": \"\\ud83d\\ude00\"}", Layout.JSON_LINES)).isEmpty();
    byte[] latin1 = "{\"a\": \"\u00E9\"}".getBytes(StandardCharsets.ISO_8859_1);
    assertThat(rule(RawRow.of(new RawRow.Position(0, 0, 0, 1), latin1, null)))
        .isEqualTo("invalid_utf8");
  }

  @Property(tries = 300, seed = "20260801")
  void noSourceFailsOnRowsOfAnyShape(
      @ForAll @From("values") String first,
      @ForAll @From("values") String second,
      @ForAll @From("fields") String one,
      @ForAll @From("fields") String two) {
    String row = "{\"" + one + "\": " + first + ", \"" + two + "\": " + second + "}";
    RawRow raw =
        RawRow.of(new RawRow.Position(0, 0, 0, 1), row.getBytes(StandardCharsets.UTF_8), null);
    for (Source source : Sources.all()) {
      try {
        assertThat(
                source.parse(
                    new RowParser(1 << 20).parse(raw, Layout.JSON_LINES).orElseThrow(),
                    new RowContext("folder/file.json", Optional.empty())))
            .isNotNull();
      } catch (RejectedRowException e) {
        assertThat(e.rule()).matches("[a-z_0-9]+");
      }
    }
  }

  @Provide
  Arbitrary<String> fields() {
    return Arbitraries.of(
        "conversations",
        "items",
        "messages",
        "human_0",
        "gpt_1",
        "text",
        "chosen",
        "rejected",
        "instruction",
        "output",
        "instances",
        "answers",
        "human_answers",
        "question",
        "summaries",
        "prompt",
        "message_id",
        "PostTypeId",
        "Body",
        "output_1",
        "id",
        "qid");
  }

  @Provide
  Arbitrary<String> values() {
    Arbitrary<String> leaves =
        Arbitraries.of(
            "null",
            "1",
            "-0.5",
            "true",
            "\"\"",
            "\"x\"",
            "\"\\n\\nHuman: a\\n\\nAssistant: b\"",
            "\"<human>: a\\n<bot>: b\"",
            "\"```\\nCopy code\\n```\"",
            "NaN");
    Arbitrary<String> turns =
        leaves.flatMap(
            a ->
                leaves.map(b -> "{\"from\": " + a + ", \"value\": " + b + ", \"role\": \"user\"}"));
    Arbitrary<String> lists =
        Arbitraries.oneOf(leaves, turns).list().ofMaxSize(4).map(Object::toString);
    return Arbitraries.oneOf(leaves, turns, lists);
  }

  @Property(tries = 200, seed = "20260801")
  void anyBytesAreReadToTheirEndOnAnySplits(
      @ForAll @Size(max = 200) List<@From("bytes") Byte> content,
      @ForAll @IntRange(min = 1, max = 50) int splitBytes)
      throws IOException {
    byte[] bytes = new byte[content.size()];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = content.get(i);
    }
    Path file = Files.createTempFile("hostile", ".json");
    try {
      Files.write(file, bytes);
      for (Layout layout : Layout.values()) {
        InputFile input =
            new InputFile(file.toString(), 0, bytes.length, 0, Compression.NONE, layout, 0);
        assertThat(SplitFiles.rows(input, splitBytes, new ReadLimits(20, 10)))
            .hasSizeLessThanOrEqualTo(2 * bytes.length + 2);
      }
    } finally {
      Files.delete(file);
    }
  }

  @Provide
  Arbitrary<Byte> bytes() {
    return Arbitraries.of('\\', '"', '{', '}', '[', ']', ',', ':', '1', '\n', ' ', '\0', '\u00FF')
        .map(c -> (byte) c.charValue());
  }

  private static String rule(String row, Layout layout) {
    try {
      assertThat(
              new RowParser(1 << 20)
                  .parse(
                      RawRow.of(
                          new RawRow.Position(0, 0, 0, 1),
                          row.getBytes(StandardCharsets.UTF_8),
                          null),
                      layout))
          .isPresent();
      return "";
    } catch (RejectedRowException e) {
      return e.rule();
    }
  }

  private static String rule(RawRow row) {
    try {
      assertThat(new RowParser(1 << 20).parse(row, Layout.JSON_LINES)).isPresent();
      return "";
    } catch (RejectedRowException e) {
      return e.rule();
    }
  }
}
