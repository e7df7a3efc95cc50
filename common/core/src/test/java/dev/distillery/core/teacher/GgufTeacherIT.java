package dev.distillery.core.teacher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.distillery.core.teacher.TeacherException.Category;
import dev.distillery.core.teacher.testing.FetchedModel;
import dev.distillery.core.teacher.testing.Requests;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(300)
class GgufTeacherIT {
  private static Path model;
  private static Teacher teacher;

  @TempDir private Path temporary;

  @BeforeAll
  static void open() {
    Optional<Path> fetched = FetchedModel.path();
    assumeTrue(fetched.isPresent(), "submit/fetch-model cannot bring the model here");
    model = fetched.orElseThrow();
    teacher = Teachers.open(settings(model, 512), Secret.NONE);
  }

  static TeacherSettings settings(Path model, int context) {
    return new TeacherSettings(
            "gguf", model.toString(), "", "completions", Duration.ofMinutes(2), 1)
        .withContextLength(context)
        // Several would spin while they wait for each other on a busy machine.
        .withThreads(1);
  }

  private static TeacherReply ask(TeacherRequest request) throws Exception {
    return teacher.send(request).get(120, TimeUnit.SECONDS);
  }

  private static TeacherException failureOf(TeacherRequest request) {
    return (TeacherException) catchThrowable(() -> ask(request)).getCause();
  }

  private static TeacherRequest prompt(String id, String text, Sampling sampling) {
    return Requests.prompt(id, "smollm2", text, sampling);
  }

  @Test
  void continuesAPromptAndCountsItsTokens() throws Exception {
    TeacherReply reply = ask(prompt("r", "The capital of France is", Requests.greedy(8)));

    assertThat(reply.text()).contains("Paris");
    assertThat(reply.promptTokens()).isEqualTo(5);
    assertThat(reply.completionTokens()).isEqualTo(8);
    assertThat(reply.finishReason()).isEqualTo("length");
    assertThat(reply.httpStatus()).isZero();
  }

  @Test
  void answersADialogueInTheModelsOwnChatForm() throws Exception {
    TeacherReply reply =
        ask(
            Requests.chat(
                "r",
                "smollm2",
                "What is the capital of France? \uD83D\uDE00",
                Requests.greedy(200)));

    assertThat(reply.finishReason()).isEqualTo("stop");
    assertThat(reply.text()).contains("Paris").doesNotContain("<|im_end|>");
    assertThat(reply.promptTokens()).isGreaterThan(15);
    assertThat(reply.completionTokens()).isBetween(2, 199);
  }

  @Test
  void stopsBeforeTheEarliestStopText() throws Exception {
    TeacherReply whole = ask(prompt("a", "1, 2, 3, 4,", Requests.greedy(24)));
    TeacherReply cut = ask(prompt("b", "1, 2, 3, 4,", Requests.greedy(24, "zzz", " 8", " 7,")));

    assertThat(whole.text()).startsWith(" 5, 6, 7, 8");
    assertThat(cut.text()).isEqualTo(" 5, 6,");
    assertThat(cut.finishReason()).isEqualTo("stop");
    assertThat(cut.completionTokens()).isLessThan(24);
  }

  @Test
  void sameRequestGivesTheSameReplyInAnyOrderAndCompany() throws Exception {
    var requests = new ArrayList<TeacherRequest>();
    for (int i = 0; i < 8; i++) {
      String text = "Instruction number " + i + ": write about " + "rain ".repeat(i * 3) + "\n";
      requests.add(
          prompt("r" + i, text, i % 2 == 0 ? Requests.greedy(24) : Requests.seeded(24, i)));
    }
    Map<String, TeacherReply> first = askAll(requests);
    Collections.shuffle(requests, new Random(1));

    assertThat(askAll(requests)).isEqualTo(first);
  }

  private static Map<String, TeacherReply> askAll(List<TeacherRequest> requests) throws Exception {
    var replies = new HashMap<String, CompletableFuture<TeacherReply>>();
    requests.forEach(request -> replies.put(request.requestId(), teacher.send(request)));
    var texts = new HashMap<String, TeacherReply>();
    for (var reply : replies.entrySet()) {
      texts.put(reply.getKey(), reply.getValue().get(120, TimeUnit.SECONDS));
    }
    return texts;
  }

  @Test
  void anotherSeedGivesAnotherReply() throws Exception {
    String text = "Once upon a time";

    assertThat(ask(prompt("r", text, Requests.seeded(24, 1))).text())
        .isNotEqualTo(ask(prompt("r", text, Requests.seeded(24, 2))).text());
  }

  private static TeacherRequest withExtra(String text, Sampling sampling, String extraBody) {
    return new TeacherRequest(
        "r", Optional.empty(), "smollm2", Optional.of(text), List.of(), sampling, extraBody);
  }

  @Test
  void grammarInTheExtraBodyHolds() throws Exception {
    String grammar = "{\"grammar\":\"root ::= \\\"yes\\\" | \\\"no\\\"\"}";

    assertThat(ask(withExtra("Is water wet? Answer:", Requests.greedy(8), grammar)).text())
        .isIn("yes", "no");
  }

  @Test
  void numbersInTheExtraBodyChangeWhatIsDrawn() throws Exception {
    String text = "one one one one one one";
    String plain = ask(withExtra(text, Requests.seeded(24, 1), "{}")).text();
    // One candidate is the greedy choice, whatever the seed.
    assertThat(ask(withExtra(text, Requests.seeded(24, 1), "{\"top_k\":1}")).text())
        .isEqualTo(ask(withExtra(text, Requests.greedy(24), "{}")).text())
        .isNotEqualTo(plain);
    assertThat(ask(withExtra(text, Requests.seeded(24, 1), "{\"min_p\":1}")).text())
        .isEqualTo(ask(withExtra(text, Requests.greedy(24), "{}")).text());
    for (String penalty : List.of("repeat_penalty", "presence_penalty", "frequency_penalty")) {
      String body = "{\"%s\":1.9}".formatted(penalty);
      assertThat(ask(withExtra(text, Requests.greedy(24), body)).text())
          .as(penalty)
          .isNotEqualTo(ask(withExtra(text, Requests.greedy(24), "{}")).text());
    }
  }

  @Test
  void whatTheExtraBodyCannotSetIsNamed() {
    for (String body : List.of("{\"mirostat\":2}", "{\"top_k\":\"many\"}", "{\"grammar\":1}")) {
      TeacherException failure = failureOf(withExtra("a", Requests.greedy(1), body));
      assertThat(failure.category()).isEqualTo(Category.BAD_REQUEST);
      assertThat(failure)
          .hasMessageContaining(
              "takes frequency_penalty, min_p, presence_penalty, repeat_penalty, top_k (numbers)"
                  + " and grammar (a text) in --extra-body")
          .hasMessageContaining(body.substring(2, body.indexOf('"', 2)));
    }
  }

  @Test
  void promptThatDoesNotFitIsRefused() {
    TeacherException failure = failureOf(prompt("r", "word ".repeat(600), Requests.greedy(8)));

    assertThat(failure.category()).isEqualTo(Category.CONTEXT_LENGTH);
    assertThat(failure)
        .hasMessageMatching("The prompt has 60\\d tokens and leaves no room in a context of 512");
  }

  @Test
  void replyEndsWhereTheContextIsFull() throws Exception {
    TeacherReply reply = ask(prompt("r", "word ".repeat(500), Requests.greedy(100)));

    assertThat(reply.finishReason()).isEqualTo("length");
    assertThat(reply.promptTokens() + reply.completionTokens()).isEqualTo(512);
  }

  @Test
  void replyCutInsideACharacterIsStillOfFullLength() throws Exception {
    TeacherReply reply =
        ask(
            prompt(
                "r", "Chinese numbers: \u4e00\u3001\u4e8c\u3001\u4e09\u3001", Requests.greedy(7)));

    assertThat(reply.finishReason()).isEqualTo("length");
    assertThat(reply.completionTokens()).isEqualTo(7);
    assertThat(reply.text()).doesNotContain("\uFFFD");
  }

  @Test
  void replyThatTakesTooLongTimesOut() {
    try (Teacher hasty =
        Teachers.open(
            new TeacherSettings("gguf", model.toString(), "", "chat", Duration.ofMillis(1), 1)
                .withContextLength(512),
            Secret.NONE)) {
      Throwable thrown =
          catchThrowable(
              () ->
                  hasty
                      .send(prompt("r", "Tell me", Requests.greedy(200)))
                      .get(60, TimeUnit.SECONDS));

      assertThat(thrown.getCause())
          .isInstanceOfSatisfying(
              TeacherException.class, e -> assertThat(e.category()).isEqualTo(Category.TIMEOUT));
    }
  }

  @Test
  void preflightNamesTheFileByItsContent() throws Exception {
    assertThat(teacher.preflight())
        .contains(
            "SmolLM2-135M-Instruct.Q4_1.gguf",
            "98362432 bytes",
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            "context 512");
  }

  @Test
  void aFileThatWasReplacedIsLoadedAnew() throws Exception {
    Path file = Files.copy(model, temporary.resolve("model.gguf"));
    TeacherSettings settings = settings(file, 64);
    String name;
    try (Teacher before = Teachers.open(settings, Secret.NONE)) {
      name = before.preflight().split(", ", -1)[1];
    }
    String bytes = Files.readString(model, StandardCharsets.ISO_8859_1);
    String other = "X".repeat(name.length());
    Path next =
        Files.writeString(
            temporary.resolve("next"),
            bytes.replaceFirst(Pattern.quote(name), other),
            StandardCharsets.ISO_8859_1);
    Files.move(next, file, StandardCopyOption.REPLACE_EXISTING);
    try (Teacher after = Teachers.open(settings, Secret.NONE)) {
      assertThat(after.preflight()).contains(other).doesNotContain(name);
    }
  }

  /** Two JVMs that start at once on one host, with one temporary directory, do not meet. */
  @Test
  void twoJvmsStartTogetherQuietlyAndAgree() throws Exception {
    Process one = start(1);
    Process two = start(2);
    try {
      String first = output(one);
      String second = output(two);

      assertThat(first).contains("Paris").isEqualTo(second);
      assertThat(first.lines()).hasSize(1);
      assertThat(temporary.resolve("1.err")).isEmptyFile();
      assertThat(temporary.resolve("2.err")).isEmptyFile();
      try (var left = Files.list(Files.createDirectories(temporary.resolve("tmp")))) {
        assertThat(left.filter(path -> path.getFileName().toString().contains("llama"))).isEmpty();
      }
    } finally {
      one.destroyForcibly();
      two.destroyForcibly();
    }
  }

  private Process start(int number) throws Exception {
    Path shared = Files.createDirectories(temporary.resolve("tmp"));
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Djava.io.tmpdir=" + shared,
            "-cp",
            System.getProperty("java.class.path"),
            AskOnce.class.getName(),
            model.toString())
        .redirectError(temporary.resolve(number + ".err").toFile())
        .start();
  }

  private static String output(Process process) throws Exception {
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isZero();
    return out;
  }

  /** Asks one question and ends, as an executor's JVM would. */
  static final class AskOnce {
    private AskOnce() {}

    public static void main(String[] args) throws Exception {
      Teacher teacher = Teachers.open(settings(Path.of(args[0]), 256).withThreads(0), Secret.NONE);
      TeacherReply reply =
          teacher
              .send(prompt("r", "The capital of France is", Requests.greedy(8)))
              .get(100, TimeUnit.SECONDS);
      System.out.println(reply.text().replace('\n', '/'));
      System.exit(0);
    }
  }
}
