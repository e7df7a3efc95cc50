package dev.distillery.core.teacher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.core.teacher.TeacherException.Category;
import dev.distillery.core.teacher.testing.FakeAnswer;
import dev.distillery.core.teacher.testing.FakeLlmServer;
import dev.distillery.core.teacher.testing.FakeRequest;
import dev.distillery.core.teacher.testing.FakeScript;
import dev.distillery.core.teacher.testing.Requests;
import java.net.ServerSocket;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(60)
class OpenAiTeacherTest {
  private static final String KEY = "sk-test-9f8e7d6c5b4a";
  private static final String PROMPT = "Tell me of the green river that nobody has named";
  private static final Clock CLOCK =
      Clock.fixed(Instant.parse("2026-01-01T00:00:00Z"), ZoneOffset.UTC);

  private final FakeLlmServer server = FakeLlmServer.start(FakeScript.echo());

  @AfterEach
  void stop() {
    server.close();
  }

  private OpenAiTeacher teacher(String api, Duration timeout) {
    return new OpenAiTeacher(
        new TeacherSettings("openai", "fake-model", server.baseUrl(), api, timeout, 8),
        Secret.of(KEY),
        CLOCK);
  }

  private OpenAiTeacher teacher() {
    return teacher("chat", Duration.ofSeconds(20));
  }

  private static TeacherRequest request(Sampling sampling, String extraBody) {
    return new TeacherRequest(
        "r1", Optional.empty(), "fake-model", Optional.of(PROMPT), List.of(), sampling, extraBody);
  }

  private static TeacherRequest request() {
    return request(Sampling.of(64), "{}");
  }

  private static TeacherException failureOf(CompletableFuture<TeacherReply> reply) {
    Throwable thrown = catchThrowable(() -> reply.get(30, TimeUnit.SECONDS));
    assertThat(thrown).isInstanceOf(ExecutionException.class);
    assertThat(thrown.getCause()).isInstanceOf(TeacherException.class);
    assertThat(thrown.getCause().getMessage()).doesNotContain(KEY).doesNotContain(PROMPT);
    return (TeacherException) thrown.getCause();
  }

  private TeacherException failureOf(FakeScript script) {
    server.script(script);
    return failureOf(teacher().send(request()));
  }

  private TeacherReply replyOf(FakeScript script) throws Exception {
    server.script(script);
    return teacher().send(request()).get(30, TimeUnit.SECONDS);
  }

  private JsonNode lastBody() {
    List<FakeRequest> seen = server.log().requests();
    return seen.get(seen.size() - 1).body();
  }

  @Test
  void chatAnswerBecomesAReplyWithTheServersOwnCounts() throws Exception {
    TeacherReply reply = replyOf(r -> FakeAnswer.completion(r, "Green it is", "length"));

    assertThat(reply)
        .isEqualTo(new TeacherReply("Green it is", "length", 10, 0, 3, 200, RateLimits.NONE));
    FakeRequest seen = server.log().requests().get(0);
    assertThat(seen.chat()).isTrue();
    assertThat(seen.id()).isEqualTo("r1");
    assertThat(seen.authorization()).isEqualTo("Bearer " + KEY);
    assertThat(seen.body())
        .hasToString(
            "{\"model\":\"fake-model\",\"messages\":[{\"role\":\"user\",\"content\":\""
                + PROMPT
                + "\"}],\"max_tokens\":64}");
  }

  @Test
  void completionsApiSendsThePromptAsItIs() throws Exception {
    TeacherReply reply =
        teacher("completions", Duration.ofSeconds(20)).send(request()).get(30, TimeUnit.SECONDS);

    assertThat(reply.text()).startsWith("Reply to ");
    assertThat(server.log().requests().get(0).chat()).isFalse();
    assertThat(lastBody().path("prompt").asText()).isEqualTo(PROMPT);
  }

  @Test
  void completionsApiRefusesMessages() {
    TeacherException failure =
        failureOf(
            teacher("completions", Duration.ofSeconds(20))
                .send(Requests.chat("r", "fake-model", "Hello there", Sampling.of(3))));

    assertThat(failure.category()).isEqualTo(Category.BAD_REQUEST);
    assertThat(failure).hasMessage("The request cannot be sent: messages need --api chat");
    assertThat(server.log().entries()).isEmpty();
  }

  @Test
  void everySamplingParameterIsSentAndTheExtraBodyGoesOver() throws Exception {
    var sampling =
        new Sampling(
            7,
            OptionalDouble.of(0.5),
            OptionalDouble.of(0.9),
            OptionalInt.of(40),
            OptionalDouble.of(0.1),
            OptionalDouble.of(-0.2),
            OptionalDouble.of(1.1),
            OptionalLong.of(11),
            List.of("###", "\n\n"));
    teacher()
        .send(
            request(
                sampling,
                "{\"min_p\":0.05,\"seed\":null,\"top_p\":0.8,\"response_format\":{\"type\":\"text\"}}"))
        .get(30, TimeUnit.SECONDS);

    JsonNode body = lastBody();
    assertThat(body.path("max_tokens").asInt()).isEqualTo(7);
    assertThat(body.path("temperature").asDouble()).isEqualTo(0.5);
    assertThat(body.path("top_p").asDouble()).isEqualTo(0.8);
    assertThat(body.path("top_k").asInt()).isEqualTo(40);
    assertThat(body.path("frequency_penalty").asDouble()).isEqualTo(0.1);
    assertThat(body.path("presence_penalty").asDouble()).isEqualTo(-0.2);
    assertThat(body.path("repetition_penalty").asDouble()).isEqualTo(1.1);
    assertThat(body.has("seed")).isFalse();
    assertThat(body.path("stop").toString()).isEqualTo("[\"###\",\"\\n\\n\"]");
    assertThat(body.path("min_p").asDouble()).isEqualTo(0.05);
    assertThat(body.path("response_format").path("type").asText()).isEqualTo("text");
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      delimiter = '|',
      value = {
        "{\"stream\":true} | --extra-body may not set 'stream'",
        "{\"n\":3} | --extra-body may not set 'n'",
        "[1] | the extra body is not a JSON object",
        "{oops | the extra body is not JSON: write --extra-body as one JSON object",
      })
  void extraBodyThatCannotBeSentIsRefusedBeforeItIsSent(String extra, String why) {
    TeacherException failure = failureOf(teacher().send(request(Sampling.of(3), extra)));

    assertThat(failure.category()).isEqualTo(Category.BAD_REQUEST);
    assertThat(failure).hasMessage("The request cannot be sent: " + why);
    assertThat(server.log().entries()).isEmpty();
  }

  @Test
  void serverThatWantsMaxCompletionTokensIsAskedSoFromThenOn() throws Exception {
    server.script(
        r ->
            r.body().has("max_tokens")
                ? FakeAnswer.raw(
                    400,
                    "{\"error\":{\"message\":\"Unsupported parameter: 'max_tokens'. Use"
                        + " 'max_completion_tokens' instead.\",\"param\":\"max_tokens\","
                        + "\"code\":\"unsupported_parameter\"}}")
                : FakeAnswer.says(r, "fine"));
    OpenAiTeacher teacher = teacher();

    // Nothing is sent that nobody has asked for: the caller counts requests.
    TeacherException failure = failureOf(teacher.send(request()));
    assertThat(failure.category()).isEqualTo(Category.OTHER_FORM);
    assertThat(failure.retryable()).isTrue();
    assertThat(server.log().entries()).hasSize(1);
    assertThat(teacher.send(request()).get(30, TimeUnit.SECONDS).text()).isEqualTo("fine");
    assertThat(teacher.send(request()).get(30, TimeUnit.SECONDS).text()).isEqualTo("fine");
    assertThat(server.log().entries()).hasSize(3);
    assertThat(lastBody().path("max_completion_tokens").asInt()).isEqualTo(64);
  }

  @Test
  void tokenLimitInTheExtraBodyReplacesOurs() throws Exception {
    teacher()
        .send(request(Sampling.of(5), "{\"max_completion_tokens\":9}"))
        .get(30, TimeUnit.SECONDS);

    assertThat(lastBody().has("max_tokens")).isFalse();
    assertThat(lastBody().path("max_completion_tokens").asInt()).isEqualTo(9);
  }

  @ParameterizedTest
  @CsvSource({
    "stop, stop",
    "length, length",
    "content_filter, content_filter",
    "null, other",
    "tool_calls, other",
    "eaten_by_a_grue, other"
  })
  void finishReasonsAreMapped(String sent, String expected) throws Exception {
    assertThat(replyOf(r -> FakeAnswer.completion(r, "x", sent)).finishReason())
        .isEqualTo(expected);
  }

  @Test
  void nullContentIsAnEmptyText() throws Exception {
    TeacherReply reply = replyOf(r -> FakeAnswer.completion(r, "null", "content_filter"));

    assertThat(reply.text()).isEmpty();
    assertThat(reply.finishReason()).isEqualTo("content_filter");
  }

  @Test
  void missingUsageUnknownFieldsPartsAndRefusalsAreRead() throws Exception {
    TeacherReply reply =
        replyOf(
            r ->
                FakeAnswer.raw(
                    200,
                    "{\"odd\":[],\"choices\":[{\"message\":{\"reasoning\":\"hm\",\"refusal\":\"No\","
                        + "\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"text\":\"b\"}]},"
                        + "\"finish_reason\":\"stop\"}],\"error\":null}"));

    assertThat(reply)
        .isEqualTo(
            new TeacherReply(
                "ab", "content_filter", -1, 0, -1, 200, RateLimits.NONE, Optional.of("hm")));
  }

  @Test
  void callsOfToolsAreKeptWhetherThereIsATextOrNot() throws Exception {
    String calls =
        "[{\"id\":\"c1\",\"type\":\"function\",\"function\":{\"name\":\"map\",\"arguments\":\"{}\"}}]";
    String reply =
        "{\"choices\":[{\"message\":{\"content\":null,%s},\"finish_reason\":\"tool_calls\"}]}";
    TeacherReply called =
        replyOf(r -> FakeAnswer.raw(200, reply.formatted("\"tool_calls\":" + calls)));
    assertThat(called.text()).isEmpty();
    assertThat(called.toolCalls()).contains(calls);
    TeacherReply older =
        replyOf(r -> FakeAnswer.raw(200, reply.formatted("\"function_call\":{\"name\":\"map\"}")));
    assertThat(older.toolCalls())
        .contains("[{\"type\":\"function\",\"function\":{\"name\":\"map\"}}]");
    assertThat(replyOf(r -> FakeAnswer.raw(200, reply.formatted("\"tool_calls\":[]"))).toolCalls())
        .isEmpty();
  }

  /**
   * The forms of OpenAI's two APIs, llama.cpp's ids and those that vLLM writes in place of texts.
   */
  @Test
  void logProbabilitiesAreReadInTheFormsOfBothApis() throws Exception {
    String chat =
        """
        {"choices":[{"finish_reason":"stop","message":{"content":"Hi."},"logprobs":{"content":[
        {"token":"Hi","logprob":-0.25,"bytes":[72,105],"top_logprobs":[
        {"token":"Hi","id":7,"logprob":-0.25},{"token":"No","logprob":-1.5}]},
        {"token":"token_id:13","logprob":-0.5,"top_logprobs":[]}]}}]}\
        """;
    server.script(r -> FakeAnswer.raw(200, chat));
    TeacherReply reply =
        teacher()
            .send(request(Sampling.of(8), TokenLogprob.ask("{\"min_p\":0.1}", true, 2)))
            .get(30, TimeUnit.SECONDS);
    assertThat(lastBody().get("logprobs").asBoolean()).isTrue();
    assertThat(lastBody().get("top_logprobs").asInt()).isEqualTo(2);
    assertThat(TokenLogprob.asked(lastBody())).isEqualTo(2);
    assertThat(reply.logprobs())
        .containsExactly(
            new TokenLogprob(
                "Hi",
                OptionalInt.empty(),
                -0.25,
                List.of(
                    new TokenLogprob.Top("Hi", OptionalInt.of(7), -0.25),
                    new TokenLogprob.Top("No", OptionalInt.empty(), -1.5))),
            new TokenLogprob("", OptionalInt.of(13), -0.5, List.of()));
    assertThat(TokenLogprob.fromJson(TokenLogprob.toJson(reply.logprobs())))
        .isEqualTo(reply.logprobs());

    String completions =
        """
        {"choices":[{"finish_reason":"stop","text":"Hi","logprobs":{"tokens":["Hi"],
        "token_logprobs":[-0.25],"top_logprobs":[{"No":-1.5,"Hi":-0.25}],"text_offset":[0]}}]}\
        """;
    server.script(r -> FakeAnswer.raw(200, completions));
    TeacherReply continued =
        teacher("completions", Duration.ofSeconds(20))
            .send(request(Sampling.of(8), TokenLogprob.ask("{}", false, 2)))
            .get(30, TimeUnit.SECONDS);
    assertThat(TokenLogprob.asked(lastBody())).isEqualTo(2);
    assertThat(continued.logprobs().get(0).top())
        .extracting(TokenLogprob.Top::token)
        .containsExactly("Hi", "No");
  }

  @Test
  void cachedPromptTokensAreRead() throws Exception {
    TeacherReply reply =
        replyOf(
            r ->
                FakeAnswer.raw(
                    200,
                    "{\"choices\":[{\"message\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}],"
                        + "\"usage\":{\"prompt_tokens\":2048,\"completion_tokens\":1,"
                        + "\"prompt_tokens_details\":{\"cached_tokens\":1920}}}"));

    assertThat(reply.promptTokens()).isEqualTo(2048);
    assertThat(reply.cachedPromptTokens()).isEqualTo(1920);
  }

  @Test
  void stopTextThatAServerLeavesInIsCutOff() throws Exception {
    server.script(r -> FakeAnswer.completion(r, "one ### two END", "length"));

    TeacherReply reply =
        teacher()
            .send(Requests.chat("r", "fake-model", "Hi", Requests.greedy(9, "END", "###")))
            .get(30, TimeUnit.SECONDS)
            .finished(List.of("END", "###"));

    assertThat(reply.text()).isEqualTo("one ");
    assertThat(reply.finishReason()).isEqualTo("stop");
  }

  /** Nothing behind a stop is learned from, and what is no number or no text is not believed. */
  @Test
  void logProbabilitiesEndAtAStopAndAreNumbers() throws Exception {
    String whole =
        """
        {"choices":[{"finish_reason":"length","text":"one ### two","logprobs":{
        "tokens":["one"," ","%s"," two"],"token_logprobs":[-1e400,-0.5,-0.5,-0.5],
        "top_logprobs":[{"\\ud83d":"NaN"},{},{},{}]}}]}\
        """;
    server.script(r -> FakeAnswer.raw(200, whole.formatted("###")));
    TeacherReply reply = stopped();
    assertThat(reply.text()).isEqualTo("one ");
    var top = new TokenLogprob.Top("", OptionalInt.empty(), -Double.MAX_VALUE);
    assertThat(reply.logprobs())
        .containsExactly(
            new TokenLogprob("one", OptionalInt.empty(), -Double.MAX_VALUE, List.of(top)),
            new TokenLogprob(" ", OptionalInt.empty(), -0.5, List.of()));
    assertThat(TokenLogprob.fromJson(TokenLogprob.toJson(reply.logprobs())))
        .isEqualTo(reply.logprobs());

    // Where ids alone are told nobody knows which of them are behind the stop.
    server.script(r -> FakeAnswer.raw(200, whole.replace("\"one\"", "\"token_id:5\"")));
    assertThat(stopped().logprobs()).isEmpty();
  }

  private TeacherReply stopped() {
    return teacher("completions", Duration.ofSeconds(20))
        .send(request(Requests.greedy(9, "###"), TokenLogprob.ask("{}", false, 2)))
        .join()
        .finished(List.of("###"));
  }

  @Test
  void replyThatComesTwiceInOneBodyIsReadOnce() throws Exception {
    assertThat(replyOf(r -> FakeAnswer.says(r, "once").twice()).text()).isEqualTo("once");
  }

  @ParameterizedTest
  @CsvSource({
    "400, BAD_REQUEST",
    "401, AUTHENTICATION",
    "402, INSUFFICIENT_QUOTA",
    "403, AUTHENTICATION",
    "404, UNKNOWN_MODEL",
    "408, SERVER_ERROR",
    "409, SERVER_ERROR",
    "413, BAD_REQUEST",
    "422, BAD_REQUEST",
    "429, RATE_LIMITED",
    "302, BAD_REQUEST",
    "500, SERVER_ERROR",
    "503, SERVER_ERROR",
    "529, SERVER_ERROR"
  })
  void statusesHaveTheirCategories(int status, Category expected) {
    TeacherException failure = failureOf(r -> FakeAnswer.raw(status, "<html>no</html>"));

    assertThat(failure.category()).isEqualTo(expected);
    assertThat(failure.httpStatus()).isEqualTo(status);
    assertThat(failure.retryable()).isEqualTo(expected.retryable());
  }

  @Test
  void quotaKeyModelAndLengthAreToldFromTheErrorsCode() {
    assertThat(failureOf(r -> FakeAnswer.insufficientQuota()).category())
        .isEqualTo(Category.INSUFFICIENT_QUOTA);
    assertThat(failureOf(r -> FakeAnswer.badKey()))
        .hasMessageEndingWith("check the key in --api-key-env or --api-key-file")
        .extracting(TeacherException::fatal)
        .isEqualTo(true);
    assertThat(failureOf(r -> FakeAnswer.unknownModel("fake-model")).category())
        .isEqualTo(Category.UNKNOWN_MODEL);
    assertThat(failureOf(r -> FakeAnswer.contextLength()).category())
        .isEqualTo(Category.CONTEXT_LENGTH);
    assertThat(
            failureOf(
                    r ->
                        FakeAnswer.error(
                            400, "exceed_context_size_error", "400", "request (9 tokens) exceeds"))
                .category())
        .isEqualTo(Category.CONTEXT_LENGTH);
  }

  @Test
  void errorInASuccessfulAnswerIsAnError() {
    TeacherException failure =
        failureOf(r -> FakeAnswer.raw(200, "{\"error\":{\"code\":429,\"message\":\"slow down\"}}"));

    assertThat(failure.category()).isEqualTo(Category.RATE_LIMITED);
    assertThat(failure.httpStatus()).isEqualTo(429);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "Retry-After | 3 | 3000",
        "Retry-After | 0.25 | 250",
        "Retry-After | Thu, 01 Jan 2026 00:00:07 GMT | 7000",
        "Retry-After | Wed, 31 Dec 2025 23:59:00 GMT | 0",
        "Retry-After-Ms | 125 | 125",
        "Retry-After | 99999999 | 86400000",
      })
  void retryAfterIsReadInEveryForm(String header, String value, long millis) {
    TeacherException failure = failureOf(r -> FakeAnswer.rateLimited().withHeader(header, value));

    assertThat(failure.retryAfter()).contains(Duration.ofMillis(millis));
  }

  @ParameterizedTest
  @CsvSource({"soon", "-3", "''", "1e3"})
  void retryAfterThatMakesNoSenseIsPassedOver(String value) {
    assertThat(failureOf(r -> FakeAnswer.rateLimited().withHeader("Retry-After", value)))
        .extracting(TeacherException::retryAfter)
        .isEqualTo(Optional.empty());
  }

  @Test
  void serversWordOnRetryingGoesOverTheCategory() {
    assertThat(
            failureOf(r -> FakeAnswer.serverError().withHeader("X-Should-Retry", "false"))
                .retryable())
        .isFalse();
    assertThat(
            failureOf(r -> FakeAnswer.raw(400, "{}").withHeader("x-should-retry", "true"))
                .retryable())
        .isTrue();
  }

  @Test
  void rateLimitHeadersAreReadFromRepliesAndRefusals() throws Exception {
    TeacherReply reply =
        replyOf(
            r ->
                FakeAnswer.says(r, "x")
                    .withHeader("x-ratelimit-remaining-requests", "59")
                    .withHeader("x-ratelimit-remaining-tokens", "-1")
                    .withHeader("x-ratelimit-reset-requests", "6m0.5s")
                    .withHeader("x-ratelimit-reset-tokens", "20ms"));

    assertThat(reply.limits())
        .isEqualTo(
            new RateLimits(
                59,
                -1,
                Optional.of(Duration.ofMillis(360_500)),
                Optional.of(Duration.ofMillis(20))));
    assertThat(
            failureOf(
                    r ->
                        FakeAnswer.rateLimited()
                            .withHeader("x-ratelimit-remaining-requests", "0")
                            .withHeader("x-ratelimit-reset-requests", "1m later"))
                .limits())
        .isEqualTo(new RateLimits(0, -1, Optional.empty(), Optional.empty()));
  }

  @Test
  void answerThatIsCutOffIsMalformed() {
    TeacherException failure = failureOf(r -> FakeAnswer.says(r, "a long text").cutOff());

    assertThat(failure.category()).isEqualTo(Category.MALFORMED_REPLY);
    assertThat(failure).hasMessageStartingWith("The answer (HTTP 200) was cut off");
    assertThat(server.log().stats().path("completion_tokens").asInt()).isEqualTo(3);
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      delimiter = '|',
      value = {
        "{\"choices\":[]}",
        "{\"choices\":[3]}",
        "{\"choices\":[{\"message\":{\"content\":{}}}]}",
        "[]",
        "not json",
        "``",
      })
  void answerThatIsNoCompletionIsMalformed(String body) {
    assertThat(failureOf(r -> FakeAnswer.raw(200, body == null ? "" : body)).category())
        .isEqualTo(Category.MALFORMED_REPLY);
  }

  @Test
  void brokenJsonIsMalformed() {
    assertThat(failureOf(r -> FakeAnswer.says(r, "text").malformed()).category())
        .isEqualTo(Category.MALFORMED_REPLY);
  }

  @Test
  void answerAboveTheLimitIsNotRead() {
    String huge = " ".repeat(OpenAiTeacher.LONGEST_ANSWER + 1);

    TeacherException failure = failureOf(r -> FakeAnswer.says(r, "x").withBody(huge));

    assertThat(failure.category()).isEqualTo(Category.MALFORMED_REPLY);
    assertThat(failure).hasMessageContaining("Longer than 16777216 bytes");
  }

  @Test
  void closedConnectionIsAConnectionFailure() {
    assertThat(failureOf(r -> FakeAnswer.closed()).category()).isEqualTo(Category.CONNECTION);
    assertThat(server.log().entries()).hasSize(1);
  }

  @Test
  void serverThatIsNotThereIsUnreachable() throws Exception {
    int port;
    try (var socket = new ServerSocket(0)) {
      port = socket.getLocalPort();
    }
    var settings =
        new TeacherSettings(
            "openai", "m", "http://127.0.0.1:" + port + "/v1", "chat", Duration.ofSeconds(5), 1);
    var teacher = new OpenAiTeacher(settings, Secret.NONE, CLOCK);

    TeacherException failure = failureOf(teacher.send(request()));

    assertThat(failure.category()).isEqualTo(Category.UNREACHABLE);
    assertThat(failure)
        .hasMessage(
            String.format(
                Locale.ROOT,
                "Cannot talk to http://127.0.0.1:%d/v1: ConnectException; check --base-url and that"
                    + " the server runs",
                port));
    assertThatThrownBy(teacher::preflight)
        .isInstanceOfSatisfying(
            TeacherException.class, e -> assertThat(e.category()).isEqualTo(Category.UNREACHABLE));
  }

  @Test
  void requestThatIsNeverAnsweredTimesOut() {
    server.script(r -> FakeAnswer.never());

    TeacherException failure = failureOf(teacher("chat", Duration.ofMillis(300)).send(request()));

    assertThat(failure.category()).isEqualTo(Category.TIMEOUT);
    assertThat(failure)
        .hasMessage(
            "No whole answer from %s within 300 ms (--request-timeout)"
                .formatted(server.baseUrl()));
  }

  @Test
  void serversMessageIsShownWithoutKeyAndPrompt() {
    assertThat(failureOf(r -> FakeAnswer.error(400, "t", "bad_thing", "Key " + KEY + " is\nbad")))
        .hasMessage("HTTP 400 from the server, bad_thing: Key *** is bad");
    assertThat(failureOf(r -> FakeAnswer.error(400, "t", "c", "You said: " + PROMPT)))
        .hasMessage(
            "HTTP 400 from the server, c: (the server's message repeats the prompt and is not"
                + " shown)");
  }

  @Test
  void callerThatBlocksHoldsBackNoOtherReply() throws Exception {
    OpenAiTeacher teacher = teacher();
    var release = new CountDownLatch(1);
    var blocked = new ArrayList<CompletableFuture<Void>>();
    for (int i = 0; i < 32; i++) {
      blocked.add(
          teacher
              .send(Requests.chat("b" + i, "fake-model", "wait " + i, Sampling.of(3)))
              .thenAccept(
                  reply -> {
                    try {
                      release.await();
                    } catch (InterruptedException e) {
                      Thread.currentThread().interrupt();
                    }
                  }));
    }

    assertThat(teacher.send(request()).get(30, TimeUnit.SECONDS).finishReason()).isEqualTo("stop");
    assertThat(blocked).noneMatch(CompletableFuture::isDone);
    release.countDown();
    CompletableFuture.allOf(blocked.toArray(CompletableFuture<?>[]::new)).get(30, TimeUnit.SECONDS);
  }

  @Test
  void hundredsAtOnceAreInFlightTogether() throws Exception {
    server.script(r -> FakeAnswer.says(r, "x").after(Duration.ofMillis(500)));
    OpenAiTeacher teacher = teacher();
    var replies = new ArrayList<CompletableFuture<TeacherReply>>();
    for (int i = 0; i < 128; i++) {
      replies.add(teacher.send(Requests.chat("r" + i, "fake-model", "hi", Sampling.of(3))));
    }
    CompletableFuture.allOf(replies.toArray(CompletableFuture<?>[]::new)).get(30, TimeUnit.SECONDS);

    assertThat(server.log().mostInFlight()).isGreaterThan(64);
    assertThat(server.log().times()).hasSize(128).allSatisfy((id, n) -> assertThat(n).isOne());
  }

  @Test
  void preflightTellsWhoAnswers() throws Exception {
    assertThat(teacher().preflight())
        .isEqualTo(
            "fake-llm at %s, model fake-model (owned by nobody)".formatted(server.baseUrl()));
  }

  @Test
  void preflightWarnsOfAModelThatTheServerDoesNotList() throws Exception {
    var settings =
        new TeacherSettings(
            "openai", "fake-modle", server.baseUrl(), "chat", Duration.ofSeconds(5), 1);

    assertThat(new OpenAiTeacher(settings, Secret.NONE, CLOCK).preflight())
        .endsWith(
            "; warning: its list of models does not have 'fake-modle', did you mean 'fake-model'?;"
                + " it has: fake-model, fake-model-mini, other; asking all the same");
  }

  @ParameterizedTest
  @CsvSource({
    "ftp://host/v1",
    "http:///v1",
    "host/v1",
    "http://user:secret@host/v1",
    "http://host/v1?key=1",
    "http://host/v1/chat/completions",
    "http://a b"
  })
  void baseUrlThatCannotWorkIsRefused(String url) {
    var settings = new TeacherSettings("openai", "m", url, "chat", Duration.ofSeconds(1), 1);

    assertThatThrownBy(() -> new OpenAiTeacher(settings, Secret.NONE, CLOCK))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("base URL");
  }

  @Test
  void keyThatCannotBeSentIsRefusedWithoutBeingShown() {
    var settings =
        new TeacherSettings("openai", "m", "http://host/v1", "chat", Duration.ofSeconds(1), 1);

    assertThatThrownBy(() -> new OpenAiTeacher(settings, Secret.of("sk-\u00fcber"), CLOCK))
        .hasMessage(
            "The API key holds a character that cannot be sent: check --api-key-env or"
                + " --api-key-file");
  }
}
