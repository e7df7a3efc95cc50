package dev.distillery.core.teacher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.distillery.core.teacher.TeacherException.Category;
import dev.distillery.core.teacher.testing.FetchedModel;
import dev.distillery.core.teacher.testing.LlamaCppServer;
import dev.distillery.core.teacher.testing.Requests;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The openai teacher against a real server: llama.cpp's own, with the default model. */
@Timeout(300)
class OpenAiTeacherLlamaCppIT {
  private static final String CAPITAL = "The capital of France is";

  private static Path model = Path.of("");
  private static @Nullable LlamaCppServer server;
  private static String baseUrl = "";

  @BeforeAll
  static void start() {
    Optional<Path> fetched = FetchedModel.path();
    assumeTrue(fetched.isPresent(), "submit/fetch-model cannot bring the model here");
    model = fetched.orElseThrow();
    server = LlamaCppServer.start(model);
    baseUrl = server.baseUrl();
  }

  @AfterAll
  static void stop() {
    if (server != null) {
      server.close();
    }
  }

  private static Teacher teacher(String name, String api) {
    return Teachers.open(
        new TeacherSettings("openai", name, baseUrl, api, Duration.ofMinutes(2), 4), Secret.NONE);
  }

  private static TeacherReply ask(String api, TeacherRequest request) throws Exception {
    return teacher(LlamaCppServer.MODEL, api).send(request).get(120, TimeUnit.SECONDS);
  }

  private static TeacherRequest prompt(String text, Sampling sampling) {
    return Requests.prompt("r", LlamaCppServer.MODEL, text, sampling);
  }

  @Test
  void preflightFindsTheModel() throws Exception {
    assertThat(teacher(LlamaCppServer.MODEL, "chat").preflight())
        .isEqualTo("llama.cpp at %s, model smollm2 (owned by llamacpp)", baseUrl);
  }

  @Test
  void preflightWarnsOfAnotherModel() throws Exception {
    assertThat(teacher("smolm2", "chat").preflight())
        .contains("does not have 'smolm2', did you mean 'smollm2'?; it has: smollm2");
  }

  @Test
  void continuesAPromptAsTheFileItselfDoes() throws Exception {
    TeacherReply reply = ask("completions", prompt(CAPITAL, Requests.greedy(8)));
    try (Teacher file = Teachers.open(GgufTeacherIT.settings(model, 512), Secret.NONE)) {
      TeacherReply own = file.send(prompt(CAPITAL, Requests.greedy(8))).get(120, TimeUnit.SECONDS);

      assertThat(reply.text()).contains("Paris").isEqualTo(own.text());
      assertThat(reply.finishReason()).isEqualTo("length").isEqualTo(own.finishReason());
      assertThat(reply.promptTokens()).isEqualTo(5).isEqualTo(own.promptTokens());
      assertThat(reply.completionTokens()).isEqualTo(8).isEqualTo(own.completionTokens());
    }
  }

  @Test
  void answersADialogueAsTheFileItselfDoes() throws Exception {
    TeacherRequest request =
        Requests.chat(
            "r",
            LlamaCppServer.MODEL,
            "What is the capital of France? \uD83D\uDE00",
            Requests.greedy(200));
    TeacherReply reply = ask("chat", request);
    try (Teacher file = Teachers.open(GgufTeacherIT.settings(model, 512), Secret.NONE)) {
      TeacherReply own = file.send(request).get(120, TimeUnit.SECONDS);

      assertThat(reply.text()).contains("Paris");
      assertThat(reply.finishReason()).isEqualTo("stop");
      assertThat(own.promptTokens()).isEqualTo(reply.promptTokens());
      assertThat(own.text()).isEqualTo(reply.text());
      assertThat(own.completionTokens()).isEqualTo(reply.completionTokens());
    }
  }

  @Test
  void stopTextsAreHonoured() throws Exception {
    TeacherReply reply =
        ask("completions", prompt("1, 2, 3, 4,", Requests.greedy(24, " 8", " 7,")));

    assertThat(reply.text()).isEqualTo(" 5, 6,");
    assertThat(reply.finishReason()).isEqualTo("stop");
  }

  @Test
  void promptThatDoesNotFitIsToldAsSuch() {
    TeacherRequest request = prompt("word ".repeat(LlamaCppServer.CONTEXT), Requests.greedy(8));

    assertThat(catchThrowable(() -> ask("completions", request)).getCause())
        .isInstanceOfSatisfying(
            TeacherException.class,
            e -> {
              assertThat(e.category()).isEqualTo(Category.CONTEXT_LENGTH);
              assertThat(e.httpStatus()).isEqualTo(400);
            });
  }

  @Test
  void manyRequestsAtOnceAreAllAnswered() throws Exception {
    Teacher teacher = teacher(LlamaCppServer.MODEL, "completions");
    var replies = new ArrayList<CompletableFuture<TeacherReply>>();
    for (int i = 0; i < 6; i++) {
      replies.add(teacher.send(prompt("Number " + i + " is", Requests.seeded(8, i))));
    }
    for (CompletableFuture<TeacherReply> reply : replies) {
      assertThat(reply.get(120, TimeUnit.SECONDS).completionTokens()).isBetween(1, 8);
    }
  }
}
