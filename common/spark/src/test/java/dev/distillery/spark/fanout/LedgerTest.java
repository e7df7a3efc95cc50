package dev.distillery.spark.fanout;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.dialogue.Message;
import dev.distillery.core.teacher.Sampling;
import dev.distillery.core.teacher.TeacherException;
import dev.distillery.core.teacher.TeacherRequest;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class LedgerTest {
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
  void closesAnObjectAt64LinesOrAfterASecond() {
    var clock = new AtomicLong();
    var objects = new ArrayList<List<String>>();
    var names = new ArrayList<String>();
    var writer =
        new LedgerWriter(
            "0-0",
            (name, lines) -> {
              synchronized (objects) {
                names.add(name);
                objects.add(lines);
              }
            },
            clock::get);
    for (int i = 0; i < 70; i++) {
      writer.append("line " + i);
    }
    clock.addAndGet(999);
    writer.tick();
    writer.append("line 70");
    clock.addAndGet(1);
    writer.tick();
    writer.append("line 71");
    writer.close();

    assertThat(objects).extracting(List::size).containsExactly(64, 7, 1);
    assertThat(names).containsExactly("0-0-000001.jsonl", "0-0-000002.jsonl", "0-0-000003.jsonl");
    assertThat(writer.durable()).isEqualTo(72);
  }

  @Test
  @Timeout(60)
  void saysWhyTheLedgerCannotBeWritten() {
    var writer =
        new LedgerWriter(
            "0-0",
            (name, lines) -> {
              throw new IOException("No space left on device");
            },
            () -> 0);
    writer.append("line");
    org.assertj.core.api.Assertions.assertThatThrownBy(writer::close)
        .hasMessage("The ledger cannot be written: No space left on device");
    assertThat(writer.durable()).isZero();
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
        Optional.of(0.000123),
        2,
        1,
        200,
        345,
        Optional.empty(),
        Instant.parse("2026-01-02T03:04:05.678Z"));
  }
}
