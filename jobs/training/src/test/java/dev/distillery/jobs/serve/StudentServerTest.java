package dev.distillery.jobs.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.dialogue.Message;
import dev.distillery.core.teacher.Sampling;
import dev.distillery.core.teacher.Secret;
import dev.distillery.core.teacher.Teacher;
import dev.distillery.core.teacher.TeacherRequest;
import dev.distillery.core.teacher.TeacherSettings;
import dev.distillery.core.teacher.Teachers;
import dev.distillery.training.student.AskedOptions;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Over HTTP, with {@link TinyStudent}. */
class StudentServerTest {
  private static final int CONTEXT = TinyStudent.CONTEXT;
  private static final int BOS = 1;
  private static final int PROMPT_TOKENS = 128;
  private static final String CHAT = "/v1/chat/completions";
  private static final String TEXT = "/v1/completions";
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir static Path shared;

  private final HttpClient http = HttpClient.newHttpClient();
  private final ServerFigures figures = new ServerFigures();
  private ServedModels models;
  private StudentServer server;

  @BeforeEach
  void start() throws IOException {
    start(Secret.NONE, 4, 64);
  }

  private void start(Secret key, int concurrency, int queue) throws IOException {
    stop();
    ServeOptions options =
        ServeOptions.builder()
            .student(
                AskedOptions.builder()
                    .model(TinyStudent.model(shared).toString())
                    .threads(2)
                    .build())
            .concurrency(concurrency)
            .build();
    models =
        ServedModels.open(
            options,
            options
                .student()
                .settings(
                    LocalDate.EPOCH, concurrency, options.requestTimeout(), 1, PROMPT_TOKENS));
    server =
        StudentServer.start(
            new StudentServer.Served(models, key, figures, Optional.empty()),
            "127.0.0.1",
            0,
            queue);
  }

  @AfterEach
  void stop() {
    if (server != null) {
      server.close();
      models.close();
    }
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create(server.address() + path))
        .timeout(Duration.ofSeconds(60));
  }

  private HttpRequest post(String path, String body) {
    return request(path)
        .header("Content-Type", "application/json")
        .POST(HttpRequest.BodyPublishers.ofString(body))
        .build();
  }

  private HttpResponse<String> send(HttpRequest request) throws IOException {
    try {
      return http.send(request, BodyHandlers.ofString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private JsonNode ask(String path, ObjectNode body) throws IOException {
    HttpResponse<String> response = send(post(path, body.toString()));
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    return JSON.readTree(response.body());
  }

  private List<JsonNode> stream(String path, ObjectNode body) throws IOException {
    body.put("stream", true).putObject("stream_options").put("include_usage", true);
    HttpResponse<String> response = send(post(path, body.toString()));
    assertThat(response.headers().firstValue("Content-Type"))
        .contains("text/event-stream; charset=utf-8");
    assertThat(response.body()).endsWith("data: [DONE]\n\n");
    List<JsonNode> events = new ArrayList<>();
    for (String line : response.body().split("\n\n")) {
      if (!line.equals("data: [DONE]")) {
        events.add(JSON.readTree(line.substring("data: ".length())));
      }
    }
    assertThat(events.get(events.size() - 1).path("usage").path("total_tokens").intValue())
        .isPositive();
    return events;
  }

  private static ObjectNode chat(String said, int length) {
    ObjectNode body = JSON.createObjectNode().put("model", "student").put("max_tokens", length);
    body.putArray("messages").addObject().put("role", "user").put("content", said);
    return body.put("temperature", 0);
  }

  private static ObjectNode text(String prompt, int length) {
    return JSON.createObjectNode()
        .put("prompt", prompt)
        .put("max_tokens", length)
        .put("temperature", 0);
  }

  private static String content(JsonNode answer) {
    return answer.at("/choices/0/message/content").textValue();
  }

  /** What a stream has said of a choice. */
  private static String said(List<JsonNode> events, int choice) {
    var text = new StringBuilder();
    for (JsonNode event : events) {
      for (JsonNode one : event.get("choices")) {
        if (one.get("index").intValue() == choice) {
          text.append(one.path("text").asText(one.at("/delta/content").asText("")));
        }
      }
    }
    return text.toString();
  }

  @Test
  void answersAreThoseOfTheStudentAsATeacher() throws Exception {
    var settings =
        new TeacherSettings(
            "student", TinyStudent.model(shared).toString(), "", "chat", Duration.ofMinutes(1), 1);
    try (Teacher teacher = Teachers.open(settings, Secret.NONE)) {
      for (String said : List.of("the sea", "One. Two. Three.", "é 漢字 😀")) {
        var sampling =
            new Sampling(
                12,
                OptionalDouble.of(0),
                OptionalDouble.empty(),
                OptionalInt.empty(),
                OptionalDouble.empty(),
                OptionalDouble.empty(),
                OptionalDouble.empty(),
                OptionalLong.empty(),
                List.of());
        var request =
            new TeacherRequest(
                "r",
                Optional.empty(),
                "m",
                Optional.empty(),
                List.of(new Message("user", said)),
                sampling,
                "{}");
        var formatted =
            new TeacherRequest(
                "r",
                Optional.empty(),
                "m",
                Optional.empty(),
                request.messages(),
                sampling,
                JSON.createObjectNode()
                    .set("response_format", formatted(chat(said, 12), EVENT).get("response_format"))
                    .toString());
        assertThat(content(ask(CHAT, formatted(chat(said, 12), EVENT))))
            .isEqualTo(teacher.send(formatted).get(60, TimeUnit.SECONDS).text());
        var reply = teacher.send(request).get(60, TimeUnit.SECONDS);
        JsonNode answer = ask(CHAT, chat(said, 12));
        assertThat(content(answer)).isEqualTo(reply.text());
        assertThat(answer.at("/choices/0/finish_reason").textValue())
            .isEqualTo(reply.finishReason());
        assertThat(answer.at("/usage/prompt_tokens").intValue()).isEqualTo(reply.promptTokens());
        assertThat(answer.at("/usage/completion_tokens").intValue())
            .isEqualTo(reply.completionTokens());
      }
    }
  }

  @Test
  void aStreamSaysWhatTheWholeAnswerSays() throws IOException {
    for (String prompt : List.of("the sea", "a b c", "😀")) {
      String whole = ask(TEXT, text(prompt, 40)).at("/choices/0/text").textValue();
      assertThat(whole).isNotEmpty();
      for (int length : new int[] {1, 2, 3, 7, 40}) {
        JsonNode plain = ask(TEXT, text(prompt, length));
        List<JsonNode> events = stream(TEXT, text(prompt, length));
        assertThat(said(events, 0)).isEqualTo(plain.at("/choices/0/text").textValue());
        assertThat(events.get(events.size() - 1).get("usage")).isEqualTo(plain.get("usage"));
      }
      // A stop text anywhere, over tokens and within them, is in no part of a stream.
      for (int at = 1; at + 3 < whole.length() && at < 20; at += 3) {
        String stop = whole.substring(at, at + 3);
        ObjectNode body = text(prompt, 40).put("stop", stop);
        JsonNode plain = ask(TEXT, body);
        assertThat(plain.at("/choices/0/text").textValue())
            .isEqualTo(whole.substring(0, whole.indexOf(stop)));
        assertThat(plain.at("/choices/0/finish_reason").textValue()).isEqualTo("stop");
        assertThat(said(stream(TEXT, body), 0)).isEqualTo(plain.at("/choices/0/text").textValue());
      }
    }
  }

  @Test
  void seedsDecideAndAnswersDiffer() throws IOException {
    ObjectNode body = chat("the sea", 12).put("temperature", 1.5).put("n", 4);
    List<String> free = answers(ask(CHAT, body));
    assertThat(answers(ask(CHAT, body))).isNotEqualTo(free);
    body.put("seed", 7);
    List<String> drawn = answers(ask(CHAT, body));
    assertThat(drawn).doesNotHaveDuplicates();
    var company = new ArrayList<CompletableFuture<HttpResponse<String>>>();
    for (int i = 0; i < 6; i++) {
      String other = chat("company " + i, 60).put("temperature", 1).toString();
      company.add(http.sendAsync(post(CHAT, other), BodyHandlers.ofString()));
    }
    assertThat(answers(ask(CHAT, body))).isEqualTo(drawn);
    List<JsonNode> events = stream(CHAT, body.deepCopy());
    for (int i = 0; i < 4; i++) {
      assertThat(said(events, i)).isEqualTo(drawn.get(i));
    }
    company.forEach(other -> assertThat(other.join().statusCode()).isEqualTo(200));
    assertThat(answers(ask(CHAT, body.put("n", 1)))).containsExactly(drawn.get(0));

    ObjectNode list = text("", 12).put("temperature", 1.5).put("n", 2);
    list.putArray("prompt").add("the sea").add("the sea");
    assertThat(texts(ask(TEXT, list))).hasSize(4).doesNotHaveDuplicates();
    List<String> same = texts(ask(TEXT, list.put("seed", 3)));
    assertThat(same.subList(0, 2)).isEqualTo(same.subList(2, 4)).doesNotHaveDuplicates();
  }

  private static List<String> texts(JsonNode answer) {
    List<String> all = new ArrayList<>();
    answer.get("choices").forEach(choice -> all.add(choice.get("text").textValue()));
    return all;
  }

  private static List<String> answers(JsonNode answer) {
    List<String> all = new ArrayList<>();
    for (JsonNode choice : answer.get("choices")) {
      assertThat(choice.get("index").intValue()).isEqualTo(all.size());
      all.add(choice.at("/message/content").textValue());
    }
    return all;
  }

  /** The values are those that transformers gave, in expected.json. */
  @Test
  void echoedPromptsHaveTheLogProbabilitiesOfTransformers() throws IOException {
    for (JsonNode golden :
        JSON.readTree(TinyStudent.GOLDEN.resolve("expected.json").toFile()).get("logprobs")) {
      // There a text stands behind BOS; tokens are taken as they are.
      ArrayNode ids = JSON.createArrayNode();
      if (golden.get("token_ids").get(0).intValue() != BOS) {
        ids.add(BOS);
      }
      int before = ids.size();
      ids.addAll((ArrayNode) golden.get("token_ids"));
      ObjectNode body = text("", 1).put("echo", true).put("logprobs", 2);
      body.set("prompt", ids);
      JsonNode choice = ask(TEXT, body).at("/choices/0");
      JsonNode told = choice.get("logprobs");
      int count = ids.size();
      assertThat(told.get("tokens")).hasSize(count + 1);
      assertThat(told.get("token_logprobs").get(0).isNull()).isTrue();
      for (int i = 1; i < count; i++) {
        assertThat(told.get("token_logprobs").get(i).doubleValue())
            .isCloseTo(golden.get("logprobs").get(i - before).doubleValue(), within(1e-4));
        // The two likeliest, and the written one.
        assertThat(told.get("top_logprobs").get(i).size()).isBetween(1, 3);
      }
      assertThat(offsets(told)).isSorted().hasSize(count + 1).startsWith(0);
      ObjectNode nothing = body.deepCopy().put("max_tokens", 0);
      JsonNode silent = ask(TEXT, nothing);
      assertThat(silent.at("/choices/0/logprobs/tokens")).hasSize(count);
      assertThat(silent.at("/usage/completion_tokens").intValue()).isZero();
      List<Integer> streamed = new ArrayList<>();
      for (JsonNode event : stream(TEXT, body)) {
        streamed.addAll(offsets(event.at("/choices/0/logprobs")));
      }
      assertThat(streamed).isEqualTo(offsets(told));
    }
  }

  private static List<Integer> offsets(JsonNode told) {
    List<Integer> offsets = new ArrayList<>();
    told.path("text_offset").forEach(offset -> offsets.add(offset.intValue()));
    return offsets;
  }

  @Test
  void aDialoguesTokensAreToldByTheirBytes() throws IOException {
    ObjectNode body = chat("😀 the sea", 20).put("logprobs", true).put("top_logprobs", 3);
    JsonNode choice = ask(CHAT, body).at("/choices/0");
    var bytes = new java.io.ByteArrayOutputStream();
    JsonNode content = choice.at("/logprobs/content");
    boolean ended = choice.get("finish_reason").textValue().equals("stop");
    for (int i = 0; i < content.size() - (ended ? 1 : 0); i++) {
      content.get(i).get("bytes").forEach(one -> bytes.write(one.intValue()));
      ArrayNode top = (ArrayNode) content.get(i).get("top_logprobs");
      assertThat(top).hasSize(3);
      assertThat(top.get(0).get("logprob").doubleValue())
          .isEqualTo(content.get(i).get("logprob").doubleValue());
    }
    assertThat(bytes.toString(StandardCharsets.UTF_8)).isEqualTo(content(choice, ""));
    int streamed = 0;
    for (JsonNode event : stream(CHAT, body)) {
      streamed += event.at("/choices/0/logprobs/content").size();
    }
    assertThat(streamed).isEqualTo(content.size());
  }

  private static String content(JsonNode choice, String missing) {
    return choice.at("/message/content").asText(missing);
  }

  /** In the middle of an answer, and where it has a beginning of its own. */
  @Test
  void aLastTurnOfTheAssistantIsContinued() throws IOException {
    String whole = content(ask(CHAT, chat("the sea", 12)));
    ObjectNode body = chat("the sea", 12);
    String begin = whole.substring(0, whole.length() / 2);
    body.withArray("messages").addObject().put("role", "assistant").put("content", begin);
    JsonNode answer = ask(CHAT, body);
    assertThat(content(answer)).doesNotStartWith(begin);
    assertThat(answer.at("/usage/prompt_tokens").intValue())
        .isGreaterThan(ask(CHAT, chat("the sea", 12)).at("/usage/prompt_tokens").intValue());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          {"messages": []}                                               | messages
          {"messages": "hi"}                                             | messages
          {"messages": [{"role": "user", "content": "x", "audio": "y"}]} | messages
          {"messages": [{"role": "robot", "content": "x"}]}              | messages
          {"messages": M, "max_tokens": 0}                               | max_tokens
          {"messages": M, "max_tokens": 1.5}                             | max_tokens
          {"messages": M, "max_tokens": 5, "max_completion_tokens": 6}   | max_tokens
          {"messages": M, "temperature": 3}                              | temperature
          {"messages": M, "temperature": "hot"}                          | temperature
          {"messages": M, "top_p": 0}                                    | top_p
          {"messages": M, "n": 0}                                        | n
          {"messages": M, "n": 129}                                      | n
          {"messages": M, "stream": "yes"}                               | stream
          {"messages": M, "stop": 5}                                     | stop
          {"messages": M, "stop": [""," ", 1]}                           | stop
          {"messages": M, "seed": 1e40}                                  | seed
          {"messages": M, "top_logprobs": 2}                             | top_logprobs
          {"messages": M, "logprobs": true, "top_logprobs": 21}          | top_logprobs
          {"messages": M, "response_format": {"type": "xml"}}            | response_format
          {"messages": M, "tools": [{"type": "function"}]}               | tools
          {"messages": M, "logit_bias": {"5": 10}}                       | logit_bias
          {"messages": M, "tool_choice": "required"}                     | tool_choice
          {"messages": M, "stream": true, "stream_options": "yes"}       | stream_options
          {"messages": M, "stream": true, "stream_options": {"include_usage": 1}} | stream_options
          {"messages": M, "n": 128, "logprobs": true, "top_logprobs": 20} | top_logprobs
          {"messages": M, "min_p": 0.1}                                  | min_p
          {"messages": M, "what_is_this": "x"}                           | what_is_this
          {"messages": M, "model": 5}                                    | model
          """)
  void whatIsNotHonouredIsRefusedByName(String body, String parameter) throws IOException {
    String given = body.replace("M", "[{\"role\": \"user\", \"content\": \"x\"}]");
    HttpResponse<String> response = send(post(CHAT, given));
    assertThat(response.statusCode()).as(response.body()).isEqualTo(400);
    JsonNode error = JSON.readTree(response.body()).get("error");
    assertThat(error.get("param").textValue()).isEqualTo(parameter);
    assertThat(error.get("message").textValue()).startsWith("Parameter " + parameter + ": ");
    assertThat(error.get("type").textValue()).isEqualTo("invalid_request_error");
  }

  private static ObjectNode formatted(ObjectNode body, String schema) throws IOException {
    ObjectNode format = body.putObject("response_format").put("type", "json_schema");
    format.putObject("json_schema").put("name", "n").set("schema", JSON.readTree(schema));
    return body;
  }

  private static final String EVENT =
      """
      {"type": "object", "additionalProperties": false, "required": ["name", "days", "rate"],
       "properties": {
         "name": {"type": "string", "maxLength": 6},
         "days": {"type": "array", "items": {"enum": ["mon", "tue", "é"]}, "maxItems": 3},
         "rate": {"type": "integer", "minimum": 1, "maximum": 5}}}
      """;

  /** Drawn from a model that has never seen JSON. */
  @Test
  void answersFitTheirResponseFormat() throws IOException {
    ObjectNode body =
        formatted(chat("the sea", 300), EVENT).put("temperature", 1.5).put("seed", 3).put("n", 4);
    JsonNode answer = ask(CHAT, body);
    List<String> drawn = answers(answer);
    assertThat(drawn).doesNotHaveDuplicates();
    for (int i = 0; i < 4; i++) {
      assertThat(answer.at("/choices/" + i + "/finish_reason").textValue()).isEqualTo("stop");
      JsonNode event = JSON.readTree(drawn.get(i));
      assertThat(event.size()).isEqualTo(3);
      String name = event.get("name").textValue();
      assertThat(name.codePointCount(0, name.length())).isLessThanOrEqualTo(6);
      assertThat(event.get("days")).hasSizeLessThanOrEqualTo(3);
      event.get("days").forEach(day -> assertThat(day.textValue()).isIn("mon", "tue", "é"));
      assertThat(event.get("rate").intValue()).isBetween(1, 5);
    }
    // Whatever company it has, and as a stream.
    var company = new ArrayList<CompletableFuture<HttpResponse<String>>>();
    for (int i = 0; i < 4; i++) {
      ObjectNode other = chat("company " + i, 60).put("temperature", 1);
      company.add(
          http.sendAsync(
              post(CHAT, (i % 2 == 0 ? other : formatted(other, EVENT)).toString()),
              BodyHandlers.ofString()));
    }
    List<JsonNode> events = stream(CHAT, body.deepCopy());
    for (int i = 0; i < 4; i++) {
      assertThat(said(events, i)).isEqualTo(drawn.get(i));
    }
    company.forEach(other -> assertThat(other.join().statusCode()).isEqualTo(200));
    // With the two cuts of the distribution, and greedily.
    for (String cut : List.of("top_k", "top_p", "none")) {
      ObjectNode other = formatted(chat("the sea", 300), EVENT).put("seed", 1);
      switch (cut) {
        case "top_k" -> other.put("temperature", 1).put("top_k", 3);
        case "top_p" -> other.put("temperature", 2).put("top_p", 0.5);
        default -> other.put("temperature", 0).put("repetition_penalty", 1.3);
      }
      JsonNode one = ask(CHAT, other).at("/choices/0");
      assertThat(one.get("finish_reason").textValue()).as(cut).isEqualTo("stop");
      assertThat(JSON.readTree(content(one, "")).get("rate").intValue()).isBetween(1, 5);
    }
  }

  /** A cut answer is one that more could follow on; a stop text ends it as any other. */
  @Test
  void aResponseFormatGoesWithTheOtherParameters() throws IOException {
    String yes = "{\"const\": \"yes, it is so\"}";
    JsonNode whole = ask(CHAT, formatted(chat("x", 60), yes).put("logprobs", true));
    assertThat(content(whole)).isEqualTo("\"yes, it is so\"");
    int tokens = whole.at("/usage/completion_tokens").intValue();
    assertThat(whole.at("/choices/0/logprobs/content")).hasSize(tokens);
    // By the model alone these are unlikely.
    assertThat(whole.at("/choices/0/logprobs/content/0/logprob").doubleValue()).isNegative();
    JsonNode cut = ask(CHAT, formatted(chat("x", tokens - 1), yes));
    assertThat(cut.at("/choices/0/finish_reason").textValue()).isEqualTo("length");
    assertThat("\"yes, it is so\"").startsWith(content(cut));
    JsonNode stopped = ask(CHAT, formatted(chat("x", 60), yes).put("stop", ", it"));
    assertThat(content(stopped)).isEqualTo("\"yes");
    assertThat(stopped.at("/choices/0/finish_reason").textValue()).isEqualTo("stop");
    ObjectNode any = chat("x", 200).put("temperature", 1).put("seed", 1);
    any.putObject("response_format").put("type", "json_object");
    assertThat(content(ask(CHAT, any))).matches("(?s) ?\\{.*");
    ObjectNode nothing = chat("x", 9);
    nothing.putObject("response_format").put("type", "text");
    assertThat(content(ask(CHAT, nothing))).isEqualTo(content(ask(CHAT, chat("x", 9))));
  }

  @Test
  void aResponseFormatThatIsNotHonouredIsRefusedWithItsPlace() throws IOException {
    ObjectNode multiple =
        formatted(
            chat("x", 9),
            "{\"properties\": {\"age\": {\"type\": \"integer\", \"multipleOf\": 2}}}");
    ObjectNode begun = formatted(chat("x", 9), "{}");
    begun.withArray("messages").addObject().put("role", "assistant").put("content", "{");
    ObjectNode completion = formatted(text("x", 9), "{}");
    for (String[] refused :
        new String[][] {
          {
            CHAT,
            multiple.toString(),
            "json_schema.schema.properties.age.multipleOf is not honoured"
          },
          {
            CHAT,
            begun.toString(),
            "it is for a whole answer: leave its beginning, the last message, away"
          },
          {
            TEXT,
            completion.toString(),
            "not honoured here, and it would change the answer: leave it out"
          }
        }) {
      HttpResponse<String> response = send(post(refused[0], refused[1]));
      assertThat(response.statusCode()).isEqualTo(400);
      JsonNode error = JSON.readTree(response.body()).get("error");
      assertThat(error.get("param").textValue()).isEqualTo("response_format");
      assertThat(error.get("message").textValue())
          .isEqualTo("Parameter response_format: " + refused[2]);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"response_format\": {\"type\": \"text\"}, \"tools\": [], \"logit_bias\": {}",
        "\"user\": \"u\", \"metadata\": {\"a\": \"b\"}, \"store\": true, \"min_p\": 0",
        "\"best_of\": 1, \"suffix\": null, \"logprobs\": null, \"stop\": null, \"max_tokens\": 4.0"
      })
  void whatAsksForNothingPasses(String members) throws IOException {
    HttpResponse<String> response = send(post(TEXT, "{\"prompt\": \"x\", " + members + "}"));
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "{",
        "{\"prompt\": \"x\"} {}",
        "{\"prompt\": \"x\", \"prompt\": \"y\"}",
        "{\"prompt\": [1, 2, \"x\"]}",
        "{\"prompt\": [[]]}",
        "{\"prompt\": [300]}",
        "{\"prompt\": [-1]}",
        "{\"prompt\": []}",
        "{}",
        "null"
      })
  void bodiesThatAreNoRequestsAreRefused(String body) throws IOException {
    HttpResponse<String> response = send(post(TEXT, body));
    assertThat(response.statusCode()).as(response.body()).isEqualTo(400);
    assertThat(JSON.readTree(response.body()).at("/error/message").asText()).isNotEmpty();
  }

  @Test
  void aPromptBeyondTheContextIsRefusedWithBothNumbers() throws IOException {
    HttpResponse<String> response = send(post(CHAT, chat("word ".repeat(4000), 4).toString()));
    assertThat(response.statusCode()).isEqualTo(400);
    JsonNode error = JSON.readTree(response.body()).get("error");
    assertThat(error.get("code").textValue()).isEqualTo("context_length_exceeded");
    assertThat(error.get("message").textValue())
        .matches("The prompt has \\d{4,6} tokens and leaves no room in a context of 4000");
    HttpResponse<String> huge = send(post(CHAT, chat("x".repeat(2_000_000), 4).toString()));
    assertThat(huge.statusCode()).isEqualTo(400);
    assertThat(huge.body()).contains("too many for a context of 4000 tokens");
    JsonNode full = ask(TEXT, text("the sea ".repeat(400), 100_000));
    assertThat(full.at("/usage/total_tokens").intValue()).isLessThanOrEqualTo(CONTEXT);
  }

  @Test
  void pathsMethodsModelsAndOrigins() throws IOException {
    assertThat(send(request("/health").build()).body()).isEqualTo("{\"status\":\"ok\"}");
    assertThat(send(request("/nothing").build()).statusCode()).isEqualTo(404);
    assertThat(send(request(CHAT).build()).statusCode()).isEqualTo(405);
    assertThat(send(post("/health", "{}")).statusCode()).isEqualTo(405);
    JsonNode list = JSON.readTree(send(request("/v1/models").build()).body());
    assertThat(list.at("/data/0/id").textValue()).isEqualTo("student");
    assertThat(list.at("/data/0/max_model_len").intValue()).isEqualTo(CONTEXT);
    assertThat(send(request("/v1/models/student").build()).statusCode()).isEqualTo(200);
    assertThat(send(request("/v1/models/other").build()).statusCode()).isEqualTo(404);
    HttpResponse<String> other = send(post(CHAT, chat("x", 1).put("model", "gpt-4").toString()));
    assertThat(other.statusCode()).isEqualTo(404);
    assertThat(other.body()).contains("there are student");
    HttpRequest foreign =
        request(CHAT)
            .header("Origin", "https://elsewhere.example")
            .POST(HttpRequest.BodyPublishers.ofString(chat("x", 1).toString()))
            .build();
    assertThat(send(foreign).statusCode()).isEqualTo(403);
    HttpRequest own = request("/v1/models").header("Origin", "http://localhost:8000").build();
    assertThat(send(own).statusCode()).isEqualTo(200);
    String part = "{\"type\": \"" + "y".repeat(5000) + "\"}";
    HttpResponse<String> shown =
        send(post(CHAT, "{\"messages\": [{\"role\": \"user\", \"content\": [" + part + "]}]}"));
    assertThat(shown.statusCode()).isEqualTo(400);
    assertThat(shown.body()).hasSizeLessThan(1000);
    HttpResponse<String> long_ = send(post(CHAT, "x".repeat(WholeRequests.MOST_BODY + 1)));
    assertThat(long_.statusCode()).isEqualTo(413);
    String metrics = send(request("/metrics").build()).body();
    assertThat(metrics)
        .contains("distillery_http_responses_total{status=\"404\"}")
        .contains("distillery_requests_in_work 0\n")
        .endsWith("# EOF\n");
  }

  @Test
  void aKeyIsAskedFor() throws IOException {
    start(Secret.of("right key"), 4, 64);
    assertThat(send(post(CHAT, chat("x", 1).toString())).statusCode()).isEqualTo(401);
    for (String key : List.of("Bearer right", "Bearer right keys", "right key", "Bearer ")) {
      HttpRequest wrong =
          request(CHAT)
              .header("Authorization", key)
              .POST(HttpRequest.BodyPublishers.ofString(chat("x", 1).toString()))
              .build();
      assertThat(send(wrong).statusCode()).isEqualTo(401);
    }
    HttpRequest right =
        request(CHAT)
            .header("Authorization", "Bearer right key")
            .POST(HttpRequest.BodyPublishers.ofString(chat("x", 1).toString()))
            .build();
    assertThat(send(right).statusCode()).isEqualTo(200);
    assertThat(send(request("/health").build()).statusCode()).isEqualTo(200);
  }

  /** Whatever it waits for: an answer, a stream, a long prompt. */
  @Test
  void aClientThatHasLeftFreesItsPlace() throws Exception {
    start(Secret.NONE, 1, 64);
    long left = 0;
    for (ObjectNode body :
        List.of(
            chat("the sea", 3900),
            chat("the sea", 3900).put("stream", true),
            chat("word ".repeat(500), 3000),
            chat("the sea", 3900).put("n", 3))) {
      try (var socket =
          new Socket(InetAddress.getLoopbackAddress(), URI.create(server.address()).getPort())) {
        byte[] bytes = body.toString().getBytes(StandardCharsets.UTF_8);
        OutputStream out = socket.getOutputStream();
        out.write(
            ("POST "
                    + CHAT
                    + " HTTP/1.1\r\nHost: x\r\nContent-Length: "
                    + bytes.length
                    + "\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII));
        out.write(bytes);
        out.flush();
        until(() -> figures.inWork() == 1);
      }
      left++;
      long expected = left;
      until(() -> figures.counts().left() == expected && figures.inWork() == 0);
      // The only row is free again.
      assertThat(content(ask(CHAT, chat("the sea", 2)))).isNotNull();
    }
  }

  @Test
  void tooManyAreToldToComeBack() throws Exception {
    start(Secret.NONE, 1, 1);
    var long1 = http.sendAsync(post(CHAT, chat("a", 900).toString()), BodyHandlers.ofString());
    var long2 = http.sendAsync(post(CHAT, chat("b", 1).toString()), BodyHandlers.ofString());
    until(() -> figures.inWork() == 2);
    HttpResponse<String> refused = send(post(CHAT, chat("c", 1).toString()));
    assertThat(refused.statusCode()).isEqualTo(429);
    assertThat(refused.headers().firstValue("Retry-After")).contains("1");
    assertThat(long1.get(60, TimeUnit.SECONDS).statusCode()).isEqualTo(200);
    assertThat(long2.get(60, TimeUnit.SECONDS).statusCode()).isEqualTo(200);
  }

  @Test
  void whatIsInWorkIsAnsweredBeforeTheEnd() throws Exception {
    var working = http.sendAsync(post(CHAT, chat("a", 500).toString()), BodyHandlers.ofString());
    until(() -> figures.inWork() == 1);
    server.drain();
    assertThat(send(request("/health").build()).statusCode()).isEqualTo(503);
    assertThat(send(post(CHAT, chat("b", 1).toString())).statusCode()).isEqualTo(503);
    HttpResponse<String> response = working.get(60, TimeUnit.SECONDS);
    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.headers().firstValue("Connection")).contains("close");
    assertThat(figures.counts().answered()).isEqualTo(1);
  }

  @Test
  void whoStillWaitsAtTheEndIsTold() throws Exception {
    var whole = http.sendAsync(post(CHAT, chat("a", 900).toString()), BodyHandlers.ofString());
    var stream =
        http.sendAsync(
            post(CHAT, chat("b", 900).put("stream", true).toString()), BodyHandlers.ofString());
    until(() -> figures.inWork() == 2);
    until(() -> figures.page().contains("first_token_seconds_count 2"));
    server.close();
    assertThat(whole.get(60, TimeUnit.SECONDS).statusCode()).isEqualTo(503);
    assertThat(stream.get(60, TimeUnit.SECONDS).body())
        .contains("\"delta\"", "The server has ended before the answer")
        .doesNotContain("[DONE]");
    assertThat(figures.inWork()).isZero();
  }

  private interface Condition {
    boolean holds();
  }

  private static void until(Condition condition) throws InterruptedException {
    for (int i = 0; i < 1000 && !condition.holds(); i++) {
      Thread.sleep(5);
    }
    assertThat(condition.holds()).isTrue();
  }
}
