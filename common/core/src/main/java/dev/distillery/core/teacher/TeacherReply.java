package dev.distillery.core.teacher;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * What a teacher said in one successful attempt.
 *
 * @param text the reply; may be empty. As a teacher tells it, it may begin with a thought and hold
 *     a stop text: {@link #finished} takes them off
 * @param finishReason {@code stop}, {@code length}, {@code content_filter}, or {@code other} for
 *     null and unknown ones
 * @param promptTokens tokens read, as the teacher counts them; -1 where it does not say
 * @param cachedPromptTokens those of {@code promptTokens} that were billed as cached; 0 where it
 *     does not say
 * @param completionTokens tokens written, as the teacher counts them; -1 where it does not say
 * @param httpStatus status of the HTTP answer; 0 for a teacher that has none
 * @param limits what the server says of the caller's limits
 * @param reasoning what the model thought before, where the teacher tells it apart; not in the text
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
    return with(text, finishReason, reasoning, tokens, toolCalls);
  }

  /** The same reply with the calls that it makes. */
  TeacherReply calling(Optional<String> tools) {
    return with(text, finishReason, reasoning, logprobs, tools);
  }

  /**
   * The same reply as it is kept, whatever teacher told it. It is parted here and nowhere else:
   * where the teacher does not tell a thought itself, what stands in {@code <think>} at the text's
   * head, or before a {@code </think>} at an end or begin of a line or an end of a sentence, is
   * one. The answer ends where a stop text begins. Of the tokens those stay that spell the answer.
   *
   * @param stops stop texts of the request
   */
  public TeacherReply finished(List<String> stops) {
    Thought thought =
        reasoning
            .map(told -> new Thought(told, text))
            .orElseGet(() -> orElse(() -> Thought.of(text), new Thought("", text)));
    String answer = thought.text();
    int stop = Stops.indexIn(answer, stops);
    int begin = text.length() - answer.length();
    int end = stop < 0 ? text.length() : begin + stop;
    boolean whole = reasoning.isEmpty() && begin == 0 && stop < 0;
    return with(
        text.substring(begin, end),
        stop < 0 ? finishReason : "stop",
        Optional.of(thought.reasoning()).filter(said -> !said.isEmpty()),
        orElse(() -> tokens(whole, begin, end), List.of()),
        toolCalls);
  }

  private List<TokenLogprob> tokens(boolean whole, int begin, int end) {
    // What calls a tool is spelt by tokens, and is not in the text.
    if (whole && (toolCalls.isPresent() || TokenLogprob.maySpell(logprobs, text))) {
      return logprobs;
    }
    return toolCalls.isPresent() ? List.of() : TokenLogprob.of(logprobs, text, begin, end);
  }

  /** What stands beside a reply's text. The text is paid for: it is kept whatever ails the rest. */
  static <T> T orElse(Supplier<T> part, T otherwise) {
    try {
      return part.get();
    } catch (RuntimeException e) {
      return otherwise;
    }
  }

  private TeacherReply with(
      String said,
      String finish,
      Optional<String> thought,
      List<TokenLogprob> tokens,
      Optional<String> tools) {
    return new TeacherReply(
        said,
        finish,
        promptTokens,
        cachedPromptTokens,
        completionTokens,
        httpStatus,
        limits,
        thought,
        tokens,
        tools);
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
