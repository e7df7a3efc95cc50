package dev.distillery.spark.fanout;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.teacher.TeacherException;
import dev.distillery.core.teacher.TokenLogprob;
import java.time.Instant;
import java.time.format.DateTimeParseException;
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
    completion.reasoning().ifPresent(reasoning -> node.put("reasoning", reasoning));
    if (!completion.logprobs().isEmpty()) {
      node.set("logprobs", TokenLogprob.toJson(completion.logprobs()));
    }
    completion.toolCalls().ifPresent(calls -> node.put("tool_calls", calls));
    return node.toString();
  }

  /**
   * The completion of a line; empty where the line is cut off. Members that lines of before lack
   * read as nothing known.
   *
   * @throws JobException where a line is JSON and no completion: what it cost would be asked again
   */
  static Optional<Completion> fromJson(String line) {
    JsonNode node;
    try {
      node = JSON.readTree(line);
    } catch (JsonProcessingException e) {
      return Optional.empty();
    }
    if (node == null || !node.isObject() || !node.has("created_at")) {
      return Optional.empty();
    }
    return Optional.of(
        new Completion(
            required(node, "request_id", line),
            text(node, "id"),
            required(node, "model", line),
            required(node, "prompt", line),
            required(node, "params", line),
            required(node, "status", line).equals("ok"),
            text(node, "finish_reason"),
            text(node, "text"),
            node.path("prompt_tokens").asInt(-1),
            node.path("cached_prompt_tokens").asInt(0),
            node.path("completion_tokens").asInt(-1),
            node.path("billed_tokens").isIntegralNumber()
                ? node.get("billed_tokens").asLong()
                : Math.max(0, node.path("prompt_tokens").asLong(0))
                    + Math.max(0, node.path("completion_tokens").asLong(0)),
            node.path("cost_usd").isNumber()
                ? Optional.of(node.get("cost_usd").asDouble())
                : Optional.empty(),
            node.path("attempts").asInt(1),
            node.path("lost_attempts").asInt(0),
            node.path("http_status").asInt(0),
            node.path("latency_ms").asLong(0),
            text(node, "error"),
            instant(required(node, "created_at", line), line),
            text(node, "reasoning"),
            TokenLogprob.fromJson(node.path("logprobs")),
            text(node, "tool_calls")));
  }

  private static String required(JsonNode node, String name, String line) {
    JsonNode value = node.path(name);
    if (!value.isTextual()) {
      throw notAnEntry("its member '" + name + "' is no text", line);
    }
    return value.textValue();
  }

  private static Instant instant(String text, String line) {
    try {
      return Instant.parse(text);
    } catch (DateTimeParseException e) {
      throw notAnEntry("its member 'created_at' is no time: " + text, line);
    }
  }

  private static JobException notAnEntry(String why, String line) {
    return JobException.invalid(
        "A line of the run's ledger is no reply: "
            + why
            + "; the line begins: "
            + line.substring(0, Math.min(120, line.length()))
            + "; mend it, or give another --run-id");
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
