package dev.distillery.core.teacher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import dev.distillery.core.teacher.TeacherException.Category;
import dev.distillery.core.teacher.testing.Requests;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Answers in the shapes that makers of models, servers and gateways publish; the texts are ours.
 */
class OpenAiMakersTest {
  private static final String FINE =
      "{\"choices\":[{\"finish_reason\":\"stop\",\"message\":{\"content\":\"fine\"}}]}";

  private final List<String> seen = new CopyOnWriteArrayList<>();
  private HttpServer server;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  private static Optional<TeacherReply> reply(String json) {
    JsonNode answer = OpenAiProtocol.parse(json.getBytes(StandardCharsets.UTF_8)).orElseThrow();
    return OpenAiProtocol.reply(answer, Sampling.of(8), 200, RateLimits.NONE);
  }

  private static JsonNode error(String body) {
    return OpenAiProtocol.error(body.getBytes(StandardCharsets.UTF_8));
  }

  @ParameterizedTest
  @CsvSource({
    "stop,stop",
    "STOP,stop",
    "eos_token,stop",
    "end_turn,stop",
    "stop_sequence,stop",
    "length,length",
    "model_length,length",
    "MAX_TOKENS,length",
    "max_tokens,length",
    "SAFETY,content_filter",
    "content_filter,content_filter",
    "tool_calls,other",
    "odd,other"
  })
  void finishReasonsOfOtherMakersAreMapped(String theirs, String ours) {
    String answer = FINE.replace("\"stop\"", "\"" + theirs + "\"");
    assertThat(reply(answer).orElseThrow().finishReason()).isEqualTo(ours);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "400|[{\"error\":{\"code\":400,\"message\":\"API key not valid. Please pass one.\",\"status\":\"INVALID_ARGUMENT\"}}]|AUTHENTICATION|API key not valid",
        "400|[{\"error\":{\"code\":400,\"message\":\"Unknown name seed\"}}]|BAD_REQUEST|Unknown name seed",
        "400|{\"object\":\"error\",\"message\":\"This model's maximum context length is 32\",\"code\":400}|CONTEXT_LENGTH|maximum context length",
        "422|{\"detail\":[{\"loc\":[\"body\",\"seed\"],\"msg\":\"not permitted\"}]}|BAD_REQUEST|seed: not permitted",
        "400|{\"detail\":\"no such thing\"}|BAD_REQUEST|no such thing",
        "400|{\"error\":\"Input validation error\",\"error_type\":\"validation\"}|BAD_REQUEST|Input validation",
        "401|{\"message\":\"token expired\"}|AUTHENTICATION|token expired",
        "400|unknown parameter: seed|BAD_REQUEST|unknown parameter",
        "404|{\"object\":\"error\",\"message\":\"The model does not exist.\"}|UNKNOWN_MODEL|does not exist",
        "400|{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"Your credit balance is too low\"}}|INSUFFICIENT_QUOTA|credit balance",
        "400|{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"prompt is too long: 9 tokens\"}}|CONTEXT_LENGTH|too long"
      })
  void errorsInEveryShapeHaveTheirCategoryAndWords(
      int status, String body, Category category, String words) {
    JsonNode error = error(body);
    assertThat(OpenAiProtocol.category(status, error)).isEqualTo(category);
    assertThat(
            ServerWords.of(
                error,
                Secret.NONE,
                Requests.prompt("r", "m", "Name a river of the north.", Sampling.of(1))))
        .contains(words);
  }

  @Test
  void aUsageOfZerosIsNone() {
    String answer = "{\"choices\":[{\"message\":{\"content\":\"a\"}}],\"usage\":%s}";
    for (String usage :
        List.of(
            "{\"prompt_tokens\":0,\"completion_tokens\":0}", "{}", "{\"completion_tokens\":3}")) {
      TeacherReply reply = reply(answer.formatted(usage)).orElseThrow();
      assertThat(reply.promptTokens()).as(usage).isEqualTo(-1);
      assertThat(reply.completionTokens()).as(usage).isEqualTo(-1);
    }
    assertThat(
            reply(answer.formatted("{\"prompt_tokens\":2,\"completion_tokens\":0}"))
                .orElseThrow()
                .completionTokens())
        .isZero();
  }

  @Test
  void aChoiceThatFailedIsNoReply() {
    JsonNode failed =
        error(
            """
            {"choices":[{"finish_reason":"error","message":{"content":"The answer is"},
             "error":{"code":502,"message":"Upstream failed"}}]}
            """);
    assertThat(failed.path("message").asText()).isEqualTo("Upstream failed");
    assertThat(OpenAiProtocol.category(failed.path("code").asInt(), failed))
        .isEqualTo(Category.SERVER_ERROR);
    String silent = "{\"choices\":[{\"finish_reason\":\"error\",\"message\":{\"content\":\"\"}}]}";
    assertThat(error(silent).path("message").asText()).isEqualTo("the reply ended in an error");
    assertThat(error(FINE).isMissingNode()).isTrue();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "{\"choices\":[{\"message\":null}]}",
        "{\"choices\":[{}]}",
        "{\"choices\":[{\"delta\":{\"content\":\"a\"}}]}",
        "{\"choices\":[{\"message\":{}}]}",
        "{\"choices\":[{\"text\":null}]}",
        "{\"choices\":[{\"message\":{\"content\":{\"a\":1}}}]}",
        "{\"choices\":[{\"message\":{\"content\":\"a\\ud800b\"}}]}",
        "{\"choices\":[{\"message\":{\"content\":\"a\\u0000b\"}}]}"
      })
  void aChoiceWithoutATextThatCanBeKeptIsNoReply(String json) {
    assertThat(reply(json)).isEmpty();
  }

  @Test
  void whatIsThoughtIsKeptApart() {
    TeacherReply tagged =
        reply(FINE.replace("fine", "<think>\\nhmm\\n</think>\\n\\nfine")).orElseThrow();
    assertThat(tagged.text()).isEqualTo("fine");
    assertThat(tagged.reasoning()).contains("hmm");
    TeacherReply opened = reply(FINE.replace("fine", "hmm</think>fine")).orElseThrow();
    assertThat(opened.text()).isEqualTo("fine");
    assertThat(opened.reasoning()).contains("hmm");
    TeacherReply cut = reply(FINE.replace("fine", "<think>hm")).orElseThrow();
    assertThat(cut.text()).isEmpty();
    TeacherReply field =
        reply("{\"choices\":[{\"message\":{\"content\":null,\"reasoning_content\":\"hmm\"}}]}")
            .orElseThrow();
    assertThat(field.text()).isEmpty();
    assertThat(field.reasoning()).contains("hmm");
  }

  private OpenAiTeacher teacher() {
    return new OpenAiTeacher(
        new TeacherSettings("openai", "m", base() + "/v1", "chat", Duration.ofSeconds(20), 1),
        Secret.of("sk-test"),
        Clock.systemUTC());
  }

  private String base() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  /** Answers a path with a status, a body and headers. */
  private void answers(String path, int status, byte[] body, String... headers) {
    server.createContext(
        path,
        exchange -> {
          exchange.getRequestBody().readAllBytes();
          seen.add(
              exchange.getRequestMethod()
                  + " "
                  + exchange.getRequestURI()
                  + " "
                  + exchange.getRequestHeaders().getFirst("Authorization"));
          for (int i = 0; i < headers.length; i += 2) {
            exchange.getResponseHeaders().set(headers[i], headers[i + 1]);
          }
          exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private TeacherReply ask() throws Exception {
    return teacher()
        .send(Requests.prompt("r", "m", "Name a river.", Sampling.of(8)))
        .get(30, TimeUnit.SECONDS);
  }

  @Test
  void aRedirectOnTheSameServerIsFollowedByTheRequestsAfterIt() throws Exception {
    answers("/v1/", 308, new byte[0], "Location", base() + "/new/v1/chat/completions");
    answers("/new/", 200, utf8(FINE));
    OpenAiTeacher teacher = teacher();
    TeacherRequest request = Requests.prompt("r", "m", "Name a river.", Sampling.of(8));
    // Each is one request on the wire: the caller counts them.
    assertThatThrownBy(() -> teacher.send(request).get(30, TimeUnit.SECONDS))
        .cause()
        .isInstanceOfSatisfying(
            TeacherException.class,
            moved -> {
              assertThat(moved.category()).isEqualTo(Category.MOVED);
              assertThat(moved.retryable()).isTrue();
            });
    assertThat(teacher.send(request).get(30, TimeUnit.SECONDS).text()).isEqualTo("fine");
    assertThat(teacher.send(request).get(30, TimeUnit.SECONDS).text()).isEqualTo("fine");
    assertThat(seen)
        .containsExactly(
            "POST /v1/chat/completions Bearer sk-test",
            "POST /new/v1/chat/completions Bearer sk-test",
            "POST /new/v1/chat/completions Bearer sk-test");
  }

  @Test
  void redirectsInACircleEnd() {
    answers("/v1/", 307, new byte[0], "Location", base() + "/new/v1/chat/completions");
    answers("/new/", 307, new byte[0], "Location", base() + "/v1/chat/completions");
    OpenAiTeacher teacher = teacher();
    TeacherRequest request = Requests.prompt("r", "m", "Name a river.", Sampling.of(8));
    for (int i = 0; i < 3; i++) {
      assertThatThrownBy(() -> teacher.send(request).get(30, TimeUnit.SECONDS))
          .hasMessageContaining("The server sends on to");
    }
    assertThatThrownBy(() -> teacher.send(request).get(30, TimeUnit.SECONDS))
        .cause()
        .hasMessageContaining("on and on")
        .isInstanceOfSatisfying(
            TeacherException.class, circle -> assertThat(circle.fatal()).isTrue());
    assertThat(seen).hasSize(4);
  }

  @Test
  void aServerThatHasMovedAsAWholeIsAskedThereFromTheFirstRequestOn() {
    OpenAiTeacher teacher = teacher();
    var settings =
        new TeacherSettings("openai", "m", base() + "/v1", "chat", Duration.ofSeconds(20), 1);
    teacher.takeAddress(URI.create(base() + "/v1/models"), URI.create("https://h/v2/models"));
    assertThat(teacher.found(settings)).isEqualTo(settings);
    teacher.takeAddress(URI.create(base() + "/v1/models"), URI.create("https://h/v1/models"));
    assertThat(teacher.found(settings)).isEqualTo(settings.withBaseUrl("https://h/v1"));
  }

  @Test
  void aRedirectToAnotherHostIsSaidAndNotFollowed() {
    answers("/v1/", 307, new byte[0], "Location", "http://other.invalid/v1/chat/completions");
    assertThatThrownBy(this::ask)
        .cause()
        .hasMessageContaining("it points to http://other.invalid/v1/chat/completions")
        .hasMessageContaining("--base-url");
  }

  @Test
  void anAnswerThatIsCompressedUnaskedIsRead() throws Exception {
    var packed = new ByteArrayOutputStream();
    try (var gzip = new GZIPOutputStream(packed)) {
      gzip.write(utf8(FINE));
    }
    answers("/v1/", 200, packed.toByteArray(), "Content-Encoding", "gzip");
    assertThat(ask().text()).isEqualTo("fine");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "200|[{\"id\":\"m\"}]|owned by ?",
        "200|{\"data\":[{\"id\":\"models/m\",\"owned_by\":\"x\"}]}|owned by x",
        "200|{\"models\":[{\"name\":\"m\"}]}|owned by ?",
        "200|{\"data\":[{\"id\":\"openai/*\"}]}|warning: its list of models does not have 'm'",
        "200|<html>|warning: its list of models is no list",
        "403|{\"error\":{\"message\":\"Missing scopes: api.model.read\"}}|Missing scopes: api.model.read; asking all the same",
        "500|{\"error\":{\"message\":\"boom\"}}|HTTP 500 when asked for its models, boom",
        "404|<html>|it lists no models"
      })
  void aListOfModelsIsAHint(int status, String body, String said) throws Exception {
    answers("/v1/models", status, utf8(body));
    assertThat(teacher().preflight()).contains(said);
  }

  @Test
  void anErrorThatRepeatsALongPromptIsComparedInOnePass() {
    String prompt = "a".repeat(19).concat("b").repeat(50_000);
    var words = new ArrayList<String>();
    JsonNode error = error("{\"error\":{\"message\":\"" + "a".repeat(1_000_000) + "\"}}");
    words.add(
        ServerWords.of(error, Secret.NONE, Requests.prompt("r", "m", prompt, Sampling.of(1))));
    assertThat(words.get(0)).hasSizeLessThan(400);
  }
}
