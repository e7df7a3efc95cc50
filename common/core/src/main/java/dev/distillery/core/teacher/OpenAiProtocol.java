package dev.distillery.core.teacher;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.dialogue.Message;
import dev.distillery.core.dialogue.MessageJson;
import dev.distillery.core.teacher.TeacherException.Category;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The part of the OpenAI protocol that every compatible server has: the body of a request, and what
 * an answer says. Pure functions; {@link OpenAiTeacher} does the talking.
 */
final class OpenAiProtocol {
  /**
   * Fields of a body that only the teacher sets: a reply could not be read, or named, otherwise.
   */
  private static final Set<String> RESERVED =
      Set.of("model", "messages", "prompt", "stream", "n", "best_of");

  /** Names by which servers know the most tokens of a reply. */
  static final List<String> REPLY_LIMITS =
      List.of("max_tokens", "max_completion_tokens", "n_predict", "max_new_tokens");

  /** A plain answer's text that may be an error's words. */
  private static final int MOST_WORDS = 4_000;

  /** An answer of empty objects takes far more memory than its bytes. */
  private static final long MOST_TOKENS = 1_000_000;

  private static final ObjectMapper JSON =
      new ObjectMapper(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxTokenCount(MOST_TOKENS)
                          .maxStringLength(OpenAiTeacher.LONGEST_ANSWER)
                          .build())
                  .build())
          .configure(JsonParser.Feature.INCLUDE_SOURCE_IN_LOCATION, false);

  private OpenAiProtocol() {}

  /**
   * The request's body. What {@code extraBody} names goes over what the sampling says; a field that
   * it sets to null is not sent at all.
   *
   * @param maxNewTokensField {@code max_tokens} or {@code max_completion_tokens}; a limit in {@code
   *     extraBody} of either name replaces it
   */
  static String body(TeacherRequest request, boolean chat, String maxNewTokensField)
      throws TeacherException {
    ObjectNode body = JSON.createObjectNode();
    body.put("model", request.model());
    if (chat) {
      ArrayNode messages = body.putArray("messages");
      request
          .prompt()
          .ifPresent(prompt -> messages.addObject().put("role", "user").put("content", prompt));
      for (Message message : request.messages()) {
        messages.add(MessageJson.write(message));
      }
    } else {
      body.put("prompt", request.prompt().orElseThrow(() -> refused("messages need --api chat")));
    }
    Sampling sampling = request.sampling();
    body.put(maxNewTokensField, sampling.maxNewTokens());
    sampling.temperature().ifPresent(value -> body.put("temperature", value));
    sampling.topP().ifPresent(value -> body.put("top_p", value));
    sampling.topK().ifPresent(value -> body.put("top_k", value));
    sampling.frequencyPenalty().ifPresent(value -> body.put("frequency_penalty", value));
    sampling.presencePenalty().ifPresent(value -> body.put("presence_penalty", value));
    sampling.repetitionPenalty().ifPresent(value -> body.put("repetition_penalty", value));
    sampling.seed().ifPresent(value -> body.put("seed", value));
    if (!sampling.stop().isEmpty()) {
      sampling.stop().forEach(body.putArray("stop")::add);
    }
    merge(body, request.extraBody(), maxNewTokensField);
    return body.toString();
  }

  private static void merge(ObjectNode body, String extraBody, String maxNewTokensField)
      throws TeacherException {
    JsonNode extra;
    try {
      extra = JSON.readTree(extraBody);
    } catch (JsonProcessingException e) {
      throw refused("the extra body is not JSON: write --extra-body as one JSON object");
    }
    if (!extra.isObject()) {
      throw refused("the extra body is not a JSON object");
    }
    Optional<String> wrong = wrongLimit(extra);
    if (wrong.isPresent()) {
      throw refused("--extra-body: " + wrong.get());
    }
    if (namesLimit(extra)) {
      body.remove(maxNewTokensField);
    }
    for (Map.Entry<String, JsonNode> field : extra.properties()) {
      if (RESERVED.contains(field.getKey())) {
        throw refused("--extra-body may not set '" + field.getKey() + "'");
      }
      if (field.getValue().isNull()) {
        body.remove(field.getKey());
      } else {
        body.set(field.getKey(), field.getValue());
      }
    }
  }

  /** Whether an extra body has a limit of the reply that stands in the sampling's place. */
  static boolean namesLimit(JsonNode extra) {
    return extra.path("max_tokens").isNumber() || extra.path("max_completion_tokens").isNumber();
  }

  /** What is wrong with an extra body's limit of the reply; budgets could not be held without. */
  static Optional<String> wrongLimit(JsonNode extra) {
    for (String name : REPLY_LIMITS) {
      JsonNode value = extra.path(name);
      boolean replaced = value.isNull() && namesLimit(extra);
      if (value.isMissingNode() || replaced) {
        continue;
      }
      if (!value.canConvertToInt() || !value.isIntegralNumber() || value.intValue() < 1) {
        return Optional.of(
            "'"
                + name
                + "' must be a whole number above 0, found "
                + value
                + "; budgets are held by it");
      }
    }
    return Optional.empty();
  }

  private static TeacherException refused(String why) {
    return new TeacherException(
        Category.BAD_REQUEST, 0, Optional.empty(), "The request cannot be sent: " + why);
  }

  /** An answer's body as JSON; what follows the first value is passed over. */
  static Optional<JsonNode> parse(byte[] body) {
    try {
      return Optional.ofNullable(JSON.readTree(body)).filter(JsonNode::isContainerNode);
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /**
   * The reply in a successful answer, or nothing where the answer is not of the protocol's form: a
   * choice has a message or a text. Unknown fields are passed over. Null content is an empty text.
   * A refusal is a {@code content_filter}. What a model thought, in a field of its own or before
   * {@code </think>}, is kept apart.
   */
  static Optional<TeacherReply> reply(
      JsonNode answer, Sampling sampling, int status, RateLimits limits) {
    JsonNode choice = answer.path("choices").path(0);
    JsonNode message = choice.path("message");
    boolean chat = message.isObject();
    Optional<String> text =
        chat
            ? content(message)
            : Optional.of(choice.path("text")).filter(JsonNode::isTextual).map(JsonNode::textValue);
    if (text.filter(OpenAiProtocol::storable).isEmpty()) {
      return Optional.empty();
    }
    boolean refusal = chat && message.path("refusal").isTextual();
    Thought thought = chat ? Thought.of(message, text.get()) : new Thought("", text.get());
    String finish = refusal ? "content_filter" : finishReason(choice.path("finish_reason"));
    String whole = thought.text();
    int stop = Stops.indexIn(whole, sampling.stop());
    List<TokenLogprob> logprobs = TokenLogprob.ofChoice(choice.path("logprobs"));
    JsonNode usage = answer.path("usage");
    JsonNode cached = usage.path("prompt_tokens_details").path("cached_tokens");
    // Some proxies write zeros where they do not know.
    boolean counted = count(usage.path("prompt_tokens"), 0) > 0;
    return Optional.of(
        new TeacherReply(
            stop < 0 ? whole : whole.substring(0, stop),
            stop < 0 ? finish : "stop",
            counted ? count(usage.path("prompt_tokens"), -1) : -1,
            count(cached.isMissingNode() ? usage.path("prompt_cache_hit_tokens") : cached, 0),
            counted ? count(usage.path("completion_tokens"), -1) : -1,
            status,
            limits,
            Optional.of(thought.reasoning())
                .filter(reasoning -> !reasoning.isEmpty() && storable(reasoning)),
            stop < 0 ? logprobs : TokenLogprob.upTo(logprobs, stop)));
  }

  /** Whether UTF-8 and a database can hold a text: no half of a pair, no NUL. */
  static boolean storable(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      boolean pair =
          Character.isHighSurrogate(c)
              && i + 1 < text.length()
              && Character.isLowSurrogate(text.charAt(i + 1));
      if (c == 0 || (Character.isSurrogate(c) && !pair)) {
        return false;
      }
      i += pair ? 1 : 0;
    }
    return true;
  }

  /** A message's text: what is missing is only nothing where something else was said. */
  private static Optional<String> content(JsonNode message) {
    boolean other =
        message.has("refusal")
            || message.has("tool_calls")
            || message.has("reasoning_content")
            || message.has("reasoning");
    return message.has("content") || other ? text(message.path("content")) : Optional.empty();
  }

  /** A text, null, or a list of parts of which those of type text count. */
  private static Optional<String> text(JsonNode content) {
    if (content.isTextual()) {
      return Optional.of(content.textValue());
    }
    if (content.isNull() || content.isMissingNode()) {
      return Optional.of("");
    }
    if (!content.isArray()) {
      return Optional.empty();
    }
    var text = new StringBuilder();
    for (JsonNode part : content) {
      text.append(part.path("text").asText(""));
    }
    return Optional.of(text.toString());
  }

  /** What makers of models and gateways call the end of a reply. */
  private static String finishReason(JsonNode reason) {
    return switch (reason.asText("").toLowerCase(Locale.ROOT)) {
      case "stop", "eos", "eos_token", "end_turn", "stop_sequence", "end_of_text" -> "stop";
      case "length", "max_tokens", "model_length", "max_output_tokens", "max_length" -> "length";
      case "content_filter",
          "safety",
          "refusal",
          "recitation",
          "blocklist",
          "prohibited_content",
          "spii" ->
          "content_filter";
      default -> "other";
    };
  }

  private static int count(JsonNode value, int otherwise) {
    return value.isIntegralNumber() && value.canConvertToInt() && value.intValue() >= 0
        ? value.intValue()
        : otherwise;
  }

  /**
   * What an answer says went wrong, in one form: an object of {@code code}, {@code type}, {@code
   * param} and {@code message}, or a missing node. Servers write it as OpenAI does, as a list of
   * such objects, flat, as a text, or under {@code detail} or {@code message}; a proxy in plain
   * words.
   */
  static JsonNode error(byte[] body) {
    Optional<JsonNode> parsed = parse(body);
    if (parsed.isEmpty()) {
      String words = new String(body, 0, Math.min(body.length, MOST_WORDS), UTF_8).strip();
      return words.isEmpty() || words.startsWith("<")
          ? MissingNode.getInstance()
          : said(words, MissingNode.getInstance());
    }
    JsonNode answer = parsed.get().isArray() ? parsed.get().path(0) : parsed.get();
    JsonNode error = answer.path("error");
    if (error.isObject() && !error.isEmpty()) {
      return error;
    }
    JsonNode choice = answer.path("choices").path(0);
    if (choice.isObject()) {
      return choiceError(choice);
    }
    if (error.isTextual()) {
      return said(error.textValue(), answer);
    }
    JsonNode detail = answer.path("detail");
    if (detail.isTextual()) {
      return said(detail.textValue(), answer);
    }
    if (detail.isArray()) {
      var all = new StringBuilder();
      for (JsonNode one : detail) {
        String place = one.path("loc").path(one.path("loc").size() - 1).asText("");
        all.append(all.isEmpty() ? "" : "; ").append(place.isEmpty() ? "" : place + ": ");
        all.append(one.path("msg").asText(""));
      }
      return said(all.toString(), answer);
    }
    return answer.path("message").isTextual() ? answer : MissingNode.getInstance();
  }

  /** A gateway whose provider failed in the midst of a reply says so in the choice, with a 200. */
  private static JsonNode choiceError(JsonNode choice) {
    if (choice.path("error").isObject()) {
      return choice.get("error");
    }
    return choice.path("finish_reason").asText("").equalsIgnoreCase("error")
        ? said("the reply ended in an error", MissingNode.getInstance())
        : MissingNode.getInstance();
  }

  private static ObjectNode said(String message, JsonNode answer) {
    ObjectNode error = JSON.createObjectNode().put("message", message);
    for (String name : List.of("code", "type", "error_type")) {
      if (answer.path(name).isValueNode() && !error.has("code")) {
        error.set("code", answer.get(name));
      }
    }
    return error;
  }

  /**
   * What an answer that is not a success means.
   *
   * @param status of the HTTP answer; where a server wraps an error in a 200, the error's own code
   * @param error of {@link #error}
   */
  static Category category(int status, JsonNode error) {
    String code =
        error.path("code").asText("")
            + " "
            + error.path("type").asText("")
            + " "
            + error.path("status").asText("");
    String message = error.path("message").asText("");
    if (contains(code, "insufficient_quota")
        || contains(code, "billing")
        || status == 402
        || (status == 400 && contains(message, "credit balance is too low"))) {
      return Category.INSUFFICIENT_QUOTA;
    }
    if (status == 401
        || status == 403
        || contains(code, "invalid_api_key")
        || contains(code, "unauthenticated")
        || (status == 400 && aboutTheKey(message))) {
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
        || contains(message, "context length")
        || contains(message, "context size")
        || contains(message, "context window")
        || contains(message, "prompt is too long")
        || contains(message, "maximum number of tokens")) {
      return Category.CONTEXT_LENGTH;
    }
    return Category.BAD_REQUEST;
  }

  /** A short message, so that no prompt that is quoted in one speaks for the server. */
  private static boolean aboutTheKey(String message) {
    return message.length() < 200
        && (contains(message, "api key not valid")
            || contains(message, "invalid api key")
            || contains(message, "incorrect api key"));
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
