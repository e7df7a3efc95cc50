package dev.distillery.core.teacher;

import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * What a teacher said in one successful attempt.
 *
 * @param text the reply; never holds a stop text; may be empty
 * @param finishReason {@code stop}, {@code length}, {@code content_filter}, or {@code other} for
 *     null and unknown ones
 * @param promptTokens tokens read, as the teacher counts them; -1 where it does not say
 * @param cachedPromptTokens those of {@code promptTokens} that were billed as cached; 0 where it
 *     does not say
 * @param completionTokens tokens written, as the teacher counts them; -1 where it does not say
 * @param httpStatus status of the HTTP answer; 0 for a teacher that has none
 * @param limits what the server says of the caller's limits
 * @param reasoning what the model thought before; never part of the text
 * @param logprobs the tokens of the reply, where they were asked for and the teacher tells them;
 *     the one that ends it is among them where the teacher tells that too
 * @param toolCalls the calls of tools that the reply makes, beside its text or without any: a JSON
 *     array in OpenAI's form
 */
public record TeacherReply(
    String text,
    String finishReason,
    int promptTokens,
    int cachedPromptTokens,
    int completionTokens,
    int httpStatus,
    RateLimits limits,
    Optional<String> reasoning,
    List<TokenLogprob> logprobs,
    Optional<String> toolCalls) {
  public TeacherReply {
    logprobs = List.copyOf(logprobs);
    Objects.requireNonNull(text, "text");
    Objects.requireNonNull(finishReason, "finishReason");
    Objects.requireNonNull(limits, "limits");
  }

  /** A reply without log-probabilities and calls. */
  public TeacherReply(
      String text,
      String finishReason,
      int promptTokens,
      int cachedPromptTokens,
      int completionTokens,
      int httpStatus,
      RateLimits limits,
      Optional<String> reasoning) {
    this(
        text,
        finishReason,
        promptTokens,
        cachedPromptTokens,
        completionTokens,
        httpStatus,
        limits,
        reasoning,
        List.of(),
        Optional.empty());
  }

  /** The same reply with its tokens. */
  public TeacherReply with(List<TokenLogprob> tokens) {
    return new TeacherReply(
        text,
        finishReason,
        promptTokens,
        cachedPromptTokens,
        completionTokens,
        httpStatus,
        limits,
        reasoning,
        tokens,
        toolCalls);
  }

  /** The same reply with the calls that it makes. */
  TeacherReply calling(Optional<String> tools) {
    return new TeacherReply(
        text,
        finishReason,
        promptTokens,
        cachedPromptTokens,
        completionTokens,
        httpStatus,
        limits,
        reasoning,
        logprobs,
        tools);
  }

  /**
   * The same reply with what stands in {@code <think>} at its head, or before {@code </think>},
   * kept apart, and its tokens without those of that part: for teachers that tell a text alone. A
   * reply that is parted already stays as it is.
   */
  public TeacherReply thoughtApart() {
    Thought thought = Thought.of(text);
    if (reasoning.isPresent() || thought.text().length() == text.length()) {
      return this;
    }
    return new TeacherReply(
        thought.text(),
        finishReason,
        promptTokens,
        cachedPromptTokens,
        completionTokens,
        httpStatus,
        limits,
        Optional.of(thought.reasoning()).filter(said -> !said.isEmpty()),
        TokenLogprob.after(logprobs, text.length() - thought.text().length()),
        toolCalls);
  }

  /** A reply without reasoning. */
  public TeacherReply(
      String text,
      String finishReason,
      int promptTokens,
      int cachedPromptTokens,
      int completionTokens,
      int httpStatus,
      RateLimits limits) {
    this(
        text,
        finishReason,
        promptTokens,
        cachedPromptTokens,
        completionTokens,
        httpStatus,
        limits,
        Optional.empty());
  }

  /** A reply of a teacher that has no limits to tell of. */
  public TeacherReply(
      String text,
      String finishReason,
      int promptTokens,
      int cachedPromptTokens,
      int completionTokens,
      int httpStatus) {
    this(
        text,
        finishReason,
        promptTokens,
        cachedPromptTokens,
        completionTokens,
        httpStatus,
        RateLimits.NONE);
  }
}
