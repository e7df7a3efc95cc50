package dev.distillery.spark.warehouse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.distillery.spark.testing.LocalSpark;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JsonLinesTest {
  private static final String GOOD = "{\"text\": \"good\"}";
  private static final Configuration HADOOP = new Configuration();

  @TempDir Path folder;

  private FileStatus file(String name, String... lines) throws IOException {
    return status(Files.write(folder.resolve(name), List.of(lines)));
  }

  private static FileStatus status(Path file) throws IOException {
    return new FileStatus(
        Files.size(file), false, 1, 1, 0, new org.apache.hadoop.fs.Path(file.toUri()));
  }

  @Test
  void readsNoMoreThanItsBoundAndJudgesNoLineThatTheBoundCuts() throws IOException {
    List<FileStatus> files = List.of(file("a.jsonl", GOOD, GOOD, "{\"text\": "));
    int lines = GOOD.length() + 1;
    assertThat(JsonLines.firstProblem(files, HADOOP, 1 << 20).orElseThrow())
        .contains("a.jsonl, line 3: Unexpected end-of-input");
    for (int most = 0; most <= 2 * lines + 5; most++) {
      assertThat(JsonLines.firstProblem(files, HADOOP, most)).as("%d bytes", most).isEmpty();
    }
  }

  @Test
  void aLineOfSpacesIsNoProblemHoweverLong() throws IOException {
    List<FileStatus> files = List.of(file("a.jsonl", GOOD, " ".repeat(500), " ".repeat(500) + "x"));
    assertThat(JsonLines.firstProblem(files, HADOOP, 1 << 20).orElseThrow())
        .contains("a.jsonl, line 3: ");
  }

  @Test
  void endsWhereItsThreadIsInterrupted() throws IOException {
    List<FileStatus> files = List.of(file("a.jsonl", GOOD, "x"));
    // Hadoop asks the shell for things as its classes are first used, and swallows an interruption.
    assertThat(JsonLines.firstProblem(files, HADOOP, 1 << 20)).isPresent();
    Thread.currentThread().interrupt();
    try {
      assertThatThrownBy(() -> JsonLines.firstProblem(files, HADOOP, 1 << 20))
          .hasRootCauseInstanceOf(InterruptedIOException.class)
          .hasMessageContaining("Told to end in line 1");
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
  }

  /** The bad line lies in the last of several files, one of which has a space in its name. */
  @Test
  void executorsFindTheFileAndTheDriverTheLine() throws IOException {
    List<FileStatus> files =
        List.of(file("a.jsonl", GOOD, GOOD), file("b.jsonl", GOOD), file("c d.jsonl", GOOD, "x"));
    String[] paths = files.stream().map(f -> f.getPath().toString()).toArray(String[]::new);
    var lines = LocalSpark.session().read().text(paths);
    assertThat(JsonLines.problem(lines, files, HADOOP).orElseThrow())
        .contains("c d.jsonl, line 2: Unrecognized token 'x'");
    assertThat(JsonLines.problem(lines.where("value <> 'x'"), files, HADOOP)).isEmpty();
  }

  /** As Spark has it, a carriage return alone ends a line: the driver counts the same ones. */
  @Test
  void aCarriageReturnAloneEndsALineAndTheMessageSaysSo() throws IOException {
    Path file = folder.resolve("returns.jsonl");
    Files.writeString(file, GOOD + "\r" + GOOD + "\r\n{\"text\":\r \"cut\"}\n");
    List<FileStatus> files = List.of(status(file));
    String path = files.get(0).getPath().toString();
    var lines = LocalSpark.session().read().text(path);
    assertThat(lines.count()).isEqualTo(4);
    assertThat(JsonLines.problem(lines, files, HADOOP).orElseThrow())
        .contains("returns.jsonl, line 3: Unexpected end-of-input")
        .endsWith(
            "; the line ends in a carriage return (\\r"
                + ") alone: where that is none between rows, take it out, as by tr -d '\\r"
                + "'");
    Files.writeString(file, GOOD + "\r" + GOOD + "\rx\r");
    assertThat(JsonLines.firstProblem(List.of(status(file)), HADOOP, 1 << 20).orElseThrow())
        .contains("returns.jsonl, line 3: Unrecognized token 'x'");
    Files.writeString(file, GOOD + "\r" + GOOD + "\r");
    assertThat(JsonLines.firstProblem(List.of(status(file)), HADOOP, 1 << 20)).isEmpty();
  }
}
