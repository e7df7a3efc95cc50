package dev.distillery.jobs.serve;

import dev.distillery.core.dialogue.Message;
import dev.distillery.core.teacher.Sampling;
import dev.distillery.model.constrain.JsonConstraint;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What a client asks.
 *
 * @param model by name; empty takes the first that is served
 * @param messages of a dialogue; empty where prompts are continued
 * @param prompts to continue; none in a dialogue
 * @param sampling of each answer; its seed decides all of them
 * @param n answers to each prompt
 * @param stream whether answers are sent as they are written
 * @param usage whether a stream ends with the tokens used
 * @param echo whether an answer begins with its prompt
 * @param topLogprobs likeliest tokens that are told of each place; empty tells none, 0 tells the
 *     written ones
 * @param silent whether nothing is written behind the prompt
 * @param constraint what an answer must be, where it must be something
 */
record ApiRequest(
    Optional<String> model,
    List<Message> messages,
    List<Prompt> prompts,
    Sampling sampling,
    int n,
    boolean stream,
    boolean usage,
    boolean echo,
    OptionalInt topLogprobs,
    boolean silent,
    Optional<JsonConstraint> constraint) {

  /** A prompt, as a text or as tokens. */
  sealed interface Prompt {}

  /** A prompt as a text. */
  record TextPrompt(String text) implements Prompt {}

  /** A prompt as tokens. */
  @SuppressWarnings("ArrayRecordComponent") // Built once and only read.
  record TokenPrompt(int[] ids) implements Prompt {}

  ApiRequest {
    messages = List.copyOf(messages);
    prompts = List.copyOf(prompts);
  }

  /** Whether a dialogue is answered. */
  boolean chat() {
    return !messages.isEmpty();
  }

  /** Answers in all. */
  int choices() {
    return chat() ? n : prompts.size() * n;
  }
}
