package dev.distillery.jobs.chat;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.dialogue.TemplateInputs;
import dev.distillery.core.teacher.Sampling;
import dev.distillery.core.teacher.testing.FetchedModel;
import dev.distillery.model.sample.EngineSettings;
import dev.distillery.model.sample.Student;
import dev.distillery.model.sample.StudentEngine;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** With golden/student of common/model, whose context is 64 tokens. */
class ChatLoopTest {
  private static final Path MODEL =
      FetchedModel.root().resolve("common/model/src/test/resources/golden/student");

  private final StudentEngine engine = engine();
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);

  private static StudentEngine engine() {
    try {
      return new StudentEngine(
          Student.open(MODEL, 1),
          new EngineSettings(0, 1, "", TemplateInputs.NONE, Duration.ofMinutes(1), 4, 512, true));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @AfterEach
  void close() {
    engine.close();
  }

  private ChatLoop loop(double temperature, AtomicBoolean ends, ChatPartner... partners) {
    var sampling =
        new Sampling(
            6,
            OptionalDouble.of(temperature),
            OptionalDouble.empty(),
            OptionalInt.empty(),
            OptionalDouble.empty(),
            OptionalDouble.empty(),
            OptionalDouble.empty(),
            OptionalLong.empty(),
            List.of());
    return new ChatLoop(List.of(partners), sampling, "", 42, out, ends::get);
  }

  private String talk(double temperature, String lines, ChatPartner... partners)
      throws InterruptedException {
    bytes.reset();
    ChatLoop loop = loop(temperature, new AtomicBoolean(), partners);
    loop.talk(
        new ByteArrayInputStream(lines.getBytes(StandardCharsets.UTF_8)),
        StandardCharsets.UTF_8,
        false);
    return bytes.toString(StandardCharsets.UTF_8);
  }

  /** Without a beginning of its own. */
  private void talkOn(ChatPartner partner, String lines) throws InterruptedException {
    ChatLoop loop = loop(0, new AtomicBoolean(), partner);
    loop.answer(
        new ByteArrayInputStream(lines.getBytes(StandardCharsets.UTF_8)),
        StandardCharsets.UTF_8,
        false);
  }

  private ChatPartner partner(String name) {
    return new ChatPartner(name, engine);
  }

  @Test
  void whatWasSaidIsRemembered() throws InterruptedException {
    String twice = talk(0, "a b\na b\n", partner("one"));
    String[] answers = twice.split("\n", -1);
    assertThat(answers[0]).isNotEmpty().isNotEqualTo(answers[1]);
    assertThat(talk(0, "a b\n/reset\n\na b\n", partner("one")).split("\n", -1))
        .startsWith(answers[0], answers[0]);
    assertThat(talk(0, "a b\n/system c\na b\n", partner("one")).split("\n", -1)[1])
        .isNotEqualTo(answers[0]);
    assertThat(talk(0, "/what\n", partner("one"))).contains("/retry");
  }

  @Test
  void anotherAnswerIsDrawnAndTheSameLinesGiveTheSame() throws InterruptedException {
    String said = talk(1, "a b\n/retry\nc\n", partner("one"));
    assertThat(talk(1, "a b\n/retry\nc\n", partner("one"))).isEqualTo(said);
    String[] answers = said.split("\n", -1);
    assertThat(answers[0]).isNotEqualTo(answers[1]);
  }

  @Test
  void twoAnswerSideBySide() throws InterruptedException {
    String alone = talk(0, "a b\n", partner("one"));
    assertThat(talk(0, "a b\n/quit\nnever\n", partner("one"), partner("two")))
        .isEqualTo("[one]\n" + alone + "[two]\n" + alone);
  }

  /** The dialogue grows beyond the context: that is said, and the way out works. */
  @Test
  void aDialogueThatIsTooLongIsSaidSo() throws InterruptedException {
    String said = talk(0, "a b c d e f\n".repeat(6) + "/reset\na b\n", partner("one"));
    assertThat(said)
        .contains("[not answered: ")
        .contains("in a context of 64; /reset begins anew]");
    assertThat(said.strip().lines().reduce("", (a, b) -> b)).doesNotContain("not answered");

    // Words without an answer are not kept: another try takes back nothing that was.
    ChatPartner partner = partner("one");
    partner.reset("s");
    talkOn(partner, "a b\n" + "a b c d e f ".repeat(9) + "\n/retry\n/retry\n");
    assertThat(partner.remembered()).isEqualTo(3);
    talkOn(partner, "a b\n/retry\n");
    assertThat(partner.remembered()).isEqualTo(5);
  }

  /** Where nothing comes and nothing ends, the run's stop does. */
  @Test
  void aRunThatIsToldToEndDoes() throws Exception {
    var ends = new AtomicBoolean();
    ChatLoop loop = loop(0, ends, partner("one"));
    try (var writes = new PipedOutputStream();
        var reads = new PipedInputStream(writes)) {
      var talking =
          new Thread(
              () -> {
                try {
                  loop.talk(reads, StandardCharsets.UTF_8, true);
                } catch (InterruptedException e) {
                  Thread.currentThread().interrupt();
                }
              });
      talking.start();
      writes.write("a b\n".getBytes(StandardCharsets.UTF_8));
      writes.flush();
      for (int i = 0; i < 1000 && loop.turns() == 0; i++) {
        Thread.sleep(10);
      }
      ends.set(true);
      talking.join(20_000);
      assertThat(talking.isAlive()).isFalse();
    }
    assertThat(loop.turns()).isEqualTo(1);
    assertThat(loop.written()).isPositive();
    assertThat(bytes.toString(StandardCharsets.UTF_8)).startsWith("> ");
  }
}
