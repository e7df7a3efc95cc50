package dev.distillery.spark.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.spark.testing.LocalSpark;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TroublesTest {
  @TempDir Path folder;

  @Test
  void aStoreThatIsDownMayBeTriedAgain() {
    assertThat(in(new UncheckedIOException(new ConnectException("Connection refused"))))
        .satisfies(e -> assertThat(e.exitCode()).isEqualTo(ExitCode.TEMPORARY))
        .hasMessageStartingWith("A store or server does not answer: Connection refused; look");
    assertThat(in(new IllegalStateException(new IOException("write: No space left on device"))))
        .satisfies(e -> assertThat(e.exitCode()).isEqualTo(ExitCode.TEMPORARY))
        .hasMessageContaining("The disk is full (write: No space left on device): free some");
  }

  @Test
  void whatMayNotBeWrittenIsSaidInOneLine() {
    assertThat(
            in(
                new UncheckedIOException(
                    new java.nio.file.AccessDeniedException("/warehouse/_runs"))))
        .satisfies(e -> assertThat(e.exitCode()).isEqualTo(ExitCode.INVALID))
        .hasMessageStartingWith("This user may not read or write there: /warehouse/_runs; give");
    assertThat(
            in(
                new UncheckedIOException(
                    new FileSystemException("/w", null, "Read-only file system"))))
        .satisfies(e -> assertThat(e.exitCode()).isEqualTo(ExitCode.INVALID))
        .hasMessageStartingWith("Cannot read or write there: /w: Read-only file system; look");
    assertThat(Troubles.in(new IllegalStateException("A defect"))).isEmpty();
  }

  @Test
  void anExecutorWithoutMemoryIsNamed() {
    assertThat(
            in(
                new IllegalStateException(
                    "Job aborted due to stage failure: Task 0 in stage 3.0 failed 4 times, most"
                        + " recent failure: Lost task 0.3 in stage 3.0 (TID 9) (10.0.0.1 executor"
                        + " 2): java.lang.OutOfMemoryError: Java heap space\n"
                        + "\tat a.B.c(B.java:1)")))
        .satisfies(e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNEXPECTED))
        .hasMessageContaining("OutOfMemoryError: Java heap space); give it more: -- --conf")
        .hasMessageNotContaining("a.B.c");
    // What follows the task that took the memory, and is what Spark reports.
    assertThat(
            in(
                new IllegalStateException(
                    "Job aborted due to stage failure: Task 1 in stage 25.0 failed 4 times, most"
                        + " recent failure: Lost task 1.3 in stage 25.0 (TID 36) (127.0.0.1"
                        + " executor 1): java.util.concurrent.RejectedExecutionException: Task"
                        + " org.apache.spark.executor.Executor$TaskRunner@585ac0e7 rejected from"
                        + " java.util.concurrent.ThreadPoolExecutor@5939d439[Shutting down]")))
        .hasMessageStartingWith("An executor ended under its task, for lack of memory");
  }

  @Test
  void aFileThatCannotBeReadToItsEndIsNamed() {
    for (String words :
        List.of(
            "[FAILED_READ_FILE.NO_HINT] Encountered error while reading file"
                + " file:///data/a b.parquet.  SQLSTATE: KD001",
            "Encountered error while reading file file:/data/a b.parquet. Details:")) {
      assertThat(in(new IllegalStateException(words, new IOException("no page header"))))
          .satisfies(e -> assertThat(e.exitCode()).isEqualTo(ExitCode.INVALID))
          .hasMessage(
              "Cannot read /data/a b.parquet to its end: it is damaged, as it seems (no page"
                  + " header); fetch or write it again, or leave it out");
      // A store that went away meanwhile is no damage.
      assertThat(in(new IllegalStateException(words, new ConnectException("Refused"))))
          .satisfies(e -> assertThat(e.exitCode()).isEqualTo(ExitCode.TEMPORARY));
    }
  }

  @Test
  void damagedParquetThatIsMetFarFromItsFileIsNoDefectOfOurs() {
    var met = new ArrayIndexOutOfBoundsException("Index 50 out of bounds for length 14");
    assertThat(Troubles.in(met)).isEmpty();
    met.setStackTrace(
        new StackTraceElement[] {
          new StackTraceElement(
              "org.apache.parquet.column.values.dictionary.PlainValuesDictionary",
              "decodeToBinary",
              "PlainValuesDictionary.java",
              118),
          new StackTraceElement(
              "org.apache.spark.sql.vectorized.ColumnarRow",
              "getUTF8String",
              "ColumnarRow.java",
              140)
        });
    assertThat(in(new IllegalStateException("Job aborted", met)))
        .satisfies(e -> assertThat(e.exitCode()).isEqualTo(ExitCode.INVALID))
        .hasMessageStartingWith("Cannot read a Parquet file of the input to its end")
        .hasMessageContaining("Index 50");
    // Within the loop that knows it, the file is told.
    assertThat(
            in(
                new IllegalStateException(
                    "Encountered error while reading file file:///data/a.parquet. Details:", met)))
        .hasMessageStartingWith("Cannot read /data/a.parquet to its end");
  }

  @Test
  void aWarehouseThatIsAFileIsRefused() throws IOException {
    Path file = Files.writeString(folder.resolve("warehouse"), "text");
    var options =
        OptionsBinder.of(JobRunTest.Options.class)
            .bind(Map.of("warehouse", List.of(file.toString()), "rows", List.of("1")));
    assertThatThrownBy(
            () ->
                new JobRunTest.Example("example", null, JobRunTest::done)
                    .run(LocalSpark.session(), options))
        .isInstanceOfSatisfying(
            JobException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.INVALID))
        .hasMessageContaining(file.toString());
  }

  private static JobException in(Throwable failure) {
    return Troubles.in(failure).orElseThrow();
  }
}
