package dev.distillery.core.teacher;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.core.teacher.TeacherException.Category;
import dev.distillery.core.teacher.testing.Requests;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What servers' errors mean, in the wordings and shapes that are published. */
class ServerErrorsTest {
  private static JsonNode error(String body) {
    return ServerErrors.error(body.getBytes(StandardCharsets.UTF_8));
  }

  private static Category category(int status, JsonNode error) {
    return ServerErrors.category(
        status, error, Requests.prompt("r", "m", "Name a river of the north.", Sampling.of(1)));
  }

  /** The status and words of makers, gateways and proxies; a bad key stops the run in each. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "401|~{}~",
        "403|{\"message\":\"Forbidden\"}",
        "403|{\"Message\":\"The security token included in the request is invalid\"}",
        "403|{\"error\":{\"message\":\"This key may not use the"
            + " model.\",\"type\":\"permission_error\"}}",
        "400|{\"code\":\"Client specified an invalid argument\",\"error\":\"Incorrect API key"
            + " provided: xa***1. Get one.\"}",
        "400|{\"error\":{\"message\":\"Authentication Error, Invalid proxy server token"
            + " passed\",\"type\":\"auth_error\",\"param\":\"None\",\"code\":\"401\"}}",
        "400|{\"error\":{\"message\":\"no\",\"code\":\"invalid_api_key\"}}",
        "400|{\"error\":{\"message\":\"no\",\"code\":\"InvalidApiKey\"}}",
        "400|{\"error\":{\"message\":\"no\",\"type\":\"authentication_error\"}}",
        "400|{\"error\":{\"code\":401,\"message\":\"no\"}}",
        "400|[{\"error\":{\"code\":400,\"message\":\"API key expired. Renew it.\"}}]",
        "400|[{\"error\":{\"code\":400,\"message\":\"Missing or invalid Authorization header.\"}}]",
        "400|[{\"error\":{\"code\":400,\"message\":\"no\",\"details\":[{\"reason\":\"API_KEY_INVALID\"}]}}]",
        "400|{\"message\":\"Invalid authentication credentials\"}",
        "400|{\"message\":\"No API key found in request\"}",
        "400|{\"detail\":\"Not authenticated\"}",
        "400|{\"detail\":{\"message\":\"Invalid access token\"}}",
        "400|{\"error\":\"unauthorized\",\"error_description\":\"the token is of another time\"}",
        "400|{\"success\":false,\"errors\":[{\"code\":10000,\"message\":\"Authentication"
            + " error\"}]}",
        "400|{\"__type\":\"UnrecognizedClientException\",\"message\":\"no\"}",
        "400|You didn't provide an API key.",
        "400|Your api key: ****f00d is invalid",
        "404|{\"error\":{\"message\":\"Invalid API key\"}}",
        "404|{\"error\":\"invalid api key\"}",
        "404|{\"status\":404,\"error\":\"Unauthorized\",\"message\":\"gone\"}",
        "422|{\"detail\":[{\"loc\":[\"header\",\"api_key\"],\"msg\":\"Field required\"}]}",
        "429|{\"error\":{\"message\":\"no\",\"code\":\"invalid_api_key\"}}",
        "500|{\"error\":{\"message\":\"Authentication failed for the upstream\"}}",
        "502|{\"error\":{\"message\":\"No auth credentials found\",\"code\":401}}",
        "200|{\"error\":{\"message\":\"Invalid API key\"}}",
        "200|{\"error\":\"API key is missing\"}",
        "200|{\"error_code\":110,\"error_msg\":\"Access token invalid or no longer valid\"}",
        "200|{\"code\":401,\"msg\":\"token\",\"data\":null}",
        "200|{\"choices\":null,\"base_resp\":{\"status_code\":1004,\"status_msg\":\"login fail:"
            + " carry the API secret key\"}}",
        "200|{\"choices\":[{\"finish_reason\":\"error\",\"error\":{\"code\":401,\"message\":\"User"
            + " not found\"}}]}"
      })
  void aBadKeyStopsTheRunWhateverItComesWith(int status, String body) {
    JsonNode error = error(body);
    Category category = category(status == 200 ? 500 : status, error);
    assertThat(category).isEqualTo(Category.AUTHENTICATION);
    assertThat(new TeacherException(category, status, Optional.empty(), "").fatal()).isTrue();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "402|{}",
        "400|{\"code\":\"Arrearage\",\"message\":\"Access denied, see that your account is in good"
            + " standing.\"}",
        "403|{\"error\":\"Your team has used all available credits\"}",
        "429|{\"error\":{\"type\":\"exceeded_current_quota_error\",\"message\":\"no\"}}",
        "200|{\"base_resp\":{\"status_code\":1008,\"status_msg\":\"insufficient balance\"}}",
        "400|{\"error\":{\"message\":\"Insufficient Balance\"}}"
      })
  void anAccountWithoutMoneyStopsTheRun(int status, String body) {
    assertThat(category(status == 200 ? 500 : status, error(body)))
        .isEqualTo(Category.INSUFFICIENT_QUOTA);
  }

  /** Words that are near, and mean this request or this moment only. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "400|{\"error\":{\"message\":\"Missing required key 'type' in"
            + " response_format\"}}|BAD_REQUEST",
        "400|{\"error\":{\"message\":\"Invalid token in the grammar\"}}|BAD_REQUEST",
        "400|{\"error\":{\"message\":\"max_tokens is invalid: 0\"}}|BAD_REQUEST",
        "403|{\"error\":{\"code\":403,\"message\":\"Flagged\",\"metadata\":{\"flagged_input\":\"...\",\"reasons\":[\"x\"]}}}|BAD_REQUEST",
        "404|{\"error\":{\"message\":\"The model is not here, or you do not have access to"
            + " it.\"}}|UNKNOWN_MODEL",
        "429|{\"error\":{\"message\":\"Too many requests for this API key, an upgrade is"
            + " required\"}}|RATE_LIMITED",
        "429|{\"error\":{\"status\":\"RESOURCE_EXHAUSTED\",\"message\":\"You exceeded your current"
            + " quota\"}}|RATE_LIMITED",
        "500|{\"error\":{\"message\":\"The token server is down\"}}|SERVER_ERROR",
        "503|no healthy upstream|SERVER_ERROR",
        "400|{\"error\":{\"message\":\"The input is longer than the model's context"
            + " length\"}}|CONTEXT_LENGTH",
        "400|{\"detail\":\"input length and max_tokens exceeds 4096\"}|CONTEXT_LENGTH",
        "422|{\"error\":\"`inputs` must have less than 1024 tokens\"}|CONTEXT_LENGTH"
      })
  void otherErrorsKeepTheirCategory(int status, String body, Category category) {
    assertThat(category(status, error(body))).isEqualTo(category);
  }

  /** A prompt about keys that a server repeats is no word of the server's. */
  @Test
  void aPromptThatIsRepeatedDoesNotSpeakOfTheKey() {
    String prompt = "Explain why the message 'Invalid API key' comes up";
    TeacherRequest request = Requests.prompt("r", "m", prompt, Sampling.of(1));
    JsonNode quoting =
        error("{\"error\":{\"message\":\"Cannot complete: " + prompt + "\",\"code\":400}}");
    assertThat(ServerErrors.category(400, quoting, request)).isEqualTo(Category.BAD_REQUEST);
    JsonNode own = error("{\"error\":{\"message\":\"Invalid API key\",\"code\":400}}");
    assertThat(ServerErrors.category(400, own, request)).isEqualTo(Category.AUTHENTICATION);
  }

  /** A prompt of a word or a letter is in every message. */
  @ParameterizedTest
  @ValueSource(strings = {"a", "API", "key", "Incorrect"})
  void aPromptThatDoesNotSpeakOfKeysHidesNoBadKey(String prompt) {
    JsonNode error =
        error("{\"error\":{\"message\":\"Incorrect API key provided: sk-a\",\"code\":400}}");
    assertThat(ServerErrors.category(400, error, Requests.prompt("r", "m", prompt, Sampling.of(1))))
        .isEqualTo(Category.AUTHENTICATION);
  }

  private static final String TOOLS =
      """
      {"tools":[{"type":"function","function":{"name":"login","description":"Says whether the\
       API key provided is incorrect, or authentication failed.","parameters":{"type":"object",\
      "properties":{"api_key":{"type":"array"},"insufficient funds":{"type":"string"}}}}}]}\
      """;

  private static Category ofTools(int status, String extraBody, JsonNode error) {
    TeacherRequest plain = Requests.prompt("r", "m", "Log me in.", Sampling.of(1));
    return ServerErrors.category(
        status,
        error,
        new TeacherRequest(
            "r", Optional.empty(), "m", plain.prompt(), List.of(), plain.sampling(), extraBody));
  }

  /** What is wrong with a row's tools is wrong with that row, however its fields are named. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "{}|\"param\":\"tools[0].function.parameters\"",
        "{}|\"param\":\"functions[0].parameters\"",
        "{}|\"param\":\"messages.[2].tool_calls\"",
        "{}|\"code\":\"invalid_function_parameters\"",
        "{}|\"type\":\"invalid_tool\"",
        TOOLS + "|\"code\":null"
      })
  void aBadToolOfOneRowIsNoBadKey(String extraBody, String member) {
    for (String words :
        List.of(
            "Invalid schema for function 'login': In context=('properties', 'api_key'), array"
                + " schema missing items.",
            "Invalid schema for function 'login': 'insufficient funds' is no name")) {
      JsonNode error = error("{\"error\":{\"message\":\"" + words + "\"," + member + "}}");
      assertThat(ofTools(400, extraBody, error)).isEqualTo(Category.BAD_REQUEST);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "400|{\"error\":{\"message\":\"tools.0.input_schema.properties.api_key: Field required\"}}",
        "400|{\"error\":{\"message\":\"Bad tool: the API key provided is incorrect, or auth\"}}",
        "422|{\"detail\":[{\"loc\":[\"body\",\"tools\",0,\"api_key\"],\"msg\":\"Field required\"}]}"
      })
  void whatAMessageTakesFromTheToolsIsNoWordOfTheServers(int status, String body) {
    assertThat(ofTools(status, TOOLS, error(body))).isEqualTo(Category.BAD_REQUEST);
  }

  /** A request with tools hides no word of the account: the run ends, and its rows are left. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "400|{\"error\":{\"type\":\"invalid_request_error\",\"message\":\"Your credit balance is"
            + " too low to access the API.\"}}|INSUFFICIENT_QUOTA",
        "400|{\"error\":{\"message\":\"Insufficient credits to call"
            + " functions\"}}|INSUFFICIENT_QUOTA",
        "422|{\"error\":{\"message\":\"Insufficient Balance\"}}|INSUFFICIENT_QUOTA",
        "400|{\"error\":{\"message\":\"You didn't provide an API key. It's"
            + " required.\"}}|AUTHENTICATION",
        "400|[{\"error\":{\"message\":\"API key not valid. Please pass a valid API"
            + " key.\"}}]|AUTHENTICATION",
        "400|{\"error\":{\"message\":\"Missing 'Authorization' token: not"
            + " authenticated\"}}|AUTHENTICATION",
        "422|{\"detail\":[{\"loc\":[\"header\",\"api_key\"],\"msg\":\"Field"
            + " required\"}]}|AUTHENTICATION"
      })
  void aRequestWithToolsHidesNoWordOfTheAccount(int status, String body, Category category) {
    assertThat(ofTools(status, TOOLS, error(body))).isEqualTo(category);
    assertThat(new TeacherException(category, status, Optional.empty(), "").fatal()).isTrue();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "{\"choices\":[{\"error\":\"provider went"
            + " away\",\"message\":{\"content\":\"half\"}}]}|provider went away",
        "{\"choices\":[{\"error\":{\"message\":\"went away\"}}]}|went away",
        "{\"choices\":[{\"error\":{\"msg\":\"went away\"}}]}|went away",
        "{\"error\":{\"msg\":\"so\"}}|so",
        "{\"error\":\"bad_thing\",\"message\":\"so\"}|so",
        "{\"error\":\"\",\"message\":\"so\"}|so",
        "{\"errors\":[{\"message\":\"a\"},{\"message\":\"b\"}]}|a; b",
        "{\"errors\":[\"a\",\"b\"]}|a; b",
        "{\"detail\":{\"error_message\":\"so\"}}|so",
        "{\"Message\":\"so\"}|so",
        "plain words|plain words"
      })
  void theWordsOfEveryShapeAreFound(String body, String words) {
    assertThat(error(body).path("message").asText()).isEqualTo(words);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "{\"choices\":[{\"error\":null,\"finish_reason\":\"stop\",\"message\":{\"content\":\"a\"}}]}",
        "{\"choices\":[{\"error\":\"\",\"finish_reason\":\"stop\",\"message\":{\"content\":\"a\"}}]}",
        "{\"choices\":[{\"error\":{},\"message\":{\"content\":\"a\"}}],\"error\":null}",
        "{\"choices\":[{\"message\":{\"content\":\"a\"}}],\"base_resp\":{\"status_code\":0,\"status_msg\":\"success\"}}",
        "<html><body>Bad Gateway</body></html>"
      })
  void whatSaysNothingWrongIsNoError(String body) {
    assertThat(error(body).isMissingNode()).isTrue();
  }
}
