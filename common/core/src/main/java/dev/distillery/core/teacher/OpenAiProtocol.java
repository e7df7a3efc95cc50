package dev.distillery.core.teacher;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.dialogue.Message;
import dev.distillery.core.dialogue.MessageJson;
import dev.distillery.core.teacher.TeacherException.Category;
import java.io.IOException;
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

  private static final ObjectMapper JSON =
      new ObjectMapper().configure(JsonParser.Feature.INCLUDE_SOURCE_IN_LOCATION, false);

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
    if (extra.has("max_tokens") || extra.has("max_completion_tokens")) {
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

  private static TeacherException refused(String why) {
    return new TeacherException(
        Category.BAD_REQUEST, 0, Optional.empty(), "The request cannot be sent: " + why);
  }

  /** An answer's body as JSON; what follows the first value is passed over. */
  static Optional<JsonNode> parse(byte[] body) {
    try {
      JsonNode json = JSON.readTree(body);
      return json != null && json.isObject() ? Optional.of(json) : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /**
   * The reply in a successful answer, or nothing where the answer is not of the protocol's form.
   * Unknown fields are passed over. Null content is an empty text. A refusal is a {@code
   * content_filter}.
   */
  static Optional<TeacherReply> reply(
      JsonNode answer, Sampling sampling, int status, RateLimits limits) {
    JsonNode choice = answer.path("choices").path(0);
    if (!choice.isObject()) {
      return Optional.empty();
    }
    boolean chat = choice.has("message");
    JsonNode content = chat ? choice.get("message").path("content") : choice.path("text");
    Optional<String> text = text(content);
    if (text.isEmpty()) {
      return Optional.empty();
    }
    boolean refusal = chat && choice.get("message").path("refusal").isTextual();
    String finish = refusal ? "content_filter" : finishReason(choice.path("finish_reason"));
    String whole = text.get();
    int stop = Stops.indexIn(whole, sampling.stop());
    JsonNode usage = answer.path("usage");
    JsonNode cached = usage.path("prompt_tokens_details").path("cached_tokens");
    return Optional.of(
        new TeacherReply(
            stop < 0 ? whole : whole.substring(0, stop),
            stop < 0 ? finish : "stop",
            count(usage.path("prompt_tokens"), -1),
            count(cached.isMissingNode() ? usage.path("prompt_cache_hit_tokens") : cached, 0),
            count(usage.path("completion_tokens"), -1),
            status,
            limits));
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

  private static String finishReason(JsonNode reason) {
    return switch (reason.asText("")) {
      case "stop" -> "stop";
      case "length" -> "length";
      case "content_filter" -> "content_filter";
      default -> "other";
    };
  }

  private static int count(JsonNode value, int otherwise) {
    return value.isIntegralNumber() && value.canConvertToInt() && value.intValue() >= 0
        ? value.intValue()
        : otherwise;
  }

  /**
   * What an answer that is not a success means.
   *
   * @param status of the HTTP answer; where a server wraps an error in a 200, the error's own code
   * @param error the answer's {@code error} object, or a missing node
   */
  static Category category(int status, JsonNode error) {
    String code = error.path("code").asText("") + " " + error.path("type").asText("");
    String message = error.path("message").asText("");
    if (contains(code, "insufficient_quota") || contains(code, "billing") || status == 402) {
      return Category.INSUFFICIENT_QUOTA;
    }
    if (status == 401 || status == 403 || contains(code, "invalid_api_key")) {
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
        || contains(message, "context window")) {
      return Category.CONTEXT_LENGTH;
    }
    return Category.BAD_REQUEST;
  }

  /** Whether a refusal asks for the newer name of the token limit. */
  static boolean wantsMaxCompletionTokens(int status, JsonNode error) {
    return status == 400
        && (error.path("message").asText("").contains("max_completion_tokens")
            || (error.path("param").asText("").equals("max_tokens")
                && contains(error.path("code").asText(""), "unsupported_parameter")));
  }

  private static boolean contains(String text, String part) {
    return text.toLowerCase(java.util.Locale.ROOT).contains(part);
  }
}
