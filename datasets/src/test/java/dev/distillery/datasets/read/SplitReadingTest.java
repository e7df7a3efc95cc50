package dev.distillery.datasets.read;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.github.luben.zstd.Zstd;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.From;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.io.compress.BZip2Codec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever the splits, all rows come once and in order: the same as one reader gives. */
class SplitReadingTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static Path properties;

  @TempDir Path folder;

  @BeforeContainer
  static void makeFolder() throws IOException {
    properties = Files.createTempDirectory("split-reading");
  }

  @AfterContainer
  static void removeFolder() throws IOException {
    Files.deleteIfExists(properties.resolve("rows"));
    Files.deleteIfExists(properties);
  }

  @Property(tries = 300, seed = "20260801")
  void elementsOfAnArrayComeOnceWhateverTheSplits(
      @ForAll @Size(max = 12) List<@From("values") String> values,
      @ForAll @IntRange(min = 1, max = 40) int splitBytes,
      @ForAll boolean pretty)
      throws IOException {
    String separator = pretty ? " ,\n  " : ",";
    String document = "[" + String.join(separator, values) + (pretty ? "\n]\n" : "]");
    List<String> rows =
        SplitFiles.read(Files.writeString(properties.resolve("rows"), document), splitBytes);
    List<String> expected = new ArrayList<>();
    for (JsonNode element : JSON.readTree(document)) {
      expected.add(element.toString());
    }
    List<String> actual = new ArrayList<>();
    for (String row : rows) {
      actual.add(JSON.readTree(row).toString());
    }
    assertThat(actual).isEqualTo(expected);
  }

  @Provide
  Arbitrary<String> values() {
    Arbitrary<String> pieces =
        Arbitraries.of(
            "\\\"",
            "\\\\",
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\\n",
            "a",
            "é",
            " ",
            "\\u0022",
            "\\\\\\\\");
    Arbitrary<String> strings =
        pieces.list().ofMaxSize(8).map(list -> "\"" + String.join("", list) + "\"");
    Arbitrary<String> leaves =
        Arbitraries.oneOf(strings, Arbitraries.of("12.5", "true", "null", "-3e2"));
    Arbitrary<String> objects =
        strings.flatMap(
            key -> leaves.list().ofMaxSize(3).map(list -> "{" + key + ": " + list + "}"));
    return Arbitraries.oneOf(objects, objects, leaves);
  }

  @Property(tries = 300, seed = "20260801")
  void linesComeOnceWhateverTheSplits(
      @ForAll @Size(max = 20) List<@From("lines") String> lines,
      @ForAll @IntRange(min = 1, max = 30) int splitBytes,
      @ForAll boolean ended)
      throws IOException {
    String document = "{" + String.join("\n", lines) + (ended ? "\n" : "");
    Path path = Files.writeString(properties.resolve("rows"), document);
    InputFile file =
        new InputFile(
            path.toString(), 0, Files.size(path), 0, Compression.NONE, Layout.JSON_LINES, 0);
    assertThat(SplitFiles.read(file, splitBytes))
        .isEqualTo(document.lines().filter(line -> !line.isEmpty()).toList());
  }

  @Provide
  Arbitrary<String> lines() {
    return Arbitraries.strings().withChars("ab é").ofMaxLength(12);
  }

  @Property(tries = 300, seed = "20260801")
  void scansComposeToTheScanOfTheWhole(
      @ForAll @Size(max = 60) List<@From("bytes") Byte> bytes,
      @ForAll @IntRange(min = 0, max = 60) int cut) {
    byte[] all = new byte[bytes.size()];
    for (int i = 0; i < all.length; i++) {
      all[i] = bytes.get(i);
    }
    int at = Math.min(cut, all.length);
    byte[] tail = Arrays.copyOfRange(all, at, all.length);
    assertThat(JsonScan.of(all, at).then(JsonScan.of(tail, tail.length)))
        .isEqualTo(JsonScan.of(all, all.length));
  }

  @Provide
  Arbitrary<Byte> bytes() {
    return Arbitraries.of('\\', '"', '{', '}', '[', ',', 'x').map(c -> (byte) c.charValue());
  }

  @Test
  void gzipIsReadByOneTask() throws IOException {
    Path gzip = folder.resolve("gzip");
    try (var out = new GZIPOutputStream(Files.newOutputStream(gzip))) {
      out.write(lines(20_000).getBytes(StandardCharsets.UTF_8));
    }
    assertThat(SplitFiles.splits(gzip, 10_000)).hasSize(1);
    assertThat(SplitFiles.read(gzip, 10_000)).isEqualTo(lines(20_000).lines().toList());
  }

  @Test
  void zstdIsReadByATaskAFrame() throws IOException {
    Path zstd = folder.resolve("zstd");
    Files.write(zstd, zstdFrames(lines(50_000)));
    assertThat(SplitFiles.splits(zstd, 10_000)).hasSizeGreaterThan(5);
    assertThat(SplitFiles.read(zstd, 10_000)).isEqualTo(lines(50_000).lines().toList());
  }

  @Test
  void anArrayInZstdIsSplitToo() throws IOException {
    Path zstd = folder.resolve("zstd");
    Files.write(zstd, zstdFrames("[" + String.join(",\n", lines(50_000).lines().toList()) + "]"));
    assertThat(SplitFiles.splits(zstd, 10_000)).hasSizeGreaterThan(5);
    assertThat(SplitFiles.read(zstd, 10_000)).isEqualTo(lines(50_000).lines().toList());
  }

  @Test
  void bzip2IsReadBySeveralTasksWhereverTheyBegin() throws IOException {
    String document = lines(150_000);
    Path bzip2 = folder.resolve("bzip2");
    BZip2Codec codec = new BZip2Codec();
    codec.setConf(new Configuration());
    try (var out = codec.createOutputStream(Files.newOutputStream(bzip2))) {
      out.write(document.getBytes(StandardCharsets.UTF_8));
    }
    for (int splitBytes : new int[] {200_000, 333_333, 700_003}) {
      assertThat(SplitFiles.splits(bzip2, splitBytes)).hasSizeGreaterThan(1);
      assertThat(SplitFiles.read(bzip2, splitBytes)).isEqualTo(document.lines().toList());
    }
  }

  @Test
  void aFileThatBeginsWithAByteOrderMarkLosesItAlone() throws IOException {
    Path file = folder.resolve("bom.json");
    Files.writeString(file, "\uFEFF[{\"a\": 1}, {\"a\": 2}]");
    assertThat(SplitFiles.read(file, 5)).containsExactly("{\"a\": 1}", "{\"a\": 2}");
    Files.writeString(file, "\uFEFF{\"a\": 1}\n{\"a\": 2}\n");
    assertThat(SplitFiles.read(file, 5)).containsExactly("{\"a\": 1}", "{\"a\": 2}");
  }

  @Test
  void objectsOnSeveralLinesAndArraysByNameAreRows() throws IOException {
    Path file = folder.resolve("rows.jsonl");
    Files.writeString(file, "{\n \"a\": 1\n}\n{\n \"a\": {\"b\": 2}\n}\n");
    assertThat(SplitFiles.read(file, 7))
        .containsExactly("{\n \"a\": 1\n}", "{\n \"a\": {\"b\": 2}\n}");
    Files.writeString(file, "{\"train\": [{\"a\": 1}, {\"a\": 2}], \"eval\": [{\"a\": 3}]}");
    assertThat(SplitFiles.rows(SplitFiles.file(file), 7, ReadLimits.DEFAULT))
        .extracting(RawRow::key)
        .containsExactly("train", "train", "eval");
  }

  private static String lines(int count) {
    Random random = new Random(1);
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < count; i++) {
      out.append("{\"n\": ").append(i).append(", \"text\": \"");
      out.append(Long.toHexString(random.nextLong())).append("\"}\n");
    }
    return out.toString();
  }

  /** A frame without content, then frames that are cut anywhere. */
  private static byte[] zstdFrames(String document) {
    byte[] bytes = document.getBytes(StandardCharsets.UTF_8);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(new byte[] {0x50, 0x2A, 0x4D, 0x18, 2, 0, 0, 0, 7, 7});
    for (int from = 0; from < bytes.length; from += 200_007) {
      int to = Math.min(bytes.length, from + 200_007);
      out.writeBytes(Zstd.compress(Arrays.copyOfRange(bytes, from, to)));
    }
    return out.toByteArray();
  }
}
