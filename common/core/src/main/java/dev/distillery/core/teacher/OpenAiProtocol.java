package dev.distillery.core.teacher;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.dialogue.Message;
import dev.distillery.core.dialogue.MessageJson;
import dev.distillery.core.teacher.TeacherException.Category;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

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

  /** Whether a request's body defines tools. */
  static boolean hasTools(TeacherRequest request) {
    try {
      JsonNode extra = JSON.readTree(request.extraBody());
      return !extra.path("tools").isEmpty() || !extra.path("functions").isEmpty();
    } catch (JsonProcessingException e) {
      return false; // It was not sent.
    }
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
   * A refusal is a {@code content_filter}. Calls of tools are kept as they are. The text may hold
   * what {@link TeacherReply#finished} takes off.
   */
  static Optional<TeacherReply> reply(JsonNode answer, int status, RateLimits limits) {
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
    String finish =
        refusal ? "content_filter" : FinishReasons.of(choice.path("finish_reason").asText(""));
    JsonNode usage = answer.path("usage");
    JsonNode cached = usage.path("prompt_tokens_details").path("cached_tokens");
    // Some proxies write zeros where they do not know.
    boolean counted = count(usage.path("prompt_tokens"), 0) > 0;
    return Optional.of(
        new TeacherReply(
            text.get(),
            finish,
            counted ? count(usage.path("prompt_tokens"), -1) : -1,
            count(cached.isMissingNode() ? usage.path("prompt_cache_hit_tokens") : cached, 0),
            counted ? count(usage.path("completion_tokens"), -1) : -1,
            status,
            limits,
            TeacherReply.orElse(() -> reasoning(chat ? message : choice), Optional.empty()),
            TeacherReply.orElse(() -> TokenLogprob.ofChoice(choice.path("logprobs")), List.of()),
            TeacherReply.orElse(() -> toolCalls(message), Optional.empty())));
  }

  /** What a model thought, where the server tells it in a field of its own. */
  private static Optional<String> reasoning(JsonNode message) {
    return Stream.of("reasoning_content", "reasoning")
        .map(message::path)
        .filter(JsonNode::isTextual)
        .map(JsonNode::textValue)
        .filter(thought -> !thought.isEmpty())
        .findFirst()
        .filter(OpenAiProtocol::storable);
  }

  /** The calls that a reply makes, as text; the older field of one call is a list of one. */
  private static Optional<String> toolCalls(JsonNode message) {
    JsonNode calls = message.path("tool_calls");
    if (message.path("function_call").isObject() && calls.isEmpty()) {
      ObjectNode call = JSON.createObjectNode().put("type", "function");
      call.set("function", message.get("function_call"));
      calls = JSON.createArrayNode().add(call);
    }
    return Optional.of(calls)
        .filter(all -> all.isArray() && !all.isEmpty())
        .map(JsonNode::toString)
        .filter(OpenAiProtocol::storable);
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
            || message.has("function_call")
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

  private static int count(JsonNode value, int otherwise) {
    return value.isIntegralNumber() && value.canConvertToInt() && value.intValue() >= 0
        ? value.intValue()
        : otherwise;
  }
}
