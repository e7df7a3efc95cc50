package dev.distillery.model.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.core.dialogue.Message;
import dev.distillery.core.run.ModelHash;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.teacher.Sampling;
import dev.distillery.core.teacher.Secret;
import dev.distillery.core.teacher.Teacher;
import dev.distillery.core.teacher.TeacherException;
import dev.distillery.core.teacher.TeacherException.Category;
import dev.distillery.core.teacher.TeacherOptions;
import dev.distillery.core.teacher.TeacherReply;
import dev.distillery.core.teacher.TeacherRequest;
import dev.distillery.core.teacher.TeacherSettings;
import dev.distillery.core.teacher.Teachers;
import dev.distillery.core.teacher.TokenLogprob;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against golden/student, which make_student_goldens.py made with transformers. */
class StudentTeacherTest {
  @TempDir Path temp;

  private static Path model() {
    try {
      return Path.of(StudentTeacherTest.class.getResource("/golden/student").toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private static TeacherSettings settings(Path model, int concurrency) {
    return new TeacherSettings(
        "student", model.toString(), "", "chat", Duration.ofMinutes(5), concurrency);
  }

  private static Teacher open(TeacherSettings settings) {
    return Teachers.open(settings, Secret.NONE);
  }

  private static Sampling sampling(int maxTokens, double temperature, String... stop) {
    return new Sampling(
        maxTokens,
        OptionalDouble.of(temperature),
        OptionalDouble.of(0.98),
        OptionalInt.of(200),
        OptionalDouble.of(0.1),
        OptionalDouble.of(0.1),
        OptionalDouble.of(1.05),
        OptionalLong.of(7),
        List.of(stop));
  }

  private static Sampling greedy(int maxTokens, String... stop) {
    return new Sampling(
        maxTokens,
        OptionalDouble.of(0),
        OptionalDouble.empty(),
        OptionalInt.empty(),
        OptionalDouble.empty(),
        OptionalDouble.empty(),
        OptionalDouble.empty(),
        OptionalLong.empty(),
        List.of(stop));
  }

  private static TeacherRequest prompt(String id, String text, Sampling sampling) {
    return new TeacherRequest(
        id, Optional.empty(), "student", Optional.of(text), List.of(), sampling, "{}");
  }

  private static TeacherRequest dialogue(List<Message> messages, Sampling sampling) {
    return new TeacherRequest(
        "d", Optional.empty(), "student", Optional.empty(), messages, sampling, "{}");
  }

  private static Category failure(Teacher teacher, TeacherRequest request, String message) {
    CompletionException failed =
        catchThrowableOfType(CompletionException.class, () -> teacher.send(request).join());
    assertThat(failed).hasCauseInstanceOf(TeacherException.class);
    assertThat(failed.getCause()).hasMessageContaining(message);
    return ((TeacherException) failed.getCause()).category();
  }

  @Test
  void repliesAreThoseOfTransformers() throws IOException {
    JsonNode expected = new ObjectMapper().readTree(model().resolve("expected.json").toFile());
    try (Teacher teacher = open(settings(model(), 4))) {
      List<CompletableFuture<TeacherReply>> replies = new ArrayList<>();
      List<JsonNode> answers = new ArrayList<>();
      for (JsonNode prompt : expected.get("prompts")) {
        answers.add(prompt);
        replies.add(teacher.send(prompt("p", prompt.get("prompt").asText(), greedy(14))));
      }
      for (JsonNode dialogue : expected.get("dialogues")) {
        List<Message> messages = new ArrayList<>();
        for (JsonNode m : dialogue.get("messages")) {
          messages.add(new Message(m.get("role").asText(), m.get("content").asText()));
        }
        answers.add(dialogue);
        replies.add(teacher.send(dialogue(messages, greedy(14))));
      }
      assertThat(answers).hasSize(5);
      for (int i = 0; i < answers.size(); i++) {
        TeacherReply reply = replies.get(i).join();
        assertThat(reply.text()).isEqualTo(answers.get(i).get("reply").asText());
        assertThat(reply.finishReason()).isEqualTo(answers.get(i).get("finish_reason").asText());
        assertThat(reply.promptTokens()).isEqualTo(answers.get(i).get("prompt_tokens").asInt());
        assertThat(reply.completionTokens())
            .isEqualTo(answers.get(i).get("completion_tokens").asInt());
      }
    }
  }

  @Test
  void aReplyDependsOnItsRequestAndNotOnItsCompany() {
    List<TeacherRequest> requests = new ArrayList<>();
    for (int i = 0; i < 14; i++) {
      requests.add(prompt("r" + i, "The sea ".repeat(1 + i % 5), sampling(4 + i, 0.8)));
    }
    List<String> together = texts(settings(model(), 5), requests);
    Collections.reverse(requests);
    List<String> alone = texts(settings(model(), 1), requests);
    Collections.reverse(alone);
    assertThat(together).isEqualTo(alone);
    // The same prompts and lengths under other ids are other draws.
    assertThat(together).doesNotHaveDuplicates();
  }

  private static List<String> texts(TeacherSettings settings, List<TeacherRequest> requests) {
    try (Teacher teacher = open(settings)) {
      assertThat(teacher.maxConcurrency()).isEqualTo(settings.concurrency());
      List<CompletableFuture<TeacherReply>> replies = requests.stream().map(teacher::send).toList();
      return new ArrayList<>(replies.stream().map(reply -> reply.join().text()).toList());
    }
  }

  @Test
  void seedAndIdDecideADraw() {
    Sampling sampling = sampling(12, 1);
    Sampling other =
        new Sampling(
            12,
            sampling.temperature(),
            sampling.topP(),
            sampling.topK(),
            sampling.frequencyPenalty(),
            sampling.presencePenalty(),
            sampling.repetitionPenalty(),
            OptionalLong.of(8),
            List.of());
    List<String> texts =
        texts(
            settings(model(), 4),
            List.of(
                prompt("a", "The cat", sampling),
                prompt("a", "The cat", sampling),
                prompt("b", "The cat", sampling),
                prompt("a", "The cat", other)));
    assertThat(texts.get(0)).isEqualTo(texts.get(1));
    assertThat(texts.subList(1, 4)).doesNotHaveDuplicates();
  }

  @Test
  void aStopTextEndsAReply() {
    try (Teacher teacher = open(settings(model(), 1))) {
      String whole = teacher.send(prompt("w", "The river", greedy(14))).join().text();
      String stop = whole.substring(4, 5);
      TeacherReply cut = teacher.send(prompt("c", "The river", greedy(14, "", stop))).join();
      assertThat(cut.text()).isEqualTo(whole.substring(0, whole.indexOf(stop)));
      assertThat(cut.finishReason()).isEqualTo("stop");
      assertThat(cut.completionTokens()).isLessThan(14);
    }
  }

  @Test
  void whatCannotBeAnsweredIsSaidAndTheRestGoesOn() {
    try (Teacher teacher = open(settings(model(), 2))) {
      Sampling sampling = greedy(3);
      assertThat(failure(teacher, prompt("1", "", sampling), "The prompt is empty"))
          .isEqualTo(Category.BAD_REQUEST);
      assertThat(failure(teacher, prompt("2", "1 ".repeat(40), sampling), "in a context of 64"))
          .isEqualTo(Category.CONTEXT_LENGTH);
      assertThat(
              failure(
                  teacher,
                  dialogue(List.of(new Message("two words", "x")), sampling),
                  "A role must be a word, found 'two words'"))
          .isEqualTo(Category.BAD_REQUEST);
      var call =
          new Message(
              "assistant",
              "",
              Optional.empty(),
              OptionalDouble.empty(),
              Optional.of("[{\"function\": {\"name\": \"tides\", \"arguments\": {}}}]"));
      assertThat(
              failure(
                  teacher,
                  dialogue(List.of(new Message("user", "Tides?"), call), sampling),
                  "The last turn calls tools"))
          .isEqualTo(Category.BAD_REQUEST);
      var extra =
          new TeacherRequest(
              "3", Optional.empty(), "m", Optional.of("x"), List.of(), sampling, "{\"min_p\": 1}");
      assertThat(
              failure(
                  teacher,
                  extra,
                  "no extra fields but response_format, and logprobs with top_logprobs, 1 or more:"
                      + " {\"min_p\": 1}"))
          .isEqualTo(Category.BAD_REQUEST);
      TeacherReply full = teacher.send(prompt("4", "1 ".repeat(30), greedy(50))).join();
      assertThat(full.finishReason()).isEqualTo("length");
      assertThat(full.promptTokens() + full.completionTokens()).isEqualTo(64);
    }
  }

  @Test
  void fieldsAreCheckedBeforeAnythingIsAsked() throws Exception {
    try (Teacher teacher = open(settings(model(), 1))) {
      teacher.check("{}");
      teacher.check("{\"logprobs\": true, \"top_logprobs\": 2}");
      teacher.check("{\"response_format\": {\"type\": \"json_object\"}}");
      assertThatThrownBy(
              () ->
                  teacher.check(
                      "{\"response_format\": {\"type\": \"json_schema\", \"json_schema\":"
                          + " {\"schema\": {\"items\": {\"pattern\": \"a\"}}}}}"))
          .isInstanceOf(TeacherException.class)
          .hasMessage("response_format.json_schema.schema.items.pattern is not honoured");
    }
  }

  /**
   * The reference is the scorer, which is tested against transformers. How a token is drawn changes
   * nothing.
   */
  @Test
  void logProbabilitiesAreThoseOfTheModel() throws IOException {
    try (Teacher teacher = open(settings(model(), 4));
        Student student = Student.open(model(), 1);
        var scorer = new ContinuationScorer(student.decoder())) {
      for (int i = 0; i < 6; i++) {
        Sampling sampling = i == 0 ? greedy(14) : sampling(14, 1.3);
        var request =
            new TeacherRequest(
                "r" + i,
                Optional.empty(),
                "student",
                Optional.of("The sea"),
                List.of(),
                sampling,
                i % 2 == 0 ? "{\"logprobs\": 3}" : "{\"logprobs\": true, \"top_logprobs\": 3}");
        TeacherReply reply = teacher.send(request).join();
        assertThat(reply.logprobs()).hasSize(reply.completionTokens());
        int[] ids = reply.logprobs().stream().mapToInt(t -> t.id().orElseThrow()).toArray();
        int[] text = student.tokenizer().encode("The sea");
        double[] expected = scorer.score(text, ids).logProbs();
        for (int t = 0; t < ids.length; t++) {
          TokenLogprob token = reply.logprobs().get(t);
          assertThat(token.logprob()).isCloseTo(expected[t], within(1e-4));
          assertThat(token.top()).hasSize(3);
          assertThat(token.top().get(0).logprob()).isGreaterThanOrEqualTo(token.logprob());
          assertThat(token.top())
              .extracting(TokenLogprob.Top::logprob)
              .isSortedAccordingTo(Comparator.reverseOrder());
          assertThat(i > 0 || token.top().get(0).id().equals(token.id())).isTrue();
          assertThat(token.token())
              .isEqualTo(student.tokenizer().decode(new int[] {ids[t]}, false));
        }
      }
      assertThat(teacher.send(prompt("plain", "The sea", greedy(4))).join().logprobs()).isEmpty();
      for (String extra : List.of("{\"logprobs\": true}", "{\"top_logprobs\": 3}")) {
        assertThat(failure(teacher, asking(greedy(4), extra), "top_logprobs, 1 or more"))
            .isEqualTo(Category.BAD_REQUEST);
      }
    }
  }

  /** What a student wrote into a stop text and behind it is no part of its reply. */
  @Test
  void logProbabilitiesEndAtAStop() {
    try (Teacher teacher = open(settings(model(), 1))) {
      String extra = "{\"logprobs\": 1}";
      TeacherReply whole = teacher.send(asking(greedy(14), extra)).join();
      String stop = whole.logprobs().get(5).token();
      Sampling sampling = greedy(14, stop);
      TeacherReply cut = teacher.send(asking(sampling, extra)).join();
      assertThat(cut.finishReason()).isEqualTo("stop");
      String written = String.join("", cut.logprobs().stream().map(TokenLogprob::token).toList());
      assertThat(written.strip()).isEqualTo(cut.text().strip());
      assertThat(cut.logprobs()).hasSizeLessThan(6);
    }
  }

  private static TeacherRequest asking(Sampling sampling, String extra) {
    return new TeacherRequest(
        "a", Optional.empty(), "student", Optional.of("The sea"), List.of(), sampling, extra);
  }

  @Test
  void aLateReplyFailsForGood() {
    TeacherSettings settings =
        new TeacherSettings("student", model().toString(), "", "chat", Duration.ofNanos(1), 2);
    try (Teacher teacher = open(settings)) {
      CompletionException failed =
          catchThrowableOfType(
              CompletionException.class, () -> teacher.send(prompt("1", "The", greedy(9))).join());
      TeacherException cause = (TeacherException) failed.getCause();
      assertThat(cause.category()).isEqualTo(Category.TIMEOUT);
      assertThat(cause.retryable()).isFalse();
    }
  }

  @Test
  void aClosedTeacherAnswersNothing() {
    Teacher teacher = open(settings(model(), 2));
    teacher.close();
    assertThat(failure(teacher, prompt("1", "The", greedy(9)), "The student was closed"))
        .isEqualTo(Category.SERVER_ERROR);
  }

  @Test
  void aModelWithoutATemplateContinuesPromptsAndRefusesDialogues() throws IOException {
    Path bare = copy("chat_template.jinja", "tokenizer_config.json");
    List<Message> messages = List.of(new Message("user", "What is the sea?"));
    try (Teacher teacher = open(settings(bare, 1))) {
      assertThat(teacher.send(prompt("1", "The", greedy(2))).join().completionTokens())
          .isEqualTo(2);
      assertThat(failure(teacher, dialogue(messages, greedy(2)), "brings no chat template"))
          .isEqualTo(Category.UNKNOWN_MODEL);
    }
    String named;
    try (Teacher teacher = open(settings(bare, 1).withChatTemplate("chatml"))) {
      named = teacher.send(dialogue(messages, greedy(9))).join().text();
    }
    try (Teacher teacher = open(settings(model(), 1))) {
      assertThat(named).isEqualTo(teacher.send(dialogue(messages, greedy(9))).join().text());
    }
  }

  @Test
  void whatIsNoStudentIsRefused() throws IOException {
    assertThatThrownBy(() -> open(settings(temp.resolve("nothing"), 1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("there is no such file or directory; --model of --teacher student");
    assertThatThrownBy(() -> open(settings(model(), 1).withChatTemplate("chatmll")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(
            "Option --chat-template: No chat template is called chatmll; there are");
    assertThatThrownBy(() -> open(settings(model(), 1).withContextLength(65)))
        .hasMessageContaining("The context length 65 is not in 1 to 64");
    Path words = copy("tokenizer.json");
    assertThatThrownBy(() -> open(settings(words, 1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("tokenizer.json");
  }

  @Test
  void optionsOfAStudentArriveAndTakeNoExtraBody() {
    OptionsBinder<TeacherOptions> binder = OptionsBinder.of(TeacherOptions.class);
    Map<String, List<String>> given =
        Map.of(
            "teacher", List.of("student"),
            "model", List.of("m"),
            "chat-template", List.of("llama3"));
    assertThat(binder.bind(given).chatTemplate()).hasValue("llama3");
    var extra = new HashMap<>(given);
    extra.put("extra-body", List.of("{\"min_p\": 1}"));
    assertThatThrownBy(() -> binder.bind(extra))
        .hasMessageContaining(
            "Option --extra-body: expected only with --teacher openai or gguf or replay");
  }

  @Test
  void preflightNamesTheModelByItsContent() throws Exception {
    try (Teacher teacher = open(settings(model(), 1))) {
      assertThat(teacher.preflight())
          .matches(
              "student student, llama, \\d+ parameters, SHA-256 [0-9a-f]{64}, context 64, chat"
                  + " template own");
    }
    Path same = copy();
    assertThat(ModelHash.of(same)).isEqualTo(ModelHash.of(model()));
    Files.writeString(same.resolve("generation_config.json"), "{}");
    assertThat(ModelHash.of(same)).isNotEqualTo(ModelHash.of(model()));
  }

  private Path copy(String... without) throws IOException {
    Path copy = Files.createTempDirectory(temp, "model");
    try (Stream<Path> files = Files.list(model())) {
      for (Path file : files.toList()) {
        if (!List.of(without).contains(file.getFileName().toString())) {
          Files.copy(file, copy.resolve(file.getFileName()));
        }
      }
    }
    return copy;
  }
}
