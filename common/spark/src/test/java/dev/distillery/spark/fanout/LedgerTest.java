package dev.distillery.spark.fanout;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.dialogue.Message;
import dev.distillery.core.teacher.Sampling;
import dev.distillery.core.teacher.TeacherException;
import dev.distillery.core.teacher.TeacherRequest;
import dev.distillery.core.teacher.TokenLogprob;
import dev.distillery.spark.testing.LocalSpark;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.CountDownLatch;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.StringLength;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class LedgerTest {
  @TempDir java.nio.file.Path folder;

  @Property(tries = 200, seed = "20260801")
  void aLineGivesTheCompletionBack(
      @ForAll @StringLength(max = 50) String prompt, @ForAll @StringLength(max = 50) String text) {
    Completion completion = completion(prompt, text);
    assertThat(Ledger.fromJson(Ledger.toJson(completion))).contains(completion);
  }

  @Property(tries = 200, seed = "20260801")
  void aLineThatIsCutOffIsAsIfItWereNotThere(@ForAll @IntRange(min = 0, max = 200) int length) {
    String line = Ledger.toJson(completion("a prompt", "a reply"));
    assertThat(Ledger.fromJson(line.substring(0, Math.min(length, line.length() - 1)))).isEmpty();
  }

  @Property(tries = 100, seed = "20260801")
  void aRequestSurvivesItsJourney(@ForAll @StringLength(max = 50) String content) {
    var sampling =
        new Sampling(
            7,
            OptionalDouble.of(0.7),
            OptionalDouble.empty(),
            OptionalInt.of(40),
            OptionalDouble.of(-1),
            OptionalDouble.empty(),
            OptionalDouble.of(1.1),
            OptionalLong.of(1L << 60),
            List.of("\n\n", "###"));
    var request =
        new TeacherRequest(
            "id",
            Optional.empty(),
            "model",
            Optional.empty(),
            List.of(new Message("user", content)),
            sampling,
            "{\"min_p\":0.1}");
    assertThat(RequestCodec.fromJson(RequestCodec.toJson(request))).isEqualTo(request);
  }

  @Test
  void knowsAFailureThatMayPassByItsCategory() {
    for (TeacherException.Category category : TeacherException.Category.values()) {
      var failure = new TeacherException(category, 0, Optional.empty(), "Something: happened");
      assertThat(Ledger.isRetryable(Ledger.error(failure))).isEqualTo(category.retryable());
    }
    assertThat(Ledger.isRetryable("another program's words")).isFalse();
  }

  @Test
  @Timeout(60)
  void whatComesWhileTheStoreIsBusyIsWrittenInOneGoAsSoonAsItIsFree() throws Exception {
    var busy = new CountDownLatch(1);
    var began = new CountDownLatch(1);
    var sink = new ListSink(new ArrayList<>());
    var writer =
        new LedgerWriter(
            "test",
            new ListSink(sink.batches) {
              @Override
              public void put(List<String> lines) throws IOException {
                began.countDown();
                uninterruptibly(busy);
                super.put(lines);
              }
            });
    writer.append("line 0");
    began.await();
    for (int i = 1; i < 70; i++) {
      writer.append("line " + i);
    }
    assertThat(writer.durable()).isZero();
    busy.countDown();
    writer.close();

    assertThat(sink.batches).extracting(List::size).containsExactly(1, 69);
    assertThat(writer.durable()).isEqualTo(70);
  }

  @Test
  @Timeout(60)
  void aReplyWaitsForNoClockAndNoOtherReply() {
    var sink = new ListSink(java.util.Collections.synchronizedList(new ArrayList<>()));
    var writer = new LedgerWriter("test", sink);
    writer.append("line");
    while (writer.durable() == 0) {
      Thread.onSpinWait();
    }
    assertThat(sink.batches).containsExactly(List.of("line"));
    writer.close();
  }

  @Test
  void whatIsPutIntoALocalFileIsThereThoughTheFileWasNeverClosed() throws IOException {
    var fileSystem =
        LedgerFiles.fileSystem(
            new org.apache.hadoop.fs.Path(folder.toUri()),
            new org.apache.hadoop.conf.Configuration());
    var path = new org.apache.hadoop.fs.Path(folder.toUri().toString(), "place");
    LedgerWriter.Sink sink = LedgerFiles.sink(fileSystem, path, "0-0");
    sink.put(List.of("a", "b"));
    sink.put(List.of("c"));
    assertThat(LedgerFiles.lines(fileSystem, new org.apache.hadoop.fs.Path(path, "0-0.jsonl")))
        .containsExactly("a", "b", "c");
    sink.close();
  }

  @Test
  @Timeout(60)
  void saysWhyTheLedgerCannotBeWritten() {
    var writer =
        new LedgerWriter(
            "test",
            new ListSink(new ArrayList<>()) {
              @Override
              public void put(List<String> lines) throws IOException {
                throw new IOException("No space left on device");
              }
            });
    writer.append("line");
    org.assertj.core.api.Assertions.assertThatThrownBy(writer::close)
        .hasMessage("The ledger cannot be written: No space left on device");
    assertThat(writer.durable()).isZero();
  }

  private static void uninterruptibly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static class ListSink implements LedgerWriter.Sink {
    final List<List<String>> batches;

    ListSink(List<List<String>> batches) {
      this.batches = batches;
    }

    @Override
    public void put(List<String> lines) throws IOException {
      batches.add(lines);
    }

    @Override
    public void idle() {}

    @Override
    public void close() {}
  }

  /** Through the ledger's line, the table's row, and back as a reply that is paid. */
  @Test
  void tokensOfAReplySurviveTheLedgerAndTheTable() {
    var tokens =
        List.of(
            new TokenLogprob(
                "a",
                OptionalInt.of(3),
                -0.5,
                List.of(
                    new TokenLogprob.Top("a", OptionalInt.of(3), -0.5),
                    new TokenLogprob.Top("b", OptionalInt.empty(), -1.25))),
            new TokenLogprob("", OptionalInt.of(2), -0.125, List.of()));
    Completion plain = completion("p", "t");
    var told =
        new Completion(
            plain.requestId(),
            plain.rowId(),
            plain.model(),
            plain.prompt(),
            plain.params(),
            true,
            plain.finishReason(),
            plain.text(),
            plain.promptTokens(),
            0,
            plain.completionTokens(),
            0,
            plain.costUsd(),
            plain.attempts(),
            0,
            plain.httpStatus(),
            plain.latencyMillis(),
            Optional.empty(),
            plain.createdAt(),
            Optional.of("hm"),
            tokens,
            Optional.of("[{\"id\":\"c\"}]"));
    String line = Ledger.toJson(told);
    assertThat(Ledger.fromJson(line)).contains(told);
    Row row =
        LocalSpark.session()
            .createDataFrame(List.of(LedgerReader.row(told, line)), LedgerReader.ENTRY)
            .head();
    assertThat(PaidReplies.completion(row)).isEqualTo(told);
    assertThat(Ledger.toJson(plain)).doesNotContain("logprobs");
  }

  private static Completion completion(String prompt, String text) {
    return new Completion(
        "id",
        Optional.of("row"),
        "model",
        prompt,
        "{\"max_tokens\":5}",
        true,
        Optional.of("stop"),
        Optional.of(text),
        12,
        3,
        -1,
        77,
        Optional.of(0.000123),
        2,
        1,
        200,
        345,
        Optional.empty(),
        Instant.parse("2026-01-02T03:04:05.678Z"));
  }
}
