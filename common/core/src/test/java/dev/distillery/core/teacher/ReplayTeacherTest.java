package dev.distillery.core.teacher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.distillery.core.teacher.TeacherException.Category;
import dev.distillery.core.teacher.testing.Requests;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReplayTeacherTest {
  @TempDir private Path folder;

  private Path file(String name, List<String> lines) throws Exception {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    return Files.write(file, lines);
  }

  private static Teacher open(Path path) {
    return Teachers.open(
        new TeacherSettings("replay", path.toString(), "", "chat", Duration.ofSeconds(1), 1),
        Secret.NONE);
  }

  private static TeacherReply ask(Path path, String id, String prompt) throws Exception {
    try (Teacher teacher = open(path)) {
      return teacher
          .send(Requests.prompt(id, "m", prompt, Sampling.of(5)))
          .get(30, TimeUnit.SECONDS);
    }
  }

  private static TeacherException failureOf(Path path, String id, String prompt) {
    return (TeacherException) catchThrowable(() -> ask(path, id, prompt)).getCause();
  }

  @Test
  void idGoesBeforePrompt() throws Exception {
    Path file =
        file(
            "r.jsonl",
            List.of(
                "{\"request_id\":\"a\",\"prompt\":\"p\",\"text\":\"one\",\"finish_reason\":\"length\","
                    + "\"prompt_tokens\":4,\"completion_tokens\":2,\"http_status\":200,\"extra\":[]}",
                "",
                "{\"request_id\":\"b\",\"prompt\":\"q\",\"text\":\"zw\u00f6i\"}",
                "{\"request_id\":\"c\",\"prompt\":\"r\",\"text\":\"\",\"reasoning\":\"hm\","
                    + "\"tool_calls\":\"[{}]\"}"));

    assertThat(ask(file, "a", "anything"))
        .isEqualTo(new TeacherReply("one", "length", 4, 0, 2, 200));
    assertThat(ask(file, "unknown", "q"))
        .isEqualTo(new TeacherReply("zw\u00f6i", "stop", -1, 0, -1, 0));
    assertThat(ask(file, "c", "r").reasoning()).contains("hm");
    assertThat(ask(file, "c", "r").toolCalls()).contains("[{}]");
  }

  @Test
  void whatWasThoughtIsToldAgain() throws Exception {
    Path file =
        file(
            "r.jsonl",
            List.of(
                "{\"request_id\":\"a\",\"prompt\":\"p\",\"text\":\"one\",\"reasoning\":\"hm\"}",
                "{\"request_id\":\"b\",\"prompt\":\"q\",\"text\":\"<think>hm</think>two\"}"));
    assertThat(ask(file, "a", "p").reasoning()).contains("hm");
    assertThat(ask(file, "b", "q").finished(List.of()).text()).isEqualTo("two");
  }

  @Test
  void messagesAreFoundByTheirJson() throws Exception {
    Path file =
        file(
            "r.jsonl",
            List.of(
                "{\"prompt\":\"[{\\\"role\\\":\\\"user\\\",\\\"content\\\":\\\"Hi\\\"}]\",\"text\":\"Ho\"}"));
    try (Teacher teacher = open(file)) {
      assertThat(
              teacher
                  .send(Requests.chat("x", "m", "Hi", Sampling.of(5)))
                  .get(30, TimeUnit.SECONDS)
                  .text())
          .isEqualTo("Ho");
    }
  }

  @Test
  void severalRecordingsOfOnePromptAreChosenByTheRequestWhateverTheirOrder() throws Exception {
    var lines = new ArrayList<String>();
    for (int i = 0; i < 20; i++) {
      lines.add(
          String.format(
              Locale.ROOT, "{\"request_id\":\"r%d\",\"prompt\":\"p\",\"text\":\"t%d\"}", i, i));
    }
    Path first = file("first.jsonl", lines);
    Collections.shuffle(lines, new Random(3));
    Path second = file("second.jsonl", lines);
    var texts = new HashSet<String>();
    for (int i = 0; i < 50; i++) {
      String text = ask(first, "new" + i, "p").text();
      assertThat(ask(second, "new" + i, "p").text()).isEqualTo(text);
      texts.add(text);
    }

    assertThat(texts).hasSizeGreaterThan(10);
  }

  @Test
  void folderIsReadWhole() throws Exception {
    file("led/1/1.jsonl", List.of("{\"request_id\":\"a\",\"text\":\"one\"}"));
    file("led/2/1.jsonl", List.of("{\"request_id\":\"b\",\"text\":\"two\"}"));
    file("led/2/notes.txt", List.of("not a recording"));
    file("led/_granted/1.jsonl", List.of("{\"grant\":\"a\"}"));

    assertThat(ask(folder.resolve("led"), "b", "p").text()).isEqualTo("two");
    try (Teacher teacher = open(folder.resolve("led"))) {
      assertThat(teacher.preflight()).isEqualTo("2 recorded requests in " + folder.resolve("led"));
    }
  }

  @Test
  void manyRecordingsAreFound() throws Exception {
    Path file =
        file(
            "many.jsonl",
            IntStream.range(0, 5000)
                .mapToObj(
                    i ->
                        String.format(
                            Locale.ROOT, "{\"request_id\":\"id%d\",\"text\":\"t%d\"}", i, i))
                .toList());
    try (Teacher teacher = open(file)) {
      for (int i = 0; i < 5000; i += 7) {
        assertThat(
                teacher
                    .send(Requests.prompt("id" + i, "m", "p", Sampling.of(5)))
                    .get(30, TimeUnit.SECONDS)
                    .text())
            .isEqualTo("t" + i);
      }
    }
  }

  @Test
  void whatIsNotRecordedFailsAsSuch() throws Exception {
    Path file = file("r.jsonl", List.of("{\"request_id\":\"a\",\"prompt\":\"p\",\"text\":\"t\"}"));

    TeacherException failure = failureOf(file, "z", "a prompt");

    assertThat(failure.category()).isEqualTo(Category.NOT_RECORDED);
    assertThat(failure.retryable()).isFalse();
    assertThat(failure).hasMessage("No recording of request z, by id or prompt, in " + file);
  }

  @Test
  void recordedFailureFailsAgainAndIsNotRetried() throws Exception {
    Path file =
        file(
            "r.jsonl",
            List.of(
                "{\"request_id\":\"a\",\"status\":\"failed\",\"error\":\"timeout: No"
                    + " answer\",\"http_status\":0}",
                "{\"request_id\":\"b\",\"status\":\"failed\",\"error\":\"timeout: No answer\"}",
                "{\"request_id\":\"b\",\"status\":\"ok\",\"text\":\"late\"}"));

    TeacherException failure = failureOf(file, "a", "p");

    assertThat(failure.category()).isEqualTo(Category.TIMEOUT);
    assertThat(failure.retryable()).isFalse();
    assertThat(failure).hasMessage("Recorded failure: timeout: No answer");
    assertThat(ask(file, "b", "p").text()).isEqualTo("late");
  }

  @Test
  void badLinesAreRefusedByFileAndLine() throws Exception {
    Path json = file("a.jsonl", List.of("{\"request_id\":\"a\",\"text\":\"t\"}", "{oops"));
    Path text = file("b.jsonl", List.of("{\"request_id\":\"a\"}"));
    Path key = file("c.jsonl", List.of("{\"text\":\"a\"}"));

    assertThatThrownBy(() -> open(json)).hasMessageStartingWith(json + ", line 2 is not JSON; ");
    assertThatThrownBy(() -> open(text)).hasMessageStartingWith(text + ", line 1 has no text; ");
    assertThatThrownBy(() -> open(key))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith(key + ", line 1 has neither request_id nor prompt; ");
  }

  @Test
  void pathThatHoldsNothingIsRefused() {
    assertThatThrownBy(() -> open(folder.resolve("no.jsonl")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("--model '" + folder.resolve("no.jsonl") + "' cannot be read: ");
    assertThatThrownBy(() -> open(folder))
        .hasMessage("--model '" + folder + "' cannot be read: no .jsonl file below it");
  }
}
