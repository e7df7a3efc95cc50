package dev.distillery.datasets.read;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.luben.zstd.Zstd;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.compressors.bzip2.BZip2CompressorOutputStream;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A compressed file of two parts, cut at every byte of the second: nobody takes it for whole. */
class DamagedFilesTest {
  @TempDir Path folder;

  private static byte[] rows(int from) {
    return String.format(Locale.ROOT, "{\"a\": %d}\n{\"a\": %d}\n", from, from + 1)
        .getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] joined(byte[]... parts) {
    var all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }

  /** Opens a compressor. */
  private interface Compressor {
    OutputStream open(OutputStream out) throws IOException;
  }

  private static byte[] compressed(Compressor compressor, byte[] content) throws IOException {
    var out = new ByteArrayOutputStream();
    try (OutputStream compressing = compressor.open(out)) {
      compressing.write(content);
    }
    return out.toByteArray();
  }

  /** What the readers say of bytes: the number of good rows, then rules or the refusal. */
  private List<String> said(byte[] bytes) throws IOException {
    Path file = folder.resolve("rows");
    Files.write(file, bytes);
    InputFiles found =
        InputFiles.find(List.of(file.toString()), InputFiles.Expected.JSON, new Configuration());
    if (!found.refusals().isEmpty()) {
      return found.refusals();
    }
    return SplitFiles.rows(found.files().get(0), 1 << 20, ReadLimits.DEFAULT).stream()
        .map(
            row -> {
              RawRow.Problem problem = row.problem();
              return problem == null ? "row" : problem.rule() + ": " + problem.detail();
            })
        .toList();
  }

  private void cutEverywhere(byte[] first, byte[] second) throws IOException {
    assertThat(said(joined(first, second))).containsExactly("row", "row", "row", "row");
    for (int cut = 1; cut < second.length; cut++) {
      List<String> said = said(joined(first, Arrays.copyOf(second, cut)));
      assertThat(said)
          .as("cut at byte %d of %d", cut, second.length)
          .last()
          .asString()
          .containsAnyOf("truncated", "damaged");
    }
  }

  @Test
  void zstdFrames() throws IOException {
    cutEverywhere(Zstd.compress(rows(1)), Zstd.compress(rows(3)));
  }

  @Test
  void gzipMembers() throws IOException {
    cutEverywhere(
        compressed(GZIPOutputStream::new, rows(1)), compressed(GZIPOutputStream::new, rows(3)));
  }

  @Test
  void bzip2Streams() throws IOException {
    cutEverywhere(
        compressed(BZip2CompressorOutputStream::new, rows(1)),
        compressed(BZip2CompressorOutputStream::new, rows(3)));
  }

  @Test
  void aDamagedHeaderOfALaterPartIsNoEnd() throws IOException {
    byte[] gzip = compressed(GZIPOutputStream::new, rows(1));
    byte[] bzip2 = compressed(BZip2CompressorOutputStream::new, rows(1));
    byte[] zstd = Zstd.compress(rows(1));
    for (byte[] whole : List.of(gzip, bzip2, zstd)) {
      for (int at = 0; at < 2; at++) {
        byte[] second = whole.clone();
        second[at] ^= 0x20;
        assertThat(said(joined(whole, second))).last().asString().contains("damaged");
      }
    }
  }

  @Test
  void anyBitFlippedInBzip2IsSaidAndNotThrown() throws IOException {
    byte[] whole = compressed(BZip2CompressorOutputStream::new, rows(1));
    for (int bit = 0; bit < whole.length * 8; bit++) {
      byte[] flipped = whole.clone();
      flipped[bit / 8] ^= (byte) (1 << bit % 8);
      assertThat(said(flipped)).isNotEmpty();
    }
  }
}
