package dev.distillery.datasets.read;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.spark.testing.LocalSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A Parquet file of which one byte is another: read, or its name is told. */
class DamagedParquetTest {
  /** The file's last bytes are the length of its footer and its mark. */
  private static final int TAIL = 8;

  /** Meets indexes of a dictionary too. */
  private static final int STEP = 37;

  @TempDir Path folder;

  private final SparkSession spark = LocalSpark.session();

  /** Texts that are looked up in a dictionary, among them some within lists of structs. */
  private byte[] written() throws IOException {
    Path out = folder.resolve("written");
    spark
        .range(0, 60, 1, 1)
        .selectExpr(
            "id",
            "concat('word ', id % 7) AS text",
            "array(named_struct('role', 'user', 'content', concat('said ', id % 5))) AS messages")
        .write()
        .option("compression", "none")
        .parquet(out.toString());
    try (Stream<Path> files = Files.list(out)) {
      return Files.readAllBytes(
          files.filter(file -> file.toString().endsWith(".parquet")).findFirst().orElseThrow());
    }
  }

  private long rows(Path file) throws IOException {
    InputFiles found =
        InputFiles.find(List.of(file.toString()), InputFiles.Expected.JSON, new Configuration());
    return ParquetRows.read(spark, found.files(), 1 << 20).count();
  }

  @Test
  void whatCannotBeReadIsNamed() throws IOException {
    byte[] whole = written();
    Path file = folder.resolve("damaged.parquet");
    Files.write(file, whole);
    assertThat(rows(file)).isEqualTo(60);
    int footer = (whole[whole.length - TAIL] & 0xff) | (whole[whole.length - TAIL + 1] & 0xff) << 8;
    int refused = 0;
    for (int at = 4; at < whole.length - TAIL - footer; at += STEP) {
      byte[] damaged = whole.clone();
      damaged[at] = 0x7f;
      Files.write(file, damaged);
      try {
        assertThat(rows(file)).isBetween(0L, 60L);
      } catch (Exception e) {
        refused++;
        String said = said(e);
        // A page may claim more bytes than this machine has: Parquet believes it, and says so.
        if (!said.contains("OutOfMemoryError")) {
          assertThat(said)
              .as("byte %s", at)
              .contains("error while reading file", "damaged.parquet");
        }
      }
    }
    assertThat(refused).isGreaterThan(3);
    assertThat(spark.conf().get("spark.sql.parquet.enableVectorizedReader"))
        .as("the session is as it was")
        .isEqualTo("true");
  }

  private static String said(Throwable e) {
    var all = new StringBuilder();
    for (Throwable at = e; at != null; at = at.getCause()) {
      all.append(at).append('\n');
    }
    return all.toString();
  }
}
