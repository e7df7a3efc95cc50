package dev.distillery.spark.fanout;

import dev.distillery.core.teacher.TokenLogprob;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * How a request to a teacher ended: a row of the table {@code completions}, and a line of the
 * ledger.
 *
 * @param requestId the request's id
 * @param rowId id of the row asked about, where there is one
 * @param model the model's name as the teacher knows it
 * @param prompt the text to continue, or the messages as a JSON array
 * @param params sampling and extra fields as a JSON object
 * @param ok whether there is a reply; without one the request has failed for good
 * @param finishReason why the reply ended; empty where there is none
 * @param text the reply; empty where there is none
 * @param promptTokens tokens read; -1 where the teacher does not say
 * @param cachedPromptTokens those of them that were billed as cached
 * @param completionTokens tokens written; -1 where the teacher does not say
 * @param billedTokens read and written as they were booked: what the server counted, or the most
 *     that it can have been where it does not say
 * @param costUsd what the reply cost; empty where the model has no price
 * @param attempts attempts that were sent, refused ones included
 * @param lostAttempts those of them that brought no reply and may have been billed all the same
 * @param httpStatus status of the last attempt; 0 where there was none
 * @param latencyMillis time of the last attempt
 * @param error category and message of the failure; empty where there is a reply
 * @param createdAt when the last attempt ended
 * @param reasoning what the model thought before the reply; no part of it
 * @param logprobs the tokens of the reply, where they were asked for
 * @param toolCalls the calls of tools that the reply makes, as a JSON array
 */
public record Completion(
    String requestId,
    Optional<String> rowId,
    String model,
    String prompt,
    String params,
    boolean ok,
    Optional<String> finishReason,
    Optional<String> text,
    int promptTokens,
    int cachedPromptTokens,
    int completionTokens,
    long billedTokens,
    Optional<Double> costUsd,
    int attempts,
    int lostAttempts,
    int httpStatus,
    long latencyMillis,
    Optional<String> error,
    Instant createdAt,
    Optional<String> reasoning,
    List<TokenLogprob> logprobs,
    Optional<String> toolCalls) {

  /** A completion without reasoning, tokens and calls. */
  public Completion(
      String requestId,
      Optional<String> rowId,
      String model,
      String prompt,
      String params,
      boolean ok,
      Optional<String> finishReason,
      Optional<String> text,
      int promptTokens,
      int cachedPromptTokens,
      int completionTokens,
      long billedTokens,
      Optional<Double> costUsd,
      int attempts,
      int lostAttempts,
      int httpStatus,
      long latencyMillis,
      Optional<String> error,
      Instant createdAt) {
    this(
        requestId,
        rowId,
        model,
        prompt,
        params,
        ok,
        finishReason,
        text,
        promptTokens,
        cachedPromptTokens,
        completionTokens,
        billedTokens,
        costUsd,
        attempts,
        lostAttempts,
        httpStatus,
        latencyMillis,
        error,
        createdAt,
        Optional.empty(),
        List.of(),
        Optional.empty());
  }

  /** Whether the failure is of a kind that another run could overcome, such as a timeout. */
  public boolean failedForNow() {
    return !ok && error.filter(Ledger::isRetryable).isPresent();
  }
}
