package dev.distillery.core.teacher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.core.teacher.TeacherException.Category;
import dev.distillery.core.teacher.testing.Requests;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Answers in the shapes that makers of models, servers and gateways publish; the texts are ours.
 */
class OpenAiMakersTest {
  private static final TeacherRequest NORTH =
      Requests.prompt("r", "m", "Name a river of the north.", Sampling.of(1));

  private final ScriptedServer server = new ScriptedServer();

  @AfterEach
  void stop() {
    server.close();
  }

  private static Optional<TeacherReply> reply(String json) {
    JsonNode answer = OpenAiProtocol.parse(json.getBytes(StandardCharsets.UTF_8)).orElseThrow();
    return OpenAiProtocol.reply(answer, 200, RateLimits.NONE);
  }

  private static JsonNode error(String body) {
    return ServerErrors.error(body.getBytes(StandardCharsets.UTF_8));
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
    String answer = ScriptedServer.FINE.replace("\"stop\"", "\"" + theirs + "\"");
    assertThat(reply(answer).orElseThrow().finishReason()).isEqualTo(ours);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "400|[{\"error\":{\"code\":400,\"message\":\"API key not valid. Please pass"
            + " one.\",\"status\":\"INVALID_ARGUMENT\"}}]|AUTHENTICATION|API key not valid",
        "400|[{\"error\":{\"code\":400,\"message\":\"Unknown name seed\"}}]|BAD_REQUEST|Unknown"
            + " name seed",
        "400|{\"object\":\"error\",\"message\":\"This model's maximum context length is"
            + " 32\",\"code\":400}|CONTEXT_LENGTH|maximum context length",
        "422|{\"detail\":[{\"loc\":[\"body\",\"seed\"],\"msg\":\"not"
            + " permitted\"}]}|BAD_REQUEST|seed: not permitted",
        "400|{\"detail\":\"no such thing\"}|BAD_REQUEST|no such thing",
        "400|{\"error\":\"Input validation error\",\"error_type\":\"validation\"}|BAD_REQUEST|Input"
            + " validation",
        "401|{\"message\":\"token expired\"}|AUTHENTICATION|token expired",
        "400|unknown parameter: seed|BAD_REQUEST|unknown parameter",
        "404|{\"object\":\"error\",\"message\":\"The model does not exist.\"}|UNKNOWN_MODEL|does"
            + " not exist",
        "400|{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"Your"
            + " credit balance is too low\"}}|INSUFFICIENT_QUOTA|credit balance",
        "400|{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"prompt"
            + " is too long: 9 tokens\"}}|CONTEXT_LENGTH|too long"
      })
  void errorsInEveryShapeHaveTheirCategoryAndWords(
      int status, String body, Category category, String words) {
    JsonNode error = error(body);
    assertThat(ServerErrors.category(status, error, NORTH)).isEqualTo(category);
    assertThat(ServerWords.of(error, Secret.NONE, NORTH)).contains(words);
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
    assertThat(ServerErrors.category(failed.path("code").asInt(), failed, NORTH))
        .isEqualTo(Category.SERVER_ERROR);
    String silent = "{\"choices\":[{\"finish_reason\":\"error\",\"message\":{\"content\":\"\"}}]}";
    assertThat(error(silent).path("message").asText()).isEqualTo("the reply ended in an error");
    assertThat(error(ScriptedServer.FINE).isMissingNode()).isTrue();
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
    TeacherReply tagged = said("<think>\\nhmm\\n</think>\\n\\nfine");
    assertThat(tagged.text()).isEqualTo("fine");
    assertThat(tagged.reasoning()).contains("hmm");
    TeacherReply opened = said("hmm\\n</think>\\n\\nfine");
    assertThat(opened.text()).isEqualTo("fine");
    assertThat(opened.reasoning()).contains("hmm");
    // As the prompts of some templates open it.
    TeacherReply tight = said("hmm.</think>fine");
    assertThat(tight.text()).isEqualTo("fine");
    assertThat(tight.reasoning()).contains("hmm.");
    TeacherReply silent = said("hmm\\n</think>");
    assertThat(silent.text()).isEmpty();
    assertThat(silent.reasoning()).contains("hmm");
    TeacherReply cut = said("<think>hm");
    assertThat(cut.text()).isEmpty();
    TeacherReply field =
        reply("{\"choices\":[{\"message\":{\"content\":null,\"reasoning_content\":\"hmm\"}}]}")
            .orElseThrow()
            .finished(List.of());
    assertThat(field.text()).isEmpty();
    assertThat(field.reasoning()).contains("hmm");
  }

  /** An answer may speak of the tag: a thought that nothing opens ends with a line. */
  @Test
  void whatIsSaidOfTheTagIsNoThought() {
    for (String text :
        List.of(
            "Write `</think>` at the end of the plan.",
            "Close it with </think>, then answer.\\nSo it is.",
            "Write:\\n<think>\\nplan\\n</think>\\nanswer",
            "It is '</think>'.")) {
      TeacherReply reply = said(text);
      assertThat(reply.text()).isEqualTo(text.replace("\\n", "\n"));
      assertThat(reply.reasoning()).isEmpty();
    }
    TeacherReply thought = said("I say </think> here.\\n</think>\\nUse </think> so.");
    assertThat(thought.text()).isEqualTo("Use </think> so.");
    assertThat(thought.reasoning()).contains("I say </think> here.");
  }

  private static TeacherReply said(String text) {
    return reply(ScriptedServer.FINE.replace("fine", text)).orElseThrow().finished(List.of());
  }

  /** What comes after a thought is parted no second time, if that was empty or a stop cuts it. */
  @Test
  void aReplyIsPartedOnce() {
    String empty = "<think>\\n\\n</think>\\n\\nClose it with </think>, then answer.";
    assertThat(reply(ScriptedServer.FINE.replace("fine", empty)).orElseThrow().text())
        .isEqualTo(empty.replace("\\n", "\n"));
    assertThat(said(empty).text()).isEqualTo("Close it with </think>, then answer.");
    assertThat(said(empty).reasoning()).isEmpty();
    TeacherReply stopped =
        reply(ScriptedServer.FINE.replace("fine", "<think>END</think>\\nSay </think>END"))
            .orElseThrow()
            .finished(List.of("END"));
    assertThat(stopped.text()).isEqualTo("Say </think>");
    assertThat(stopped.reasoning()).contains("END");
  }

  /** The tokens of a reply are those that spell it, without the thought's; none where they mix. */
  @Test
  void tokensOfAThoughtAreNotTheReplys() {
    String tagged = "\"content\":\"<think>hm</think>\\n\\nfine.\"";
    String thought = "<think>:hm:</think>";
    assertThat(tokens(tagged, thought + ":\\n\\n:fine:.")).containsExactly("fine", ".");
    assertThat(tokens(tagged, thought + ":\\n\\n:fine:.:<|im_end|>"))
        .containsExactly("fine", ".", "<|im_end|>");
    assertThat(tokens(tagged, thought + ":\\n:\\nfine:.")).isEmpty();
    assertThat(tokens(tagged, thought + ":fine:.")).isEmpty();
    assertThat(tokens(tagged, thought + ":\\n\\n:fine:.: And")).isEmpty();
    assertThat(tokens("\"content\":\"<b>\"", "<b>:</s>")).containsExactly("<b>", "</s>");
  }

  /** A server that hides the thought tells its tokens; one that trims tells all of the answer's. */
  @Test
  void tokensOfAWholeReplySpellIt() {
    String fine = "\"content\":\"so fine\"";
    assertThat(tokens(fine, "<think>:hm:</think>:so: fine:</s>"))
        .containsExactly("so", " fine", "</s>");
    assertThat(tokens(fine, "<think>:hm:</think>so: fine:</s>")).isEmpty();
    assertThat(tokens(fine, " so: fine:\\n:</s>")).containsExactly(" so", " fine", "\n", "</s>");
    assertThat(tokens(fine, "so:fine")).containsExactly("so", "fine");
    assertThat(tokens(fine, "so: fine:, no")).isEmpty();
    // Nobody knows what these spell.
    assertThat(tokens(fine, "\\\\xf0\\\\x9f: fine")).hasSize(2);
    String calls =
        "\"content\":null,\"tool_calls\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]";
    assertThat(tokens(calls, "<tool_call>:f{}:</tool_call>:</s>")).hasSize(4);
    assertThat(tokens(calls + ",\"reasoning_content\":\"hm\"", "hm:<tool_call>:f{}:</s>"))
        .isEmpty();
  }

  /** Servers that tell a thought in a field tell all tokens, or those of the answer alone. */
  @Test
  void tokensBesideAThoughtInAFieldSpellTheAnswer() {
    String parted = "\"content\":\"fine.\",\"reasoning_content\":\"hm\"";
    assertThat(tokens(parted, "<think>:hm:</think>:\\n\\n:fine:.:</s>"))
        .containsExactly("fine", ".", "</s>");
    assertThat(tokens(parted, "fine:.")).containsExactly("fine", ".");
    assertThat(tokens(parted, "hm:</think>fine:.")).isEmpty();
    assertThat(tokens(parted, "hm")).isEmpty();
    String called = "\"content\":\"\",\"reasoning_content\":\"hm\"";
    assertThat(tokens(called, "hm:</think>:</s>")).containsExactly("</s>");
  }

  private static List<String> tokens(String members, String spelt) {
    String answer = "{\"choices\":[{\"message\":{%s},\"logprobs\":{\"content\":[%s]}}]}";
    return reply(answer.formatted(members, logprobs(spelt)))
        .orElseThrow()
        .finished(List.of())
        .logprobs()
        .stream()
        .map(TokenLogprob::token)
        .toList();
  }

  private static String logprobs(String spelt) {
    return Arrays.stream(spelt.split(":"))
        .map(token -> "{\"token\":\"" + token + "\",\"logprob\":-1,\"top_logprobs\":[]}")
        .collect(Collectors.joining(","));
  }

  @Test
  void whatIsThoughtInACompletionIsKeptApartToo() throws Exception {
    server.answers(
        "/v1/completions",
        200,
        "{\"choices\":[{\"text\":\"<think>1. a"
            + " sea</think>fine\",\"finish_reason\":\"stop\"}]}");
    TeacherReply reply = server.ask("completions").finished(List.of());
    assertThat(reply.text()).isEqualTo("fine");
    assertThat(reply.reasoning()).contains("1. a sea");
  }

  /** A choice whose error is words alone is a failure that is asked again. */
  @Test
  void aChoiceWithAnErrorInPlainWordsIsAFailure() {
    server.answers(
        "/v1/",
        200,
        "{\"choices\":[{\"error\":\"provider went"
            + " away\",\"message\":{\"content\":\"half\"}}]}");
    for (String api : List.of("chat", "completions")) {
      assertThatThrownBy(() -> server.ask(api))
          .cause()
          .hasMessageContaining("provider went away")
          .isInstanceOfSatisfying(
              TeacherException.class,
              failed -> {
                assertThat(failed.category()).isEqualTo(Category.SERVER_ERROR);
                assertThat(failed.retryable()).isTrue();
              });
    }
  }

  /** A bad key behind a success is a bad key. */
  @Test
  void anErrorAboutTheKeyInASuccessStopsTheRun() {
    server.answers("/v1/", 200, "{\"error\":\"Invalid API key\"}");
    assertThatThrownBy(() -> server.ask("chat"))
        .cause()
        .hasMessageContaining("Invalid API key")
        .hasMessageContaining("--api-key-env")
        .isInstanceOfSatisfying(
            TeacherException.class, failed -> assertThat(failed.fatal()).isTrue());
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
        "403|{\"error\":{\"message\":\"Missing scopes: api.model.read\"}}|Missing scopes:"
            + " api.model.read; asking all the same",
        "500|{\"error\":{\"message\":\"boom\"}}|HTTP 500 when asked for its models, boom",
        "404|<html>|it lists no models"
      })
  void aListOfModelsIsAHint(int status, String body, String said) throws Exception {
    server.answers("/v1/models", status, body);
    assertThat(server.teacher("chat").preflight()).contains(said);
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
