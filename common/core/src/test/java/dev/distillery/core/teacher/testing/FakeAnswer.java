package dev.distillery.core.teacher.testing;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What {@link FakeLlmServer} does with one request.
 *
 * @param delivery how the bytes leave
 * @param status of the HTTP answer
 * @param headers beside the usual ones
 * @param body of the answer
 * @param delay before the first byte
 * @param promptTokens what the server bills for reading; 0 for refusals
 * @param completionTokens what the server bills for writing; 0 for refusals
 */
public record FakeAnswer(
    Delivery delivery,
    int status,
    Map<String, String> headers,
    String body,
    Duration delay,
    int promptTokens,
    int completionTokens) {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** How the bytes of an answer leave the server. */
  public enum Delivery {
    /** Whole. */
    WHOLE,
    /** The headers promise the whole body, half of it comes, then the connection is cut. */
    CUT_OFF,
    /** Nothing ever comes, and the connection stays open. */
    NEVER,
    /** The connection is cut without an answer. */
    CLOSED
  }

  public FakeAnswer {
    headers = Map.copyOf(headers);
  }

  /** A proper completion that says {@code text}; every blank-separated word is one token. */
  public static FakeAnswer says(FakeRequest request, String text) {
    return completion(request, text, "stop");
  }

  /**
   * A completion.
   *
   * @param text what it says, or the word {@code null} for a null content
   * @param finishReason as the server writes it, or the word {@code null} for a null
   */
  public static FakeAnswer completion(FakeRequest request, String text, String finishReason) {
    int completionTokens = text.equals("null") ? 0 : words(text);
    ObjectNode body = JSON.createObjectNode();
    body.put("id", "cmpl-" + request.id() + "-" + request.time());
    body.put("object", request.chat() ? "chat.completion" : "text_completion");
    body.put("created", 0);
    body.put("model", request.model());
    ObjectNode choice = body.putArray("choices").addObject();
    choice.put("index", 0);
    ObjectNode holder = request.chat() ? choice.putObject("message") : choice;
    if (request.chat()) {
      holder.put("role", "assistant");
    }
    holder.put(request.chat() ? "content" : "text", text.equals("null") ? null : text);
    choice.put("finish_reason", finishReason.equals("null") ? null : finishReason);
    ObjectNode usage = body.putObject("usage");
    usage.put("prompt_tokens", request.promptTokens());
    usage.put("completion_tokens", completionTokens);
    usage.put("total_tokens", request.promptTokens() + completionTokens);
    return new FakeAnswer(
        Delivery.WHOLE,
        200,
        Map.of(),
        body.toString(),
        Duration.ZERO,
        request.promptTokens(),
        completionTokens);
  }

  /** An error in OpenAI's form. */
  public static FakeAnswer error(int status, String type, String code, String message) {
    ObjectNode body = JSON.createObjectNode();
    body.putObject("error").put("message", message).put("type", type).put("code", code);
    return raw(status, body.toString());
  }

  /** Any status and body; bills nothing. */
  public static FakeAnswer raw(int status, String body) {
    return new FakeAnswer(Delivery.WHOLE, status, Map.of(), body, Duration.ZERO, 0, 0);
  }

  /** 429, the ordinary one. */
  public static FakeAnswer rateLimited() {
    return error(429, "requests", "rate_limit_exceeded", "Rate limit reached for requests");
  }

  /** 429 of an account without money. */
  public static FakeAnswer insufficientQuota() {
    return error(
        429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota");
  }

  /** 500. */
  public static FakeAnswer serverError() {
    return error(500, "server_error", "internal", "The server had an error");
  }

  /** 401. */
  public static FakeAnswer badKey() {
    return error(401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided");
  }

  /** 404. */
  public static FakeAnswer unknownModel(String model) {
    return error(
        404, "invalid_request_error", "model_not_found", "The model " + model + " does not exist");
  }

  /** 400 of a prompt that is too long. */
  public static FakeAnswer contextLength() {
    return error(
        400,
        "invalid_request_error",
        "context_length_exceeded",
        "This model's maximum context length is 4096 tokens");
  }

  /** No answer, ever. */
  public static FakeAnswer never() {
    return new FakeAnswer(Delivery.NEVER, 0, Map.of(), "", Duration.ZERO, 0, 0);
  }

  /** The connection is cut without an answer. */
  public static FakeAnswer closed() {
    return new FakeAnswer(Delivery.CLOSED, 0, Map.of(), "", Duration.ZERO, 0, 0);
  }

  /** The same, cut off in the middle of its body. It is billed: the server did the work. */
  public FakeAnswer cutOff() {
    return new FakeAnswer(
        Delivery.CUT_OFF, status, headers, body, delay, promptTokens, completionTokens);
  }

  /** The same with the body twice over. */
  public FakeAnswer twice() {
    return withBody(body + "\n" + body);
  }

  /** The same, but the body is no longer JSON. Billed. */
  public FakeAnswer malformed() {
    return withBody(body.substring(0, body.length() - 5));
  }

  /** The same bill and headers, another body. */
  public FakeAnswer withBody(String newBody) {
    return new FakeAnswer(
        delivery, status, headers, newBody, delay, promptTokens, completionTokens);
  }

  /** The same with one header more. */
  public FakeAnswer withHeader(String name, String value) {
    var more = new LinkedHashMap<>(headers);
    more.put(name, value);
    return new FakeAnswer(delivery, status, more, body, delay, promptTokens, completionTokens);
  }

  /** The same after a wait. */
  public FakeAnswer after(Duration wait) {
    return new FakeAnswer(delivery, status, headers, body, wait, promptTokens, completionTokens);
  }

  static int words(String text) {
    return text.isBlank() ? 0 : text.strip().split("\\s+").length;
  }
}
