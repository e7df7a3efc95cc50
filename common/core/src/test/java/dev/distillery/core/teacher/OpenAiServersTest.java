package dev.distillery.core.teacher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpServer;
import dev.distillery.core.teacher.testing.Requests;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The servers of docs/teachers.md: for each a reply, its errors and its list of models in the shape
 * that it publishes, with texts of our own ({@code src/test/resources/servers}).
 */
class OpenAiServersTest {
  private HttpServer server;
  private volatile JsonNode answer;
  private volatile int status;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/v1/",
        exchange -> {
          exchange.getRequestBody().readAllBytes();
          String text = answer.isTextual() ? answer.textValue() : answer.toString();
          byte[] body = text.getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(status, body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  private static JsonNode recorded(String name) throws IOException {
    try (InputStream stream =
        OpenAiServersTest.class.getResourceAsStream("/servers/" + name + ".json")) {
      return new ObjectMapper().readTree(stream);
    }
  }

  private void answers(int with, JsonNode body) {
    status = with;
    answer = body;
  }

  private OpenAiTeacher teacher(JsonNode recorded) {
    String base = "http://127.0.0.1:" + server.getAddress().getPort() + "/v1";
    return new OpenAiTeacher(
        new TeacherSettings(
            "openai", recorded.get("model").asText(), base, "chat", Duration.ofSeconds(20), 1),
        Secret.of("sk-test"),
        Clock.systemUTC());
  }

  private TeacherReply ask(JsonNode recorded) throws Exception {
    return teacher(recorded)
        .send(
            Requests.prompt(
                "r", recorded.get("model").asText(), "Which one is it?", Sampling.of(8)))
        .get(30, TimeUnit.SECONDS);
  }

  @ParameterizedTest
  @ValueSource(strings = {"openai", "anthropic", "google", "vllm", "llamacpp", "ollama", "sglang"})
  void repliesAreRead(String name) throws Exception {
    JsonNode recorded = recorded(name);
    JsonNode expected = recorded.get("expected");
    answers(200, recorded.get("reply"));
    TeacherReply reply = ask(recorded).finished(List.of());
    assertThat(reply.text()).isEqualTo(expected.get("text").asText());
    assertThat(reply.finishReason()).isEqualTo(expected.get("finish_reason").asText());
    assertThat(reply.promptTokens()).isEqualTo(expected.get("prompt_tokens").asInt());
    assertThat(reply.cachedPromptTokens()).isEqualTo(expected.get("cached_prompt_tokens").asInt());
    assertThat(reply.completionTokens()).isEqualTo(expected.get("completion_tokens").asInt());
    assertThat(reply.reasoning().orElse("")).isEqualTo(expected.path("reasoning").asText(""));
  }

  @ParameterizedTest
  @ValueSource(strings = {"openai", "anthropic", "google", "vllm", "llamacpp", "ollama", "sglang"})
  void errorsHaveTheirCategoryAndTheServersWords(String name) throws Exception {
    JsonNode recorded = recorded(name);
    assertThat(recorded.get("errors")).hasSizeGreaterThanOrEqualTo(4);
    for (JsonNode error : recorded.get("errors")) {
      answers(error.get("status").asInt(), error.get("body"));
      Throwable failure = catchThrowable(() -> ask(recorded));
      assertThat(failure)
          .cause()
          .hasMessageContaining(error.get("words").asText())
          .isInstanceOfSatisfying(
              TeacherException.class,
              known ->
                  assertThat(known.category().name())
                      .as(error.toString())
                      .isEqualTo(error.get("category").asText()));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"openai", "anthropic", "google", "vllm", "llamacpp", "ollama", "sglang"})
  void listsOfModelsAreRead(String name) throws Exception {
    JsonNode recorded = recorded(name);
    answers(200, recorded.get("models"));
    assertThat(teacher(recorded).preflight())
        .contains(recorded.get("preflight").asText())
        .doesNotContain("warning");
  }
}
