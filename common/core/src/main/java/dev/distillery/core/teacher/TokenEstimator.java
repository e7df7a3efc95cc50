package dev.distillery.core.teacher;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.knuddels.jtokkit.Encodings;
import com.knuddels.jtokkit.api.Encoding;
import com.knuddels.jtokkit.api.EncodingRegistry;
import com.knuddels.jtokkit.api.EncodingType;
import dev.distillery.core.dialogue.Message;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Counts tokens before a request is sent: an estimate to plan with, and a bound to hold budgets by.
 * Uses OpenAI's encodings; for a model of another house the estimate is by o200k_base, which is
 * near for most, and the bound is by bytes. Safe for many threads.
 */
public final class TokenEstimator {
  /** What OpenAI's chat form adds to a message, and to open the reply. */
  private static final int PER_MESSAGE = 4;

  private static final int PER_REPLY = 3;

  /** More than any common template adds to a message, and to a dialogue for a system text. */
  private static final int MOST_PER_MESSAGE = 16;

  private static final int MOST_PER_DIALOGUE = 64;

  /** Fields that servers put into the prompt. */
  private static final List<String> READ_BY_THE_MODEL =
      List.of("response_format", "tools", "functions");

  private static final EncodingRegistry ENCODINGS = Encodings.newLazyEncodingRegistry();
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Encoding encoding;
  private final boolean exact;

  private TokenEstimator(EncodingType type, boolean exact) {
    this.encoding = ENCODINGS.getEncoding(type);
    this.exact = exact;
  }

  /** An estimator for the model: with its own encoding where it is one of OpenAI's. */
  public static TokenEstimator of(String model) {
    if (model.matches("(gpt-4o|gpt-4\\.\\d|gpt-5|chatgpt-|o[134])([^a-z].*|mini.*|)")) {
      return new TokenEstimator(EncodingType.O200K_BASE, true);
    }
    if (model.matches("gpt-(4|3\\.5)(-.*)?")) {
      return new TokenEstimator(EncodingType.CL100K_BASE, true);
    }
    return new TokenEstimator(EncodingType.O200K_BASE, false);
  }

  /** Tokens of a text, special ones read as plain text. */
  public int count(String text) {
    return encoding.countTokensOrdinary(text);
  }

  /** Tokens that the request's prompt will likely take. */
  public int promptTokens(TeacherRequest request) {
    int tokens = request.prompt().map(this::count).orElse(PER_REPLY);
    for (Message message : request.messages()) {
      tokens += texts(message).mapToInt(this::count).sum() + PER_MESSAGE;
    }
    JsonNode extra = extra(request);
    for (String field : READ_BY_THE_MODEL) {
      tokens += extra.has(field) ? count(extra.get(field).toString()) : 0;
    }
    return tokens;
  }

  /**
   * Tokens that the request's prompt cannot exceed: with the model's own encoding the count, else
   * one a byte of UTF-8, as no byte-level encoding needs more; each with room for a chat form.
   * Fields of the extra body count whole.
   */
  public int mostPromptTokens(TeacherRequest request) {
    int tokens = MOST_PER_DIALOGUE + request.prompt().map(this::most).orElse(0) + MOST_PER_MESSAGE;
    for (Message message : request.messages()) {
      tokens += texts(message).mapToInt(this::most).sum() + MOST_PER_MESSAGE;
    }
    // Whatever else is sent, such as a schema, may be read as part of the prompt.
    return request.extraBody().equals("{}") ? tokens : tokens + most(request.extraBody());
  }

  /** Every text of a message that is sent. */
  private static Stream<String> texts(Message message) {
    return Stream.of(
            Optional.of(message.content()),
            message.name(),
            message.toolCalls(),
            message.toolCallId())
        .flatMap(Optional::stream);
  }

  private int most(String text) {
    return exact ? count(text) : text.getBytes(StandardCharsets.UTF_8).length;
  }

  /**
   * Tokens that the reply cannot exceed: the sampling's limit, or the extra body's over it. A
   * prediction that a reply does not follow is billed like a reply.
   */
  public int mostCompletionTokens(TeacherRequest request) {
    JsonNode extra = extra(request);
    int most =
        OpenAiProtocol.namesLimit(extra)
            ? 0 // The sampling's own limit is not sent.
            : request.sampling().maxNewTokens();
    for (String field : OpenAiProtocol.REPLY_LIMITS) {
      most = Math.max(most, extra.path(field).asInt(0));
    }
    return extra.has("prediction") ? most + most(extra.get("prediction").toString()) : most;
  }

  private static JsonNode extra(TeacherRequest request) {
    if (request.extraBody().equals("{}")) {
      return MissingNode.getInstance();
    }
    try {
      return JSON.readTree(request.extraBody());
    } catch (IOException e) {
      return MissingNode.getInstance(); // Such a request is refused before it is sent.
    }
  }
}
