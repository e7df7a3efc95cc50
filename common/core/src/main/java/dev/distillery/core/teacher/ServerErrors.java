package dev.distillery.core.teacher;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.teacher.TeacherException.Category;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What an answer says went wrong, in whatever shape servers say it, and what that means for the
 * run. Pure functions.
 */
final class ServerErrors {
  /** A plain answer's text that may be an error's words. */
  private static final int MOST_WORDS = 4_000;

  /** As far as a message is searched for what it is about. */
  private static final int MOST_SEARCHED = 600;

  /** A code is a word or a few; what is longer may quote a prompt. */
  private static final int LONGEST_CODE = 60;

  /** Members under which servers put words, the likeliest first. */
  private static final List<String> WORDS =
      List.of("message", "Message", "msg", "error_msg", "error_message", "error_description");

  /** Members under which servers put a code beside words. */
  private static final List<String> CODES =
      List.of("code", "type", "error_type", "error_code", "__type", "status_code");

  private static final String KEY =
      "(?:api[ _-]?(?:secret[ _-]?)?(?:key|token)|x-api-key|(?:access|auth|bearer|security|proxy"
          + " server|authentication|authorization|subscription) (?:key|token|header|credentials?)"
          + "|credentials?|secret key)s?";

  private static final String NOT_GOOD =
      "(?:invalid|incorrect|wrong|bad|expired|revoked|unknown|missing|malformed|disabled|deactivated|unrecogni[sz]ed|not"
          + " valid|not found|no longer valid|not (?:been )?(?:provided|set|supplied)|does(?:"
          + " not|n't) exist|required)";

  /** Words about a key that is not good, as servers publish them. */
  private static final Pattern ABOUT_THE_KEY =
      Pattern.compile(
          // Invalid API key. No auth credentials found. You didn't provide an API key.
          "\\b(?:"
              + NOT_GOOD
              + "|no|provide|carry)\\b(?: [\\w'`\"-]+){0,3} [`'\"]?"
              + KEY
              // API key not valid. Your api key: ****f00d is invalid.
              + "|\\b"
              + KEY
              + "\\b[^.;]{0,60}\\b"
              + NOT_GOOD
              + "\\b"
              + "|\\bauthentication (?:error|fail|required)|\\bnot authenticated"
              + "|\\bunauthori[sz]ed\\b|\\bunauthenticated\\b|\\blogin fail",
          Pattern.CASE_INSENSITIVE);

  private static final Pattern CODE_OF_THE_KEY =
      Pattern.compile(
          "invalid_?(?:api_?)?(?:key|token|authentication)|api_?key_?(?:invalid|expired|missing)"
              + "|unauth|auth(?:entication|orization)?_?(?:error|fail|required)|access_?denied"
              + "|permission_?(?:denied|error)|(?:expired|invalid)_?(?:access_?)?token|token_?expired"
              + "|unrecognizedclient|missing_?api_?key",
          Pattern.CASE_INSENSITIVE);

  private static final Pattern ABOUT_MONEY =
      Pattern.compile(
          "credit balance is too low|insufficient (?:\\w+ )?(?:balance|funds|credits?)"
              + "|(?:out of|no|used all available) credits|account is in arrears|in good standing",
          Pattern.CASE_INSENSITIVE);

  private static final Pattern CODE_OF_MONEY =
      Pattern.compile(
          "insufficient_?(?:quota|balance|funds|credits?)|billing|arrearage"
              + "|exceeded_current_quota",
          Pattern.CASE_INSENSITIVE);

  private static final Pattern OF_KEY_OR_MONEY =
      Pattern.compile(
          "\\b"
              + KEY
              + "\\b|authenticat|unauthori[sz]ed|\\blogin\\b"
              + "|\\b(?:credits?|balance|funds|arrears|good standing)\\b",
          Pattern.CASE_INSENSITIVE);

  /** A part of the request that is a row's own. */
  private static final Pattern PLACE_IN_A_ROW = Pattern.compile("tools|functions|messages");

  /** A place as messages name it: {@code tools.0.input_schema.properties.api_key}. */
  private static final Pattern NAME_OF_A_PLACE =
      Pattern.compile("\\b(?:tools|functions|messages|properties|parameters)[.\\[]\\S*");

  /** Words between quotation marks, of which an apostrophe is none. */
  private static final Pattern QUOTED =
      Pattern.compile("(?<!\\w)(?:['\"`])([^'\"`]{1,200})['\"`](?!\\w)");

  private static final Pattern CODE_OF_A_TOOL =
      Pattern.compile("function|tool", Pattern.CASE_INSENSITIVE);

  private static final Pattern ABOUT_CONTEXT =
      Pattern.compile(
          "context length|context size|context window|prompt is too long|maximum number of tokens"
              + "|input is too long|input length .{0,40}exceed|must have less than \\d+ tokens",
          Pattern.CASE_INSENSITIVE);

  private ServerErrors() {}

  /**
   * What an answer says went wrong, in one form: an object of {@code code}, {@code type}, {@code
   * param} and {@code message}, or a missing node. Servers write it as OpenAI does, as a list of
   * such objects, flat, as a text, or under {@code detail}, {@code errors} or {@code message}; a
   * proxy in plain words.
   */
  static JsonNode error(byte[] body) {
    Optional<JsonNode> parsed = OpenAiProtocol.parse(body);
    if (parsed.isEmpty()) {
      String words = new String(body, 0, Math.min(body.length, MOST_WORDS), UTF_8).strip();
      return words.isEmpty() || words.startsWith("<")
          ? MissingNode.getInstance()
          : said(words, MissingNode.getInstance());
    }
    JsonNode answer = parsed.get().isArray() ? parsed.get().path(0) : parsed.get();
    JsonNode error = answer.path("error");
    if (error.isObject() && !error.isEmpty()) {
      return worded(error);
    }
    JsonNode choice = answer.path("choices").path(0);
    if (choice.isObject()) {
      return choiceError(choice);
    }
    if (error.isTextual() && !error.textValue().isBlank()) {
      // Some say what kind of error it is there, and the words beside it.
      return words(answer).isEmpty() ? said(error.textValue(), answer) : worded(answer);
    }
    for (String list : List.of("detail", "errors")) {
      JsonNode detail = answer.path(list);
      if (detail.isTextual() && !detail.textValue().isBlank()) {
        return said(detail.textValue(), answer);
      }
      if (detail.isObject() && !words(detail).isEmpty()) {
        return worded(detail);
      }
      if (detail.isArray() && !detail.isEmpty()) {
        return placed(said(listed(detail), detail.path(0)), detail.path(0).path("loc"));
      }
    }
    JsonNode status = answer.path("base_resp");
    if (status.path("status_code").asInt(0) != 0) {
      return said(status.path("status_msg").asText(""), status);
    }
    return words(answer).isEmpty() ? MissingNode.getInstance() : worded(answer);
  }

  /** A gateway whose provider failed in the midst of a reply says so in the choice, with a 200. */
  private static JsonNode choiceError(JsonNode choice) {
    JsonNode error = choice.path("error");
    if (error.isObject() && !error.isEmpty()) {
      return worded(error);
    }
    if (error.isTextual() && !error.textValue().isBlank()) {
      return said(error.textValue(), MissingNode.getInstance());
    }
    return choice.path("finish_reason").asText("").equalsIgnoreCase("error")
        ? said("the reply ended in an error", MissingNode.getInstance())
        : MissingNode.getInstance();
  }

  /** A list of what is wrong, as FastAPI and Cloudflare have it. */
  private static String listed(JsonNode details) {
    var all = new StringBuilder();
    for (JsonNode one : details) {
      String place = one.path("loc").path(one.path("loc").size() - 1).asText("");
      all.append(all.isEmpty() ? "" : "; ").append(place.isEmpty() ? "" : place + ": ");
      all.append(one.isTextual() ? one.textValue() : words(one).orElse(""));
    }
    return all.toString();
  }

  /** An error with the place in the request's body that it names, if it does, as its parameter. */
  private static JsonNode placed(ObjectNode error, JsonNode place) {
    return place.path(0).asText("").equals("body")
        ? error.put("param", place.path(1).asText(""))
        : error;
  }

  private static Optional<String> words(JsonNode error) {
    return WORDS.stream()
        .map(name -> error.path(name))
        .filter(JsonNode::isTextual)
        .map(JsonNode::textValue)
        .findFirst();
  }

  /** The same error with its words under {@code message}, and its code under {@code code}. */
  private static JsonNode worded(JsonNode error) {
    if (error.path("message").isTextual() && error.has("code")) {
      return error;
    }
    ObjectNode made = said(words(error).orElse(""), error);
    error
        .properties()
        .forEach(
            member -> {
              if (!made.has(member.getKey())) {
                made.set(member.getKey(), member.getValue());
              }
            });
    return made;
  }

  private static ObjectNode said(String message, JsonNode answer) {
    ObjectNode error = JsonNodeFactory.instance.objectNode().put("message", message);
    for (String name : CODES) {
      JsonNode code = answer.path(name);
      if (code.isValueNode() && !code.isNull() && !error.has("code")) {
        error.set("code", code);
      }
    }
    return error;
  }

  /**
   * What an answer that is not a success means.
   *
   * @param status of the HTTP answer; where a server wraps an error in a 200, the error's own code
   * @param error of {@link #error}
   * @param request that was answered so; where the message may be about what this holds, it does
   *     not speak of the key or the account, whatever it says
   */
  static Category category(int status, JsonNode error, TeacherRequest request) {
    String code = codes(error);
    String message = error.path("message").asText("");
    String searched =
        isAboutTheRequest(error, code, request)
            ? ""
            : own(message.substring(0, Math.min(message.length(), MOST_SEARCHED)), request);
    if (status == 402
        || CODE_OF_MONEY.matcher(code).find()
        || ABOUT_MONEY.matcher(searched).find()) {
      return Category.INSUFFICIENT_QUOTA;
    }
    // OpenRouter's 403 of a single prompt that its moderation holds back.
    if (status == 403 && error.path("metadata").has("flagged_input")) {
      return Category.BAD_REQUEST;
    }
    int own = error.path("code").asInt(0);
    if (status == 401
        || status == 403
        || own == 401
        || own == 403
        || CODE_OF_THE_KEY.matcher(code).find()
        // A refusal for the number of requests may name the key that sent them.
        || (status != 429 && ABOUT_THE_KEY.matcher(searched).find())) {
      return Category.AUTHENTICATION;
    }
    if (status == 404 || contains(code, "model_not_found")) {
      return Category.UNKNOWN_MODEL;
    }
    if (status == 429) {
      return Category.RATE_LIMITED;
    }
    if (status == 408 || status == 409 || status >= 500) {
      return Category.SERVER_ERROR;
    }
    if (contains(code, "context_length")
        || contains(code, "exceed_context_size")
        || ABOUT_CONTEXT.matcher(message).find()) {
      return Category.CONTEXT_LENGTH;
    }
    return Category.BAD_REQUEST;
  }

  /** Whether a message's words may be those of one row: of its prompt, or of its tools. */
  private static boolean isAboutTheRequest(JsonNode error, String code, TeacherRequest request) {
    return PLACE_IN_A_ROW.matcher(error.path("param").asText("")).lookingAt()
        || CODE_OF_A_TOOL.matcher(code).find()
        || ServerWords.repeats(error, request);
  }

  /** A message without the names that it takes from the request's tools: its own words alone. */
  private static String own(String message, TeacherRequest request) {
    if (!OpenAiProtocol.hasTools(request)) {
      return message;
    }
    String tools = request.extraBody();
    return NAME_OF_A_PLACE
        .matcher(
            QUOTED
                .matcher(message)
                .replaceAll(
                    quoted ->
                        tools.contains(quoted.group(1))
                            ? ""
                            : Matcher.quoteReplacement(quoted.group())))
        .replaceAll("");
  }

  /** Whether a text has words by which a server would speak of a key or of money. */
  static boolean speaksOfKeyOrMoney(String text) {
    return OF_KEY_OR_MONEY.matcher(text).find();
  }

  /** Whatever an error says in words that are made for programs. */
  private static String codes(JsonNode error) {
    var codes = new StringBuilder();
    for (String name : List.of("code", "type", "status", "error", "__type")) {
      String word = error.path(name).isValueNode() ? error.path(name).asText("") : "";
      codes.append(word.length() > LONGEST_CODE ? "" : word).append(' ');
    }
    for (JsonNode detail : error.path("details")) {
      codes.append(detail.path("reason").asText("")).append(' ');
    }
    return codes.toString();
  }

  /** Whether a refusal asks for the newer name of the token limit. */
  static boolean wantsMaxCompletionTokens(int status, JsonNode error) {
    return status == 400
        && (error.path("message").asText("").contains("max_completion_tokens")
            || (error.path("param").asText("").equals("max_tokens")
                && contains(error.path("code").asText(""), "unsupported_parameter")));
  }

  private static boolean contains(String text, String part) {
    return text.toLowerCase(Locale.ROOT).contains(part);
  }
}
