package dev.distillery.spark.fanout;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.teacher.TeacherException;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;

/**
 * The ledger's lines. A run's ledger is a folder of files that only grow at their end, or of
 * objects that are created once:
 *
 * <pre>
 * &lt;ledger&gt;/&lt;run&gt;/&lt;attempt&gt;/&lt;task&gt;.jsonl           replies and failures, one a line
 * &lt;ledger&gt;/&lt;run&gt;/_granted/&lt;attempt&gt;.jsonl  ids that were let go, before they were sent
 * </pre>
 *
 * A line that cannot be read, such as the last of an object that a dying process has cut off, is as
 * if it had not been written.
 */
final class Ledger {
  static final String GRANTED = "_granted";

  private static final ObjectMapper JSON = new ObjectMapper();

  private Ledger() {}

  /** One line, without its end. */
  static String toJson(Completion completion) {
    ObjectNode node = JSON.createObjectNode();
    node.put("request_id", completion.requestId());
    completion.rowId().ifPresent(id -> node.put("id", id));
    node.put("model", completion.model());
    node.put("prompt", completion.prompt());
    node.put("params", completion.params());
    node.put("status", completion.ok() ? "ok" : "failed");
    completion.finishReason().ifPresent(reason -> node.put("finish_reason", reason));
    completion.text().ifPresent(text -> node.put("text", text));
    node.put("prompt_tokens", completion.promptTokens());
    node.put("cached_prompt_tokens", completion.cachedPromptTokens());
    node.put("completion_tokens", completion.completionTokens());
    node.put("billed_tokens", completion.billedTokens());
    completion.costUsd().ifPresent(cost -> node.put("cost_usd", cost));
    node.put("attempts", completion.attempts());
    node.put("lost_attempts", completion.lostAttempts());
    node.put("http_status", completion.httpStatus());
    node.put("latency_ms", completion.latencyMillis());
    completion.error().ifPresent(error -> node.put("error", error));
    node.put("created_at", completion.createdAt().toString());
    return node.toString();
  }

  /** The completion of a line; empty where the line is cut off. */
  static Optional<Completion> fromJson(String line) {
    JsonNode node;
    try {
      node = JSON.readTree(line);
    } catch (JsonProcessingException e) {
      return Optional.empty();
    }
    if (!node.isObject() || !node.has("created_at")) {
      return Optional.empty();
    }
    return Optional.of(
        new Completion(
            node.get("request_id").asText(),
            text(node, "id"),
            node.get("model").asText(),
            node.get("prompt").asText(),
            node.get("params").asText(),
            node.get("status").asText().equals("ok"),
            text(node, "finish_reason"),
            text(node, "text"),
            node.get("prompt_tokens").asInt(),
            node.get("cached_prompt_tokens").asInt(),
            node.get("completion_tokens").asInt(),
            node.has("billed_tokens")
                ? node.get("billed_tokens").asLong()
                : Math.max(0, node.get("prompt_tokens").asLong())
                    + Math.max(0, node.get("completion_tokens").asLong()),
            node.has("cost_usd") ? Optional.of(node.get("cost_usd").asDouble()) : Optional.empty(),
            node.get("attempts").asInt(),
            node.get("lost_attempts").asInt(),
            node.get("http_status").asInt(),
            node.get("latency_ms").asLong(),
            text(node, "error"),
            Instant.parse(node.get("created_at").asText())));
  }

  /** A failure as the column {@code error} shows it: the category, then what happened. */
  static String error(TeacherException failure) {
    return failure.category().name().toLowerCase(Locale.ROOT) + ": " + failure.getMessage();
  }

  /** Whether an error that {@link #error} wrote is of a kind that may be tried again. */
  static boolean isRetryable(String error) {
    int colon = error.indexOf(':');
    String name = (colon < 0 ? error : error.substring(0, colon)).toUpperCase(Locale.ROOT);
    for (TeacherException.Category category : TeacherException.Category.values()) {
      if (category.name().equals(name)) {
        return new TeacherException(category, 0, Optional.empty(), "").retryable();
      }
    }
    return false;
  }

  private static Optional<String> text(JsonNode node, String name) {
    return node.hasNonNull(name) ? Optional.of(node.get(name).asText()) : Optional.empty();
  }
}
